/**
 * Testing the decider as a function: given these events, when this command, then exactly these events.
 *
 * A history that the engine could not have written is refused: a step that starts before it is ready, or any other
 * change that the transition tables do not allow. So a test can not begin from a state that does not exist.
 */
import { canonicalJson, type Json } from '../../src/kernel/json.js';
import { isoOf } from '../../src/kernel/time.js';
import { decide } from '../../src/runs/domain/decide.js';
import { evolve } from '../../src/runs/domain/evolve.js';
import type { RunCommand } from '../../src/runs/domain/run.commands.js';
import type { RunEvent, RunEventMap, RunEventOf, RunEventType } from '../../src/runs/domain/run.events.js';
import { initialState, type RunState } from '../../src/runs/domain/run.state.js';
import { essenceOf, graphOf, queuedEvent, RUN_ID } from './simulated-run.js';
import { forbiddenChange, statusesOf } from './status-changes.js';

/** When commands come, unless they say otherwise: after every fact that says nothing. */
export const NOW = 1_000;

/** An event without what follows from its place in the log. */
export interface Fact {
  readonly type: RunEventType;
  readonly data: unknown;
  readonly stepId?: string;
  readonly path?: string;
  readonly attempt?: number;
  /** Milliseconds since the epoch; by default 0 for what has happened, and the command's time for what follows. */
  readonly at?: number;
}

type Undated<T> = T extends unknown ? Omit<T, 'at'> & { readonly at?: number } : never;

/** A command, at `NOW` unless it says otherwise. */
export type Asked = Undated<RunCommand>;

/** An event of the run as a whole. */
export function runFact<T extends RunEventType>(type: T, data: RunEventMap[T], at?: number): Fact {
  return at === undefined ? { type, data } : { type, data, at };
}

/** An event of a unit. `place` is `path#attempt`, or `path` before the first attempt. */
export function stepFact<T extends RunEventType>(
  type: T,
  place: string,
  data: RunEventMap[T],
  at?: number,
): Fact {
  const [path = '', attempt] = place.split('#');
  const stepId = path.slice(path.lastIndexOf('/') + 1).replaceAll(/\[\d+\]/g, '');
  return {
    type,
    data,
    stepId,
    ...(path === stepId ? {} : { path }),
    ...(attempt === undefined ? {} : { attempt: Number(attempt) }),
    ...(at === undefined ? {} : { at }),
  };
}

/** A run of a definition to which these things have happened after it was queued. */
export function given(
  definition: unknown,
  facts: readonly Fact[] = [],
  options: Partial<RunEventOf<'run.queued'>['data']['options']> = {},
): Given {
  const state = initialState(queuedEvent(definition, options), graphOf(definition));
  for (const fact of facts) happen(state, fact);
  return new Given(state);
}

class Given {
  constructor(readonly state: RunState) {}

  /** Asks one thing of the run. The state must not change by it. */
  when(asked: Asked): Decided {
    const command = { at: NOW, ...asked };
    const before = JSON.stringify(essenceOf(this.state));
    const decision = decide(this.state, command);
    expect(JSON.stringify(essenceOf(this.state))).toBe(before);
    return new Decided(this.state, command.at, decision);
  }
}

class Decided {
  constructor(
    private readonly state: RunState,
    private readonly at: number,
    private readonly decision: ReturnType<typeof decide>,
  ) {}

  /** Expects exactly these events, numbered on and dated by the command. */
  then(...expected: readonly Fact[]): void {
    const events = expected.map((fact, index) => eventOf(fact, this.state.lastSeq + 1 + index, this.at));
    expect(this.lines()).toEqual(events.map(lineOf));
  }

  /** Expects that nothing follows: neither an event nor a refusal. */
  thenNothing(): void {
    this.then();
  }

  /** Expects a refusal with this code. */
  thenRefused(code: string): void {
    expect(this.lines()).toEqual([`refused: ${code}`]);
  }

  /** The decision in short: types of events, `nothing`, or the code that refused. */
  get outline(): string {
    if (!this.decision.ok) return `refused: ${this.decision.failure.code}`;
    return this.decision.value.map(({ type }) => type).join(' ') || 'nothing';
  }

  private lines(): readonly string[] {
    return this.decision.ok ? this.decision.value.map(lineOf) : [`refused: ${this.decision.failure.code}`];
  }
}

function happen(state: RunState, fact: Fact): void {
  const event = eventOf(fact, state.lastSeq + 1, 0);
  const before = statusesOf(state);
  evolve(state, event);
  const forbidden = forbiddenChange(before, statusesOf(state));
  if (forbidden !== undefined) throw new Error(`no log holds ${lineOf(event)}: ${forbidden}`);
}

function eventOf({ at, ...fact }: Fact, seq: number, defaultAt: number): RunEvent {
  return { runId: RUN_ID, seq, at: isoOf(at ?? defaultAt), ...fact } as RunEvent;
}

/** One event as one line, so that a failed expectation shows what is missing and what is too much. */
function lineOf({
  runId,
  seq,
  at,
  type,
  stepId = '',
  path = stepId,
  attempt,
  data,
  ...rest
}: RunEvent): string {
  const place = attempt === undefined ? path : `${path}#${String(attempt)}`;
  const more = canonicalJson(rest);
  return `${String(seq)} ${type} ${place} ${canonicalJson(data as Json)} at ${at} of ${runId} ${more}`;
}
