/** I12: what processes hold besides rows, by their own figures. */
import type { Member } from '../support/cluster.js';
import type { BaselineEvidence } from '../support/invariants/evidence.js';

/** The figures of `/metrics` that must come back to where they were, by what they count. */
const FIGURES = { sockets: 'TCPSocketWrap', timers: 'Timeout' } as const;

/**
 * Connections to SQL come and go between one and so many, each with a timer (DATABASE_MAX_CONNECTIONS); what leaks with
 * every run, client or fault is many more after a while.
 */
const POOL = 10;

const ANSWER_MS = 5_000;

/** So many of each, by the process and the kind: `worker-1 sockets`. */
export type Resources = ReadonlyMap<string, number>;

/** What the processes that are alive hold now. */
export async function resourcesOf(members: readonly Member[]): Promise<Resources> {
  const alive = members.filter(({ isAlive }) => isAlive);
  const counts = await Promise.all(
    alive.map(async (member) => countsOf(member.name, await metricsOf(member))),
  );
  return new Map(counts.flat());
}

/** What is more than before, beyond the pool. Fewer is nothing left over. */
export function resourcesLeft(before: Resources, now: Resources): readonly BaselineEvidence[] {
  return [...now].map(([what, after]) => {
    const baseline = (before.get(what) ?? 0) + POOL;
    return { what, before: baseline, after: Math.max(baseline, after) };
  });
}

async function metricsOf({ process }: Member): Promise<string> {
  const answer = await fetch(`${process.url}/metrics`, { signal: AbortSignal.timeout(ANSWER_MS) });
  return answer.text();
}

function countsOf(name: string, metrics: string): readonly (readonly [what: string, count: number])[] {
  return Object.entries(FIGURES).map(([kind, type]) => {
    const [, count] =
      new RegExp(`^nodejs_active_resources\\{type="${type}"\\} (\\d+)$`, 'm').exec(metrics) ?? [];
    return [`${name} ${kind}`, Number(count ?? 0)];
  });
}
