import { Injectable } from '@nestjs/common';

/** What the gate asks of a run's loop. */
export interface GatedRun {
  readonly runId: string;
  /** The gate has changed: ask again. */
  poke(): void;
}

/**
 * Who may open attempts in this process.
 *
 * A run that may have killed its owners is executed alone: it waits until nothing else is open, and nothing else
 * opens meanwhile. So what kills the process then is its own or comes from outside, and takes no innocent run with it.
 */
@Injectable()
export class StartGate {
  private readonly open = new Map<string, number>();
  private readonly suspects = new Map<string, GatedRun>();
  private readonly waiting = new Set<GatedRun>();

  /** Whether the run may open attempts now. One that may not is poked when that changes. */
  mayStart(run: GatedRun, isSuspect: boolean): boolean {
    if (isSuspect) this.suspects.set(run.runId, run);
    else if (this.suspects.delete(run.runId)) this.pokeWaiting();
    const may = this.isTurnOf(run.runId);
    if (!may) this.waiting.add(run);
    return may;
  }

  /** Whether any run may open attempts: no run is, or waits to be, executed alone. */
  get isOpen(): boolean {
    return this.suspects.size === 0;
  }

  /** The runs whose attempts must end, or that must be done with, before this one may open attempts. */
  before(runId: string): readonly string[] {
    if (this.suspects.size === 0 || this.isTurnOf(runId)) return [];
    const [first = runId] = this.suspects.keys();
    if (first !== runId) return [first];
    return [...this.open.keys()].filter((other) => other !== runId);
  }

  /** Notes how many attempts of a run are open in this process. */
  setOpen(runId: string, count: number): void {
    if (count > 0) this.open.set(runId, count);
    else if (this.open.delete(runId) && this.suspects.size > 0) this.pokeWaiting();
  }

  /** Forgets a run that this process no longer drives. */
  leave(run: GatedRun): void {
    this.waiting.delete(run);
    this.open.delete(run.runId);
    if (this.suspects.delete(run.runId) || this.suspects.size > 0) this.pokeWaiting();
  }

  private isTurnOf(runId: string): boolean {
    const [first] = this.suspects.keys();
    if (first === undefined) return true;
    return first === runId && [...this.open.keys()].every((other) => other === runId);
  }

  private pokeWaiting(): void {
    const runs = [...this.waiting];
    this.waiting.clear();
    for (const run of runs) run.poke();
  }
}
