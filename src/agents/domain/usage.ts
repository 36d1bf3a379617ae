/** Counting what agents consume. What it costs is counted beside it, in micro-dollars. */

/** What one attempt consumed. Counts are tokens. */
export interface AgentUsage {
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  readonly cacheReadTokens?: number;
  readonly cacheWriteTokens?: number;
  readonly reasoningTokens?: number;
}

/** Adds two counts field by field. */
export function addUsage(a: AgentUsage, b: AgentUsage | undefined): AgentUsage {
  if (b === undefined) return a;
  const sum: { -readonly [K in keyof AgentUsage]: AgentUsage[K] } = { ...a };
  for (const key of Object.keys(b) as (keyof AgentUsage)[]) sum[key] = (sum[key] ?? 0) + (b[key] ?? 0);
  return sum;
}
