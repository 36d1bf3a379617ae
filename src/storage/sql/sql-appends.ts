import type { Append, AppendResult } from '../../runs/run.store.js';

/** Commits appends to the log. How several are grouped into one commit is the engine's affair. */
export abstract class SqlAppends {
  /** As `RunStore.append` promises. */
  abstract append(append: Append): Promise<AppendResult>;
}
