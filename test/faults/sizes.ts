import type { Role } from '../support/cluster.js';

/** How much a fault run does: with FAULT_SIZE=short what fits into a check of every change. */
export const IS_SHORT = process.env['FAULT_SIZE'] === 'short';

/** A size of its own variable where that is set, else the full one or the short one. */
export function sizeOf(
  variable: string,
  { full, short }: { readonly full: number; readonly short: number },
): number {
  return Number(process.env[variable] ?? (IS_SHORT ? short : full));
}

/** Runs that a load starts in a second. */
export const RUNS_PER_SECOND = sizeOf('FAULT_RATE', { full: 10, short: 5 });

/** Clients of sockets that follow runs meanwhile. */
export const SOCKETS = sizeOf('FAULT_SOCKETS', { full: 20, short: 10 });

/** What the processes of a service do: one answers, two execute. FAULT_ROLES=all is one that does both. */
export const ROLES = (process.env['FAULT_ROLES'] ?? 'api,worker,worker').split(',') as readonly Role[];

/** The suites, or none of them where a short run does without. */
export function onlyInFull(declare: () => void): void {
  if (!IS_SHORT) declare();
}
