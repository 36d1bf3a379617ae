/** What the service and a thread of the sandbox say to each other. */

/** One call of a program. */
export interface SandboxJob {
  readonly source: string;
  /** JSON. */
  readonly input: string;
  readonly idempotencyKey: string;
  readonly timeoutMs: number;
  readonly memoryMb: number;
  readonly maxOutputBytes: number;
}

/** Which bound a program went beyond. */
export type SandboxLimit = 'time' | 'memory' | 'stack' | 'output';

/** How a program ended. Everything in it was said by the program and is not to be believed. */
export type SandboxResult =
  | { readonly kind: 'output'; readonly json: string }
  | { readonly kind: 'limit'; readonly limit: SandboxLimit; readonly message?: string }
  /** It is no program: no syntax, or nothing to call. */
  | { readonly kind: 'invalid'; readonly message: string }
  | ({ readonly kind: 'threw' } & ThrownError);

export interface ThrownError {
  readonly message: string;
  /** From 1; absent when nobody knows. */
  readonly line?: number;
  readonly column?: number;
  /** What the program itself says of another try. */
  readonly retryable?: boolean;
  readonly retryAfterMs?: number;
}

/** A call out of the program. `init` is JSON. */
export interface SandboxFetch {
  readonly callId: number;
  readonly url: string;
  readonly init: string;
}

export type ToThread =
  | { readonly type: 'run'; readonly job: SandboxJob }
  /** `answer` is JSON: what came back, or `{ error }`. */
  | { readonly type: 'fetched'; readonly callId: number; readonly answer: string };

export type FromThread =
  | { readonly type: 'console'; readonly text: string }
  | ({ readonly type: 'fetch' } & SandboxFetch)
  | { readonly type: 'ended'; readonly result: SandboxResult };
