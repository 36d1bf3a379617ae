/** Everything that the processes of a simulation share: time, the record, agents, and who notes what happens. */
import type { Hash } from 'node:crypto';
import { createHash } from 'node:crypto';

import { makeId, type IdPrefix } from '../../src/kernel/ids.js';
import type { EngineConfig } from '../../src/platform/config/app.config.js';
import { IdSource } from '../../src/platform/ids/id.source.js';
import { JsonSchemaService } from '../../src/platform/json-schema/json-schema.service.js';
import { ArtifactService } from '../../src/runs/artifact.service.js';
import type { EncodedEvent } from '../../src/runs/domain/run.events.js';
import { isTerminal } from '../../src/runs/domain/run.status.js';
import type { InboxCommand } from '../../src/runs/run.inbox.js';
import { MemoryBlobStore } from '../../src/storage/memory/memory-blob.store.js';
import type { Violation } from '../support/invariants/evidence.js';
import { Faults } from './faults.js';
import { SimulatedClock } from './process-parts.js';
import type { Scenario } from './scenario.js';
import type { Setting } from './setting.js';
import { SeededRandom } from './seeded-random.js';
import { SimulatedAgents } from './simulated-agents.js';
import { SimulatedProcess } from './simulated-process.js';
import { EPOCH_MS, VirtualTime } from './virtual-time.js';
import { Witness } from './witness.js';

/** How many lines of a trace are kept to be shown. */
const KEPT_LINES = 400;

const schemas = new JsonSchemaService();

export class World implements Setting {
  readonly namespace = 'default';
  readonly time = new VirtualTime();
  readonly clock = new SimulatedClock(this.time);
  readonly random: SeededRandom;
  readonly faults: Faults;
  readonly ids = new CountedIds();
  readonly record: Witness;
  readonly agents: SimulatedAgents;
  readonly schemas = schemas;
  readonly blobs: MemoryBlobStore;
  readonly artifacts: ArtifactService;
  readonly config: EngineConfig;
  readonly violations: Violation[] = [];
  readonly processes: SimulatedProcess[] = [];
  /** Whether several processes work on one record. */
  readonly isShared: boolean;
  private readonly lines: string[] = [];
  private readonly hash: Hash = createHash('sha256');
  private started = 0;

  constructor(seed: number, scenario: Scenario) {
    this.random = new SeededRandom(seed + 1);
    const { faultsForMs, faultProbability } = scenario;
    this.faults = new Faults(new SeededRandom(seed + 2), EPOCH_MS + faultsForMs, faultProbability);
    this.isShared = scenario.processes > 1;
    this.config = configOf(scenario);
    this.record = new Witness(this.clock, this);
    this.blobs = new MemoryBlobStore(this.record.record);
    this.artifacts = new ArtifactService(this.blobs, this.clock);
    this.agents = new SimulatedAgents(this, scenario);
    for (const { atMs, offsetMs } of scenario.clockSteps)
      this.time.after(atMs, () => {
        this.clock.wallOffsetMs = offsetMs;
      });
    for (let index = 0; index < scenario.processes; index += 1) this.launch();
  }

  /** The trace, in short: two simulations with the same hash have done the same. */
  get traceHash(): string {
    return this.hash.copy().digest('hex');
  }

  /** The last lines of the trace. */
  get trace(): readonly string[] {
    return this.lines;
  }

  /** Notes something that happened. */
  note(line: string): void {
    const dated = `${this.time.now - EPOCH_MS} ${line}`;
    this.hash.update(`${dated}\n`);
    this.lines.push(dated);
    if (this.lines.length > KEPT_LINES) this.lines.shift();
  }

  violated(violation: Violation): void {
    this.violations.push(violation);
  }

  /** Told by a process that it has published: what is published is in the record. */
  published(runId: string, events: readonly EncodedEvent[]): void {
    const stored = this.record.record.runs.get(runId)?.events ?? [];
    for (const { event, text } of events) {
      if (stored[event.seq - 1]?.text === text) continue;
      const message = `published ${event.type} ${event.seq}, which the log does not have there`;
      this.violated({ invariant: 'I6', runId, message });
    }
  }

  hasEnded(runId: string): boolean {
    const entry = this.record.record.runs.get(runId);
    return entry !== undefined && isTerminal(entry.summary.status);
  }

  /** One of the processes that live; undefined while there is none. */
  anyProcess(): SimulatedProcess | undefined {
    return this.processes.length === 0 ? undefined : this.random.pick(this.processes);
  }

  /** Sends a command through some process. It may be lost on the way; answers whether it was put. */
  async send(runId: string, command: InboxCommand): Promise<boolean> {
    const process = this.anyProcess();
    if (process === undefined) return false;
    try {
      await process.send(runId, command);
      return true;
    } catch {
      return false;
    }
  }

  /** Another process comes in the place of one that is gone. */
  replace(gone: { readonly name: string }, delayMs: number): void {
    const index = this.processes.findIndex(({ name }) => name === gone.name);
    this.processes.splice(index, 1);
    this.time.after(delayMs, () => {
      this.launch();
    });
  }

  private launch(): void {
    this.started += 1;
    const process = new SimulatedProcess(this, `p${this.started}`);
    this.processes.push(process);
    void process.start();
  }
}

/** Ids that sort in the order in which they were made. */
class CountedIds extends IdSource {
  private count = 0;

  override next(prefix: IdPrefix): string {
    this.count += 1;
    return makeId(prefix, this.count.toString(16).padStart(32, '0'));
  }
}

function configOf({ maxConcurrentRuns, maxParallelSteps }: Scenario): EngineConfig {
  return {
    maxConcurrentRuns,
    runTimeoutMs: 600_000,
    queueEnabled: true,
    maxQueueSize: 100,
    maxSteps: 10_000,
    contextTtlMs: 3_600_000,
    parallelEnabled: true,
    maxParallelSteps,
    runRetentionDays: 30,
  };
}
