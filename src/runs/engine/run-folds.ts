import { Injectable, Logger } from '@nestjs/common';

import { BoundedMap } from '../../kernel/bounded-map.js';
import { Clock } from '../../platform/clock/clock.js';
import { EngineConfig } from '../../platform/config/app.config.js';
import { HotStore, type HotKey } from '../../platform/ports/hot.store.js';
import { FOLD_VERSION, textOfState } from '../domain/fold-text.js';
import type { RunState } from '../domain/run.state.js';
import { EVENTS_WITHOUT_CHECKPOINT } from './run-checkpoints.js';

/** States kept in this process, and what they take together, in bytes. */
const KEPT = { entries: 1_000, weight: 16 * 1_048_576 };

/** About what an event adds to a state beside values, in bytes. */
const BYTES_OF_EVENT = 400;

/** States that are larger are not shared: their text would be too large, in bytes. */
const MAX_SHARED = 4 * 1_048_576;

/** A fold as processes share it. */
export interface FoldText {
  readonly seq: number;
  /** When that event happened, in milliseconds since the epoch. */
  readonly at: number;
  readonly foldVersion: number;
  readonly text: string;
}

interface KeptFold {
  readonly namespace: string;
  readonly state: RunState;
  /** On the monotonic clock. */
  readonly until: number;
}

/**
 * Folds of runs at the last event that was known, for `AGENT_CONTEXT_TTL_SECONDS`: whoever reads one adds the events
 * after it. Never truth: losing one costs reading the log.
 *
 * Decided here: what is kept, and what is shared with other processes. That is only what saves reading many events.
 */
@Injectable()
export class RunFolds {
  private readonly logger = new Logger(RunFolds.name);
  private readonly kept = new BoundedMap<KeptFold>(KEPT);

  constructor(
    private readonly hot: HotStore,
    private readonly clock: Clock,
    private readonly config: EngineConfig,
  ) {}

  /** The state of a run as it was kept; readers carry it on in place. */
  find(namespace: string, runId: string): RunState | undefined {
    const kept = this.kept.get(runId);
    if (kept?.namespace !== namespace) return undefined;
    if (kept.until > this.clock.monotonic()) return kept.state;
    this.kept.delete(runId);
    return undefined;
  }

  /** What another process has folded; undefined when there is none of use. */
  async findShared(namespace: string, runId: string): Promise<FoldText | undefined> {
    if (!this.hot.isShared) return undefined;
    const fold = await this.hot.get<FoldText>(keyOf(namespace, runId));
    return fold?.foldVersion === FOLD_VERSION ? fold : undefined;
  }

  /** Keeps a state that nobody else changes. */
  keep(namespace: string, state: RunState): void {
    const until = this.clock.monotonic() + this.config.contextTtlMs;
    this.kept.set(state.runId, { namespace, state, until }, weightOf(state));
  }

  /** A process lets go of a run with this state, which is in the record: it has ended, or is parked. */
  left(namespace: string, state: RunState): void {
    if (!isLong(state.lastSeq)) return;
    this.keep(namespace, state);
    this.share(namespace, state);
  }

  /** Lets other processes have a state, in a moment. */
  share(namespace: string, state: RunState): void {
    if (!this.hot.isShared || !isLong(state.lastSeq) || weightOf(state) > MAX_SHARED) return;
    setImmediate(() => {
      this.put(namespace, state).catch((error: unknown) => {
        this.logger.warn({ msg: 'a fold was not shared', runId: state.runId, err: error });
      });
    });
  }

  /** Lets go of the state of a run in this process. */
  drop(runId: string): void {
    this.kept.delete(runId);
  }

  /** The run is no more. */
  forget(namespace: string, runId: string, lastSeq: number): void {
    this.drop(runId);
    if (!this.hot.isShared || !isLong(lastSeq)) return;
    this.hot.invalidate(keyOf(namespace, runId)).catch((error: unknown) => {
      this.logger.warn({ msg: 'a fold was not forgotten', runId, err: error });
    });
  }

  private async put(namespace: string, state: RunState): Promise<void> {
    const { runId, lastSeq: seq, lastAt: at } = state;
    const fold: FoldText = { seq, at, foldVersion: FOLD_VERSION, text: textOfState(state) };
    await this.hot.set(keyOf(namespace, runId), fold, this.config.contextTtlMs);
  }
}

/** Reading fewer events costs no more than a fold. */
function isLong(lastSeq: number): boolean {
  return lastSeq >= EVENTS_WITHOUT_CHECKPOINT;
}

function weightOf({ size, lastSeq }: RunState): number {
  return size + lastSeq * BYTES_OF_EVENT;
}

function keyOf(namespace: string, id: string): HotKey {
  return { namespace, area: 'run-view', id };
}
