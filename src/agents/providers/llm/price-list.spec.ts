import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ManualClock } from '../../../../test/support/manual-clock.js';
import type { ProviderConfig } from '../../../platform/config/app.config.js';
import { PriceList } from './price-list.js';

const NOW = Date.parse('2026-11-25');
const MILLION = { inputTokens: 1_000_000 };

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ensemble-prices-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A list with this text as PRICE_TABLE; without one where there is none. */
async function listWith(text?: string): Promise<PriceList> {
  const priceTable = join(folder, 'prices.json');
  if (text !== undefined) writeFileSync(priceTable, text);
  const config = { priceTable: text === undefined ? undefined : priceTable } as ProviderConfig;
  const prices = new PriceList(config, new ManualClock(NOW));
  await prices.onModuleInit();
  return prices;
}

describe('PriceList', () => {
  it('knows the prices of the service', async () => {
    const prices = await listWith();

    expect(prices.costOf(MILLION, ['claude-sonnet-4-5'])).toEqual({
      costMicros: 3_000_000,
      estimated: false,
    });
  });

  it("lets the operator's prices win, model by model", async () => {
    const prices = await listWith(
      JSON.stringify([
        { models: ['local-7b'], input: 0, output: 0 },
        { models: ['claude-sonnet-4-5'], input: 2, output: 10 },
        { models: ['claude-sonnet-4-5'], validFrom: '2027-01-01', input: 9, output: 9 },
      ]),
    );

    expect(prices.costOf(MILLION, ['local-7b'])).toEqual({ costMicros: 0, estimated: false });
    expect(prices.costOf(MILLION, ['claude-sonnet-4-5'])).toEqual({
      costMicros: 2_000_000,
      estimated: false,
    });
    expect(prices.costOf(MILLION, ['claude-sonnet-4-6'])).toEqual({
      costMicros: 3_000_000,
      estimated: false,
    });
  });

  it('charges what is read from the cache like the prompt where the table tells no other price', async () => {
    const prices = await listWith('[{"models":["m"],"input":1,"output":2}]');

    expect(prices.costOf({ ...MILLION, cacheReadTokens: 1_000_000 }, ['m']).costMicros).toBe(1_000_000);
  });

  it('charges a model that nobody knows as the most expensive one', async () => {
    const prices = await listWith('[{"models":["gold"],"input":1000,"output":1}]');

    expect(prices.costOf(MILLION, ['unknown'])).toEqual({ costMicros: 1_000_000_000, estimated: true });
  });

  it.each([
    ['no JSON', 'prices', 'it is not JSON'],
    ['no list', '{}', '/: Expected a list of prices'],
    ['a price below nothing', '[{"models":["m"],"input":-1,"output":1}]', '/0/input: Expected dollars'],
    [
      'a day that is none',
      '[{"models":["m"],"input":1,"output":1,"validFrom":"soon"}]',
      '/0/validFrom: Expected',
    ],
    ['an unknown field', '[{"models":["m"],"input":1,"output":1,"currency":"EUR"}]', '/0/currency: Unknown'],
  ])('stops the start with a table that has %s', async (_what, text, told) => {
    await expect(listWith(text)).rejects.toThrow(`PRICE_TABLE can not be used: ${told}`);
  });

  it('stops the start with a table that is not there', async () => {
    const prices = new PriceList(
      { priceTable: join(folder, 'gone') } as ProviderConfig,
      new ManualClock(NOW),
    );

    await expect(prices.onModuleInit()).rejects.toThrow('PRICE_TABLE can not be read: ENOENT');
  });
});
