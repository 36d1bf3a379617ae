import type { Failure } from '../../kernel/failure.js';

/** What the thread for heavy checks is asked. */
export interface CheckJob {
  /** Absolute path of a compiled file. */
  readonly module: string;
  readonly task: string;
  readonly input: unknown;
}

/** What it answers. */
export type CheckAnswer =
  { readonly value: unknown } | { readonly failure: Failure } | { readonly error: string };
