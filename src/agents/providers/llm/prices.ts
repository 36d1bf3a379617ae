/**
 * What models cost, as data, and the cost of one call.
 *
 * List prices of Anthropic (platform.claude.com/docs/en/about-claude/pricing), as of November 2026, for calls
 * through its API without batch, fast mode or regional inference. A cache write is priced as one of five minutes.
 */
import type { AgentUsage } from '../../domain/usage.js';

/** Micro-dollars per million tokens. */
export interface Rates {
  /** Prompt tokens that neither came from nor went into the cache. */
  readonly inputPerMTok: number;
  /** Generated tokens, those of reasoning included. */
  readonly outputPerMTok: number;
  readonly cacheReadPerMTok: number;
  readonly cacheWritePerMTok: number;
}

export interface Price extends Rates {
  /** Model ids. A dated snapshot (`…-20251001`) and `…-latest` cost what the id without it costs. */
  readonly models: readonly string[];
  /** First day, in UTC, on which the row holds; a change of price lists all prompt sizes anew. @default always */
  readonly validFrom?: string;
  /** Largest prompt, in tokens, cached ones included, for which the row holds. @default any */
  readonly maxPromptTokens?: number;
}

/** Rates of amounts in dollars per million tokens: input, output, cache read, cache write. */
export function ratesOf(amounts: readonly [number, number, number, number]): Rates {
  const [inputPerMTok, outputPerMTok, cacheReadPerMTok, cacheWritePerMTok] = amounts.map((amount) =>
    Math.round(amount * 1_000_000),
  ) as [number, number, number, number];
  return { inputPerMTok, outputPerMTok, cacheReadPerMTok, cacheWritePerMTok };
}

const usd = (...amounts: Parameters<typeof ratesOf>[0]): Rates => ratesOf(amounts);

// Columns of the amounts: input, output, cache read, cache write; in dollars per million tokens.
export const PRICES: readonly Price[] = [
  { models: ['claude-fable-5-2'], ...usd(8, 40, 0.2, 10) },
  { models: ['claude-fable-5-1', 'claude-mythos-5-1'], ...usd(10, 50, 0.25, 12.5) },
  { models: ['claude-fable-5', 'claude-mythos-5'], ...usd(10, 50, 1, 12.5) },
  { models: ['claude-opus-5-5'], ...usd(4, 20, 0.2, 5) },
  { models: ['claude-opus-5', 'claude-opus-4-8', 'claude-opus-4-7'], ...usd(5, 25, 0.5, 6.25) },
  { models: ['claude-opus-4-6', 'claude-opus-4-5'], ...usd(5, 25, 0.5, 6.25) },
  { models: ['claude-opus-4-1', 'claude-opus-4-0', 'claude-opus-4'], ...usd(15, 75, 1.5, 18.75) },
  { models: ['claude-sonnet-5-5'], ...usd(2, 10, 0.2, 2.5) },
  { models: ['claude-sonnet-5-5'], validFrom: '2026-10-07', ...usd(2, 10, 0.1, 2.5) },
  { models: ['claude-sonnet-5'], ...usd(2, 10, 0.2, 2.5) },
  { models: ['claude-sonnet-4-6', 'claude-sonnet-4-5'], ...usd(3, 15, 0.3, 3.75) },
  { models: ['claude-sonnet-4-0', 'claude-sonnet-4'], ...usd(3, 15, 0.3, 3.75) },
  { models: ['claude-haiku-5-5'], maxPromptTokens: 100_000, ...usd(0.1, 0.5, 0.01, 0.125) },
  { models: ['claude-haiku-5-5'], ...usd(0.5, 2.5, 0.05, 0.625) },
  { models: ['claude-haiku-4-5'], ...usd(1, 5, 0.1, 1.25) },
  { models: ['claude-3-5-haiku'], ...usd(0.8, 4, 0.08, 1) },
  { models: ['claude-3-haiku'], ...usd(0.25, 1.25, 0.03, 0.3) },
];

/** The cost of one call; `estimated` when no row knows the model. */
export interface Cost {
  readonly costMicros: number;
  readonly estimated: boolean;
}

/** Whose price is looked up, when, and where. */
export interface PriceQuery {
  /** Ids by which the model is known, the most telling one first. */
  readonly models: readonly string[];
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** @default PRICES */
  readonly prices?: readonly Price[];
}

/**
 * The cost of what a call consumed, in micro-dollars, rounded up.
 *
 * A model that no row knows is charged the highest rate of each column and marked as estimated, so that a budget
 * errs on the safe side.
 */
export function costOf(usage: AgentUsage, query: PriceQuery): Cost {
  const prices = query.prices ?? PRICES;
  const rows = query.models.map((model) => rowsOf(prices, model)).find((found) => found.length > 0);
  const rates = rows === undefined ? worstOf(prices) : rowAt(rows, query.at, usage.inputTokens ?? 0);
  return { costMicros: charge(usage, rates), estimated: rows === undefined };
}

function rowsOf(prices: readonly Price[], model: string): readonly Price[] {
  const id = model.replace(/-(?:\d{8}|latest)$/, '');
  return prices.filter((row) => row.models.includes(id));
}

/** Of one model's rows: those of the newest date that has come, else of the oldest; the narrowest prompt size. */
function rowAt(rows: readonly Price[], at: number, promptTokens: number): Rates {
  const starts = rows.map(startOf);
  const past = starts.filter((start) => start <= at);
  const start = past.length > 0 ? Math.max(...past) : Math.min(...starts);
  const bySize = rows.filter((row) => startOf(row) === start).toSorted((a, b) => sizeOf(a) - sizeOf(b));
  return bySize.find((row) => promptTokens <= sizeOf(row)) ?? worstOf(bySize);
}

function startOf(row: Price): number {
  return row.validFrom === undefined ? Number.MIN_SAFE_INTEGER : Date.parse(row.validFrom);
}

function sizeOf(row: Price): number {
  return row.maxPromptTokens ?? Number.MAX_SAFE_INTEGER;
}

function worstOf(prices: readonly Price[]): Rates {
  const worst = (column: keyof Rates): number => Math.max(0, ...prices.map((row) => row[column]));
  return {
    inputPerMTok: worst('inputPerMTok'),
    outputPerMTok: worst('outputPerMTok'),
    cacheReadPerMTok: worst('cacheReadPerMTok'),
    cacheWritePerMTok: worst('cacheWritePerMTok'),
  };
}

function charge(usage: AgentUsage, rates: Rates): number {
  const { inputTokens = 0, outputTokens = 0, cacheReadTokens = 0, cacheWriteTokens = 0 } = usage;
  const uncached = Math.max(0, inputTokens - cacheReadTokens - cacheWriteTokens);
  const total =
    uncached * rates.inputPerMTok +
    outputTokens * rates.outputPerMTok +
    cacheReadTokens * rates.cacheReadPerMTok +
    cacheWriteTokens * rates.cacheWritePerMTok;
  return Math.ceil(total / 1_000_000);
}
