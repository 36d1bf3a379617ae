import type { Contents } from './kept.js';
import type { RunState } from './run.state.js';

/** What an evaluation reads: the state of a run, and where its large values are. */
export interface Seen {
  readonly state: RunState;
  readonly contents: Contents;
}
