/**
 * One simulation: from a seed to what was violated.
 *
 * The decider, the loop and the whole engine are the real ones. Store, clock, network and agents are the world's.
 */
import { Logger, type LoggerService } from '@nestjs/common';

import type { Graph } from '../../src/workflows/domain/graph.js';
import { encodeEvent } from '../../src/runs/domain/run.events.js';
import type { Creation } from '../../src/runs/run.store.js';
import type { RunEvidence, Violation } from '../support/invariants/evidence.js';
import { checkEvidence } from '../support/invariants/check-evidence.js';
import { graphOf, queuedEvent } from '../support/simulated-run.js';
import { MANIFEST } from './other-workflow.js';
import { scenarioOf, type Request, type Scenario } from './scenario.js';
import { SeededRandom } from './seeded-random.js';
import { EPOCH_MS } from './virtual-time.js';
import { World } from './world.js';

/** How long after the last fault every run has ended. */
const ENDS_WITHIN_MS = 300_000;

/** How long after that everything is given back. */
const SETTLES_WITHIN_MS = 12_000;

/** How long somebody waits for an answer before asking again, in milliseconds. */
const PATIENCE_MS = 3_000;

/** Longer than the wall clock is ever off: it must not be what ends a run. */
const RUN_TIMEOUT_MS = 6 * 3_600_000;

/** What a simulation came to. */
export interface Simulated {
  readonly seed: number;
  readonly violations: readonly Violation[];
  /** Says whether two simulations did the same. */
  readonly traceHash: string;
  /** The end of the trace, for people. */
  readonly trace: readonly string[];
  readonly faults: number;
  readonly events: number;
  readonly calls: number;
}

/** Runs the simulation of a seed. Only one at a time: the seed stands in for `Math.random` meanwhile. */
export async function simulate(seed: number): Promise<Simulated> {
  const random = new SeededRandom(seed);
  const scenario = scenarioOf(seed, random);
  const real = Math.random;
  Math.random = () => random.next();
  try {
    const world = new World(seed, scenario);
    Logger.overrideLogger(troubleLogger(world));
    return await new Simulation(seed, scenario, world).run();
  } finally {
    Math.random = real;
  }
}

class Simulation {
  private readonly graphs = new Map<string, Graph>();
  private readonly told = new Set<string>();

  constructor(
    private readonly seed: number,
    private readonly scenario: Scenario,
    private readonly world: World,
  ) {}

  async run(): Promise<Simulated> {
    const { world, scenario } = this;
    scenario.definitions.forEach((definition, index) => {
      const runId = runIdOf(index);
      this.graphs.set(runId, graphOf(definition));
      world.time.after(world.random.below(20), () => {
        this.start(runId, definition);
      });
    });
    for (const request of scenario.requests)
      world.time.after(request.atMs, () => {
        this.request(request);
      });
    const endMs = EPOCH_MS + scenario.faultsForMs + ENDS_WITHIN_MS;
    await world.time.runUntil(() => this.isOver(), endMs);
    world.faults.stop();
    await world.time.runUntil(() => false, world.time.now + SETTLES_WITHIN_MS);
    return this.result();
  }

  private isOver(): boolean {
    const { record } = this.world.record;
    const wasTold = [...this.graphs.keys()].every((runId) => this.told.has(runId));
    return wasTold && [...record.runs.keys()].every((runId) => this.world.hasEnded(runId));
  }

  /** As a client with a key does: the same run again until it is told. */
  private start(runId: string, definition: unknown): void {
    const { world } = this;
    if (this.told.has(runId)) return;
    const graph = this.graphs.get(runId);
    const process = world.anyProcess();
    world.time.after(PATIENCE_MS, () => {
      this.start(runId, definition);
    });
    if (process === undefined || graph === undefined) return;
    const creation = this.creationOf(runId, definition);
    process.engine.create(creation, graph).then(
      () => {
        this.told.add(runId);
        process.queue.hint({ runId, priority: 50 });
      },
      () => undefined, // it asks again
    );
  }

  private creationOf(runId: string, definition: unknown): Omit<Creation, 'ownerId'> {
    const { maxParallelSteps } = this.scenario;
    const { now } = this.world.time;
    const options = { maxParallelSteps, timeoutMs: RUN_TIMEOUT_MS };
    const queued = queuedEvent(definition, options);
    const data = { ...queued.data, manifest: MANIFEST };
    const event = { ...queued, data, runId, at: new Date(now).toISOString() };
    return {
      run: {
        id: runId,
        namespace: this.world.namespace,
        priority: 50,
        tags: [],
        createdAt: now,
        summary: {
          status: 'queued',
          stepsTotal: this.graphs.get(runId)?.steps.length ?? 0,
          stepsCompleted: 0,
          stepsFailed: 0,
          stepsSkipped: 0,
          inputTokens: 0,
          outputTokens: 0,
          costMicros: 0,
          wakeAt: now,
        },
        events: [encodeEvent(event)],
        appendId: `start-${runId}`,
      },
    };
  }

  /** Asked again until it is put: nobody else resumes a run. */
  private request(request: Request): void {
    const { world } = this;
    const runId = runIdOf(request.run);
    let isPut = false;
    world.time.after(PATIENCE_MS, () => {
      if (!isPut && !world.hasEnded(runId)) this.request(request);
    });
    if (!this.told.has(runId)) return;
    void world.send(runId, request.command).then((done) => {
      isPut = done;
    });
  }

  private result(): Simulated {
    const { world } = this;
    const runs = world.record.evidence();
    const evidence = {
      runs,
      accepted: [...this.told].map((runId) => ({ runId })),
      calls: world.agents.calls,
      baselines: world.processes.map(({ name, engine }) => ({
        what: `slots of ${name}`,
        before: 0,
        after: engine.executing,
      })),
      isOver: true,
    };
    const lost = [...this.graphs.keys()].filter((runId) => !this.told.has(runId));
    return {
      seed: this.seed,
      violations: [
        ...world.violations,
        ...lost.map((runId): Violation => ({ invariant: 'I3', runId, message: 'nobody could start it' })),
        ...checkEvidence(evidence, (run) => this.graphs.get(run.runId) ?? graphOfSubRun(run)),
      ],
      traceHash: world.traceHash,
      trace: world.trace,
      faults: world.faults.count,
      events: runs.reduce((sum, { events }) => sum + events.length, 0),
      calls: world.agents.calls.length,
    };
  }
}

function graphOfSubRun({ events: [first] }: RunEvidence): Graph {
  return graphOf(first?.type === 'run.queued' ? first.data.definition : undefined);
}

function runIdOf(index: number): string {
  return `run_${String(index + 1).padStart(32, '0')}`;
}

/** A loop that throws is a bug, whatever was wrong with the network. */
function troubleLogger(world: World): LoggerService {
  const quiet = (): void => undefined;
  return {
    log: quiet,
    warn: quiet,
    error: (entry: unknown) => {
      const { msg, err } = entry as { readonly msg?: string; readonly err?: unknown };
      if (msg !== 'the loop of a run failed: the run is dropped') return;
      world.violated({ invariant: 'I13', message: `${msg}: ${String(err)}` });
    },
  };
}
