/** What processes and agents of a simulation know of the world that they are in, and agents of a process. */
import type { AgentCaller } from '../../src/agents/agent-caller.js';
import type { EngineConfig } from '../../src/platform/config/app.config.js';
import type { IdSource } from '../../src/platform/ids/id.source.js';
import type { JsonSchemaService } from '../../src/platform/json-schema/json-schema.service.js';
import type { ArtifactService } from '../../src/runs/artifact.service.js';
import type { EncodedEvent } from '../../src/runs/domain/run.events.js';
import type { InboxCommand } from '../../src/runs/run.inbox.js';
import type { Violation } from '../support/invariants/evidence.js';
import type { BlobStore } from '../../src/platform/ports/blob.store.js';
import type { Faults } from './faults.js';
import type { SimulatedClock } from './process-parts.js';
import type { SeededRandom } from './seeded-random.js';
import type { VirtualTime } from './virtual-time.js';
import type { Witness } from './witness.js';

/** A process as its agents see it. */
export interface CallingProcess {
  readonly name: string;
  readonly owner: { readonly id: string };
  /** Calls back within the process after a delay: later while it is frozen, never once it is dead. */
  after(delayMs: number, callback: () => void): () => void;
}

/** The world. */
export interface Setting {
  readonly namespace: string;
  readonly time: VirtualTime;
  readonly clock: SimulatedClock;
  readonly random: SeededRandom;
  readonly faults: Faults;
  readonly ids: IdSource;
  readonly record: Witness;
  readonly schemas: JsonSchemaService;
  readonly blobs: BlobStore;
  readonly artifacts: ArtifactService;
  readonly config: EngineConfig;
  /** Whether several processes work on one record. */
  readonly isShared: boolean;
  readonly agents: { callerOf(process: CallingProcess): AgentCaller };
  /** Notes something that happened. */
  note(line: string): void;
  violated(violation: Violation): void;
  /** Told by a process that it has published. */
  published(runId: string, events: readonly EncodedEvent[]): void;
  hasEnded(runId: string): boolean;
  /** Sends a command through some process. It may be lost on the way; answers whether it was put. */
  send(runId: string, command: InboxCommand): Promise<boolean>;
  /** Another process comes in the place of one that is gone. */
  replace(gone: { readonly name: string }, delayMs: number): void;
}
