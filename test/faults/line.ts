/** A connection over which one run is followed, whatever it goes over, that can be cut as a network cuts it. */
import type { RunEvent } from '../../src/runs/domain/run.events.js';

/** How a connection ends that nobody takes leave of: closed under its protocol, its TCP connection ended, or reset. */
export const CUTS = ['closed', 'ended', 'reset'] as const;
export type Cut = (typeof CUTS)[number];

export interface LineOptions {
  /** Of the service. */
  readonly url: string;
  readonly runId: string;
  /** The last event that the client has; 0 for none. */
  readonly afterSeq: number;
  /** Told of each event as it comes; not after a cut. */
  readonly onEvent: (event: RunEvent) => void;
  /** Told of what no client may be told of a run that is there, and that it should not come back for. */
  readonly onSurprise: (what: string) => void;
}

/** The states of a line, each reached once. */
class LineStates {
  private readonly asking = Promise.withResolvers<undefined>();
  private readonly entering = Promise.withResolvers<boolean>();
  private readonly going = Promise.withResolvers<undefined>();
  /** Whether nothing that comes counts any more. */
  isOver = false;

  get asked(): Promise<void> {
    return this.asking.promise;
  }

  get letIn(): Promise<boolean> {
    return this.entering.promise;
  }

  get gone(): Promise<void> {
    return this.going.promise;
  }

  ask(): void {
    this.asking.resolve(undefined);
  }

  enter(): void {
    this.entering.resolve(true);
  }

  end(): void {
    this.isOver = true;
    this.ask();
    this.entering.resolve(false);
    this.going.resolve(undefined);
  }
}

export abstract class Line {
  protected readonly states = new LineStates();

  /** Resolves when it has asked for the events, or is gone. */
  get asked(): Promise<void> {
    return this.states.asked;
  }

  /** Resolves with whether the service has let it follow the run. */
  get letIn(): Promise<boolean> {
    return this.states.letIn;
  }

  /** Resolves when nothing comes any more: it was cut, or the service or the network has ended it. */
  get gone(): Promise<void> {
    return this.states.gone;
  }

  /** Ends it without a word. */
  abstract cut(how: Cut): void;

  /** Ends it in order: the run is over. */
  abstract leave(): void;
}
