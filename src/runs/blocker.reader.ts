import { Injectable } from '@nestjs/common';

import { AgentConditionReader } from '../agents/agent-condition.reader.js';
import type { AgentCondition } from '../agents/domain/agent-condition.js';
import type { AgentPin } from '../agents/domain/agent.js';
import type { Task } from '../agents/domain/task.js';
import { Clock } from '../platform/clock/clock.js';
import type { BlockerFacts, TaskFact } from './domain/blocker.js';
import { blockersOf, type RunBlockers } from './domain/blockers.js';
import { openUnits } from './domain/open-units.js';
import { pinOf } from './domain/pinned-agent.js';
import type { RunState } from './domain/run.state.js';
import type { RunStatus } from './domain/run.status.js';
import type { Unit } from './domain/unit.js';
import { RunEngine } from './engine/run.engine.js';
import { StartGate } from './engine/start.gate.js';
import { subRunIdOf } from './engine/sub-run-rows.js';
import { RunCatalogue, type RunRow } from './run.catalogue.js';
import { runNotFound, StateReader } from './state.reader.js';

/** The kind of agents that have their work done by another run. */
const WORKFLOW_KIND = 'workflow';

/** Which of the units that have not ended. */
export interface UnitPage {
  readonly offset: number;
  /** At most 200. */
  readonly limit: number;
}

/** What holds a run back, as it was at one event. */
export interface RunBlockersAt extends RunBlockers {
  readonly status: RunStatus;
  readonly lastSeq: number;
}

/** What has to be found out before it can be said what holds units back. */
interface Questions {
  /** By the reference that steps write. */
  readonly agents: ReadonlyMap<string, AgentPin>;
  /** Units that call an agent or wait for a run. */
  readonly units: readonly {
    readonly path: string;
    readonly agentReference?: string;
    /** The id of the run that it waits for, where it says so. */
    readonly ref?: string;
    /** The lineage of a run that would work for it. */
    readonly lineage: string;
  }[];
}

/** Says why nothing happens: gathers what the state of a run does not know, and asks the domain. */
@Injectable()
export class BlockerReader {
  constructor(
    private readonly states: StateReader,
    private readonly catalogue: RunCatalogue,
    private readonly engine: RunEngine,
    private readonly gate: StartGate,
    private readonly agents: AgentConditionReader,
    private readonly clock: Clock,
  ) {}

  /** What holds a run and a page of its open units back. @throws AppError `run.not-found` */
  async read(namespace: string, runId: string, page: UnitPage): Promise<RunBlockersAt> {
    const row = await this.catalogue.find(namespace, runId);
    if (row === undefined) throw runNotFound(runId);
    const questions = await this.states.read(namespace, runId, (state) => questionsOf(state, page));
    const facts = await this.factsOf(row, questions);
    return this.states.read(namespace, runId, (state) => ({
      ...{ status: state.status, lastSeq: state.lastSeq },
      ...blockersOf(state, facts, page),
    }));
  }

  private async factsOf(row: RunRow, questions: Questions): Promise<BlockerFacts> {
    const { id, namespace, priority, ownerId } = row;
    const { wakeAt } = row.summary;
    const now = this.clock.now();
    const [agents, tasks, queuedAhead] = await Promise.all([
      this.agentsOf(namespace, questions),
      this.agents.openTasks(namespace, id),
      wakeAt === undefined ? 0 : this.catalogue.queuedBefore({ id, priority, wakeAt }),
    ]);
    return {
      now,
      isOwned: ownerId !== undefined || this.engine.find(id) !== undefined,
      isDue: wakeAt !== undefined && wakeAt <= now,
      process: { limit: this.engine.slots, executing: this.engine.executed },
      queuedAhead,
      isolatedBehind: this.gate.before(id),
      agents,
      tasks: new Map(tasks.flatMap(taskFactOf)),
      runs: await this.runsOf(row, questions, agents),
    };
  }

  private async agentsOf(
    namespace: string,
    { agents }: Questions,
  ): Promise<ReadonlyMap<string, AgentCondition>> {
    const found = await Promise.all(
      [...agents].map(async ([reference, pin]) => {
        const condition = await this.agents.find(namespace, pin);
        return condition === undefined ? [] : [[reference, condition] as const];
      }),
    );
    return new Map(found.flat());
  }

  private async runsOf(
    { id, namespace }: RunRow,
    { units }: Questions,
    agents: ReadonlyMap<string, AgentCondition>,
  ): Promise<BlockerFacts['runs']> {
    const wanted = units.flatMap(({ path, ref, lineage, agentReference = '' }) => {
      if (ref !== undefined) return [{ path, runId: ref, isNamed: true }];
      const isOfRun = agents.get(agentReference)?.kind === WORKFLOW_KIND;
      return isOfRun ? [{ path, runId: subRunIdOf(id, lineage), isNamed: false }] : [];
    });
    const runIds = wanted.map(({ runId }) => runId);
    const rows = await this.catalogue.findMany(namespace, runIds);
    const statuses = new Map(rows.map((row) => [row.id, row.summary.status]));
    return new Map(
      wanted.flatMap(({ path, runId, isNamed }) => {
        const status = statuses.get(runId);
        if (status === undefined && !isNamed) return []; // not started yet
        return [[path, { runId, ...(status !== undefined && { status }) }] as const];
      }),
    );
  }
}

function questionsOf(state: RunState, { offset, limit }: UnitPage): Questions {
  const agents = new Map<string, AgentPin>();
  const units = openUnits(state)
    .drop(offset)
    .take(limit)
    .flatMap((unit) => {
      const { work } = unit.step;
      if (work.kind === 'agent') agents.set(work.agentReference, pinOf(state.queued.manifest, work));
      return isAsked(unit) ? [questionOf(state, unit)] : [];
    })
    .toArray();
  return { agents, units };
}

function isAsked({ status, held, wait }: Unit): boolean {
  return wait?.for === 'run' || (status === 'running' && held === undefined);
}

function questionOf({ runId }: RunState, unit: Unit): Questions['units'][number] {
  const { path, generation, failures, step, wait } = unit;
  return {
    path,
    lineage: `${runId}:${path}:${String(generation)} ${String(failures)}`,
    ...(step.work.kind === 'agent' && { agentReference: step.work.agentReference }),
    ...(wait?.for === 'run' && wait.ref !== undefined && { ref: wait.ref }),
  };
}

/** The stable key of a task names its unit: `runId:path:generation`. */
function taskFactOf(task: Task): readonly (readonly [string, TaskFact])[] {
  const { id, agentKey: agent, status, createdAt: since, deliveries, leaseUntil, idempotencyKey } = task;
  if (status !== 'queued' && status !== 'leased') return [];
  const path = idempotencyKey.slice(idempotencyKey.indexOf(':') + 1, idempotencyKey.lastIndexOf(':'));
  const lease = leaseUntil === undefined ? {} : { leaseUntil };
  return [[path, { id, agent, status, since, deliveries, ...lease }]];
}
