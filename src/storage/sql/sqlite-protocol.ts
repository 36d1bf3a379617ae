/** Messages between the main thread and the SQLite threads: arrays and numbers, so that cloning them costs little. */

/** What a thread is started with. */
export interface SqliteThreadOptions {
  readonly role: 'writer' | 'reader';
  /** The folder that holds the database and its lock. */
  readonly directory: string;
}

/** Statement number, values, whether it is a guard. The text of a number is sent once, in `texts`. */
export type WireStatement = readonly [text: number, parameters: readonly unknown[], guard: boolean];

export type WireUnit = readonly [statements: readonly WireStatement[], otherwise: readonly WireStatement[]];

export type WireRequest = {
  readonly id: number;
  /** Texts not sent before: number and SQL. */
  readonly texts: readonly (readonly [number, string])[];
} & (
  | { readonly kind: 'batch'; readonly units: readonly WireUnit[] }
  /** One statement outside any unit: a read, or a step of a transaction that the main thread holds open. */
  | { readonly kind: 'run'; readonly statement: WireStatement }
  | { readonly kind: 'close' }
);

/** The rows of a statement that gives rows, otherwise how many it changed. */
export type WireResult = readonly unknown[] | number;

/** A thrown error: SQLite's code where it has one. */
export interface WireError {
  readonly code: string;
  readonly message: string;
}

export type WireOutcome =
  { readonly held: boolean; readonly results: readonly WireResult[] } | { readonly error: WireError };

export type WireReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'refused'; readonly error: WireError }
  | { readonly kind: 'batch'; readonly id: number; readonly outcomes: readonly WireOutcome[] }
  | { readonly kind: 'run'; readonly id: number; readonly result: WireResult }
  | { readonly kind: 'failed'; readonly id: number; readonly error: WireError }
  | { readonly kind: 'closed'; readonly id: number };
