/** Whether an agent can be called now, and what makes it so. */

/**
 * `available`: it can be called. `degraded`: it answers, worse than usual. `busy`: all its places are taken, calls
 * wait. `offline`: a call would fail.
 */
export const AGENT_STATUSES = ['available', 'degraded', 'busy', 'offline'] as const;
export type AgentStatus = (typeof AGENT_STATUSES)[number];

/** A status as it was found. */
export interface ObservedHealth {
  readonly status: AgentStatus;
  /** Why it is not available, and what to do; absent when it is. */
  readonly reason?: string;
  /** When its provider was asked, in milliseconds since the epoch. */
  readonly checkedAt: number;
}

/** What is known of an agent beside what its provider says. */
export interface KnownTroubles {
  /** Somebody took it offline. */
  readonly isOffline: boolean;
  /** For how long no call is let through because too many failed, in milliseconds. */
  readonly brokenForMs?: number;
  /** Calls that wait for a place. */
  readonly waiting: number;
}

/** The status of an agent: the worst of what its provider says and what is known. */
export function statusOf(
  { isOffline, brokenForMs, waiting }: KnownTroubles,
  probed: ObservedHealth,
): ObservedHealth {
  const { checkedAt } = probed;
  if (isOffline)
    return { status: 'offline', reason: 'It was taken offline; take it back to call it.', checkedAt };
  if (probed.status === 'offline') return probed;
  if (brokenForMs !== undefined) {
    const reason = `Too many calls failed in a row; it is tried again in ${String(Math.ceil(brokenForMs / 1000))} s.`;
    return { status: 'offline', reason, checkedAt };
  }
  if (probed.status === 'degraded' || waiting === 0) return probed;
  const calls = waiting === 1 ? '1 call waits' : `${String(waiting)} calls wait`;
  return { status: 'busy', reason: `All that its limits allow is in use; ${calls}.`, checkedAt };
}
