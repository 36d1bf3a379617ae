import { costOf, PRICES, type Price } from './prices.js';

const NOW = Date.parse('2026-11-23');
const M = 1_000_000;

const rates = { inputPerMTok: 10 * M, outputPerMTok: 50 * M, cacheReadPerMTok: M, cacheWritePerMTok: 12 * M };
const cheap = { inputPerMTok: M, outputPerMTok: 5 * M, cacheReadPerMTok: M / 10, cacheWritePerMTok: 2 * M };
const prices: readonly Price[] = [
  { models: ['old'], ...rates },
  { models: ['old'], validFrom: '2026-06-01', ...cheap },
  { models: ['new'], validFrom: '2026-12-01', ...rates },
  { models: ['tiered'], ...rates },
  { models: ['tiered'], maxPromptTokens: 100, ...cheap },
];

function costAt(day: string, model: string, inputTokens = 1): number {
  return costOf({ inputTokens }, { models: [model], at: Date.parse(day), prices }).costMicros;
}

describe('costOf', () => {
  it.each([
    ['input', { inputTokens: M }, 3 * M],
    ['output', { outputTokens: M }, 15 * M],
    ['cache reads, not as input again', { inputTokens: M, cacheReadTokens: M }, 0.3 * M],
    ['cache writes, not as input again', { inputTokens: M, cacheWriteTokens: M }, 3.75 * M],
    ['reasoning as part of the output', { outputTokens: M, reasoningTokens: M }, 15 * M],
    ['nothing', {}, 0],
    ['the smallest call, rounded up', { inputTokens: 1, cacheReadTokens: 1 }, 1],
  ])('charges %s', (_what, usage, costMicros) => {
    expect(costOf(usage, { models: ['claude-sonnet-4-5'], at: NOW })).toEqual({
      costMicros,
      estimated: false,
    });
  });

  it.each(['claude-haiku-4-5', 'claude-haiku-4-5-20251001', 'claude-haiku-4-5-latest'])(
    'knows %s',
    (model) => {
      const cost = costOf({ inputTokens: M }, { models: [model], at: NOW });

      expect(cost).toEqual({ costMicros: M, estimated: false });
    },
  );

  it('charges a model that it does not know the highest rates and says so', () => {
    const usage = { inputTokens: M, outputTokens: M };

    expect(costOf(usage, { models: ['claude-next-9'], at: NOW })).toEqual({
      costMicros: 90 * M,
      estimated: true,
    });
    expect(costOf(usage, { models: [], at: NOW })).toEqual({ costMicros: 90 * M, estimated: true });
  });

  it('falls back to the next id by which the model is known', () => {
    const cost = costOf({ inputTokens: M }, { models: ['alias-of-the-proxy', 'claude-haiku-4-5'], at: NOW });

    expect(cost).toEqual({ costMicros: M, estimated: false });
  });

  it('takes the row that holds on the day', () => {
    expect(costAt('2026-05-31T23:59:59Z', 'old')).toBe(10);
    expect(costAt('2026-06-01T00:00:00Z', 'old')).toBe(1);
  });

  it('takes the oldest row before its first day', () => {
    expect(costAt('2026-11-01', 'new')).toBe(10);
  });

  it('takes the row for the size of the prompt', () => {
    expect(costAt('2026-11-01', 'tiered', 100)).toBe(100);
    expect(costAt('2026-11-01', 'tiered', 101)).toBe(1_010);
  });
});

describe('PRICES', () => {
  it('are whole numbers of micro-dollars', () => {
    const amounts = PRICES.flatMap((row) => [
      row.inputPerMTok,
      row.outputPerMTok,
      row.cacheReadPerMTok,
      row.cacheWritePerMTok,
    ]);

    expect(amounts.filter((amount) => !Number.isSafeInteger(amount) || amount <= 0)).toEqual([]);
  });

  it('name a model once per day and prompt size', () => {
    const names = PRICES.flatMap((row) =>
      row.models.map((model) => `${model} ${row.validFrom ?? 'always'} ${row.maxPromptTokens ?? 'any'}`),
    );

    expect(new Set(names).size).toBe(names.length);
  });

  it('begin on days that exist', () => {
    const days = PRICES.flatMap(({ validFrom }) => (validFrom === undefined ? [] : [validFrom]));

    expect(days.map((day) => new Date(day).toISOString().slice(0, 10))).toEqual(days);
  });
});
