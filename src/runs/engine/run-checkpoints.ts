import { Logger } from '@nestjs/common';

import { FOLD_VERSION, textOfState } from '../domain/fold-text.js';
import type { RunState } from '../domain/run.state.js';
import type { RunStore } from '../run.store.js';

/** Events after which another checkpoint is worth its price, at least. */
const EVERY_EVENTS = 1_000;

/** The same when the run is let go of: reading fewer events costs no more than a checkpoint. */
export const EVENTS_WITHOUT_CHECKPOINT = 200;

/** How much of a checkpoint, in characters, is worth reading one event more. */
const CHARACTERS_FOR_AN_EVENT = 64;

/**
 * Saves checkpoints of one run beside its log. They are never waited for, and losing one costs time only.
 *
 * A checkpoint costs what the state is large; a state that grows has them further apart, so that all of them together
 * cost no more for each event.
 */
export class RunCheckpoints {
  private readonly logger = new Logger(RunCheckpoints.name);
  private nextSeq: number;

  /** @param savedSeq the last event of the checkpoint that the run has; 0 when it has none */
  constructor(
    private readonly store: RunStore,
    private savedSeq: number,
  ) {
    this.nextSeq = savedSeq + EVERY_EVENTS;
  }

  /** The state is in the record up to its last event. */
  passed(state: RunState): void {
    const { lastSeq, root } = state;
    if (lastSeq >= this.nextSeq && lastSeq - this.savedSeq >= 2 * root.units.length) this.save(state);
  }

  /** The run is let go of. */
  parked(state: RunState): void {
    if (state.lastSeq - this.savedSeq >= EVENTS_WITHOUT_CHECKPOINT) this.save(state);
  }

  private save(state: RunState): void {
    const { runId, lastSeq: seq } = state;
    this.savedSeq = seq;
    this.nextSeq = seq + EVERY_EVENTS;
    const failed = (error: unknown): void => {
      this.logger.warn({ msg: 'a checkpoint was not saved', runId, err: error });
    };
    try {
      const text = textOfState(state);
      this.nextSeq = seq + Math.max(EVERY_EVENTS, Math.round(text.length / CHARACTERS_FOR_AN_EVENT));
      this.store.saveCheckpoint(runId, { seq, foldVersion: FOLD_VERSION, state: text }).catch(failed);
    } catch (error) {
      failed(error);
    }
  }
}
