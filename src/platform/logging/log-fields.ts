import { AsyncLocalStorage } from 'node:async_hooks';

/** What every line says that is written while some work goes on. */
export interface LogFields {
  readonly requestId?: string;
  readonly runId?: string;
  readonly stepId?: string;
}

const storage = new AsyncLocalStorage<LogFields>();

/** Runs work whose log lines carry these fields, beside those of the work around it. */
export function withLogFields<T>(fields: LogFields, work: () => T): T {
  return storage.run({ ...storage.getStore(), ...fields }, work);
}

/** The fields of the work that goes on now. */
export function currentLogFields(): LogFields {
  return storage.getStore() ?? {};
}
