import { Injectable } from '@nestjs/common';
import { setImmediate as afterOthers } from 'node:timers/promises';

import { AppError, failureOf } from '../../kernel/failure.js';
import type { Json, JsonObject } from '../../kernel/json.js';
import { Clock } from '../../platform/clock/clock.js';
import { IdSource } from '../../platform/ids/id.source.js';
import { httpErrors } from '../../platform/http/http.errors.js';
import { listSchemaIssues } from '../../workflows/domain/definition-issues.js';
import { viewOfRun, type RunView } from '../domain/view.js';
import type { RunEvent } from '../domain/run.events.js';
import { RunService, type StartRequest } from '../run.service.js';
import { differencesBetween, repeatedCallsOf, type Difference, type RepeatedCall } from './comparison.js';
import { mocksSchema, type MockTable } from './mock.schema.js';
import { Mocks } from './mocks.js';
import { simulationErrors } from './simulation.errors.js';
import { VirtualRun, type CrashAfter, type VirtualRunOptions } from './virtual-run.js';

/** Events of one simulated run. */
const MAX_EVENTS = 5_000;

/** How long a simulation may work, in milliseconds, and how long at a time before others have their turn. */
const MAX_WORK_MS = 5_000;
const SLICE_MS = 5;

export interface SimulationRequest extends Pick<
  StartRequest,
  'namespace' | 'definition' | 'workflow' | 'input' | 'context'
> {
  readonly mocks?: JsonObject;
  readonly crashAfter: CrashAfter;
}

/** What a simulated run came to. */
export interface Simulation {
  /** The run as it ended, or as it waits for what never comes. */
  readonly run: RunView;
  /** Its whole log, dated by the virtual clock. */
  readonly events: readonly RunEvent[];
  /** From its start to its last event by the virtual clock, in milliseconds. */
  readonly virtualMs: number;
  readonly crashes: number;
  /** Units whose agent was called again because a process had died. */
  readonly repeated: readonly RepeatedCall[];
  /** What the run came to otherwise without crashes; none when it came to the same. */
  readonly differences: readonly Difference[];
}

/** Rehearses runs: nothing is called, nothing is kept, no time passes. */
@Injectable()
export class SimulationService {
  constructor(
    private readonly runs: RunService,
    private readonly clock: Clock,
    private readonly ids: IdSource,
  ) {}

  /**
   * Simulates a run; with crashes also without, to compare.
   *
   * @throws AppError as `RunService.require`; `request.invalid` for mocks, `simulation.limit-exceeded`
   */
  async simulate({ mocks, crashAfter, ...request }: SimulationRequest): Promise<Simulation> {
    const table = readMocks(mocks ?? {});
    const { queued, graph } = await this.runs.rehearse(request, this.ids.next('run'));
    const budget = new WorkBudget(this.clock);
    const simulate = (crash: CrashAfter): Promise<VirtualRun> =>
      drive({ queued, graph, mocks: new Mocks(table), crashAfter: crash }, budget);
    const calm = await simulate('none');
    const run = crashAfter === 'none' ? calm : await simulate(crashAfter);
    return {
      // Everything is kept inline: no value is a reference.
      run: viewOfRun(request.namespace, run.state) as RunView,
      events: run.log,
      virtualMs: run.state.lastAt - run.state.createdAt,
      crashes: run.crashes,
      repeated: repeatedCallsOf(run.log),
      differences: run === calm ? [] : differencesBetween(calm.state, run.state),
    };
  }
}

/** Goes on to the end, a slice at a time. */
async function drive(options: VirtualRunOptions, budget: WorkBudget): Promise<VirtualRun> {
  const run = new VirtualRun(options);
  while (run.step()) {
    if (run.log.length > MAX_EVENTS) throw tooLong(`it has more than ${MAX_EVENTS} events`, run);
    if (budget.isSliceOver()) await afterOthers();
    if (budget.isSpent()) throw tooLong(`it takes more than ${MAX_WORK_MS} ms`, run);
  }
  return run;
}

/** Time that a simulation may take from others. */
class WorkBudget {
  private readonly until: number;
  private sliceUntil: number;

  constructor(private readonly clock: Clock) {
    this.until = clock.monotonic() + MAX_WORK_MS;
    this.sliceUntil = clock.monotonic() + SLICE_MS;
  }

  isSpent(): boolean {
    return this.clock.monotonic() > this.until;
  }

  /** True once for each slice. */
  isSliceOver(): boolean {
    const now = this.clock.monotonic();
    if (now < this.sliceUntil) return false;
    this.sliceUntil = now + SLICE_MS;
    return true;
  }
}

function readMocks(mocks: Json): MockTable {
  const issues = listSchemaIssues(mocksSchema, mocks).map((issue) => ({
    ...issue,
    pointer: `/mocks${issue.pointer}`,
  }));
  if (issues.length === 0) return mocks as unknown as MockTable;
  throw new AppError(failureOf(httpErrors['request.invalid'], issues[0]?.message ?? '', { issues }));
}

function tooLong(why: string, { log }: VirtualRun): AppError {
  const details = { events: log.length, lastEvent: log.at(-1)?.type ?? '' };
  return AppError.of(simulationErrors['simulation.limit-exceeded'], `the simulation was given up: ${why}`, {
    details,
  });
}
