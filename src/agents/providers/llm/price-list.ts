import { readFile } from 'node:fs/promises';

import { Injectable, type OnModuleInit } from '@nestjs/common';

import { Clock } from '../../../platform/clock/clock.js';
import { ProviderConfig } from '../../../platform/config/app.config.js';
import type { AgentUsage } from '../../domain/usage.js';
import { parsePrices } from './price.schema.js';
import { costOf, PRICES, type Cost, type Price } from './prices.js';

/** What models cost today: the table of the service, and over it the operator's own. */
@Injectable()
export class PriceList implements OnModuleInit {
  private prices: readonly Price[] = PRICES;

  constructor(
    private readonly config: ProviderConfig,
    private readonly clock: Clock,
  ) {}

  /** Reads PRICE_TABLE. @throws Error that says what is wrong with the file: a start with wrong prices is none */
  async onModuleInit(): Promise<void> {
    const { priceTable } = this.config;
    if (priceTable === undefined) return;
    const own = parsePrices(await textOf(priceTable));
    if (!own.ok) throw new Error(`PRICE_TABLE can not be used: ${own.failure}`);
    const listed = new Set(own.value.flatMap(({ models }) => models));
    this.prices = [...own.value, ...PRICES.flatMap((row) => without(row, listed))];
  }

  /** The cost of a call that one of these names of a model has answered. */
  costOf(usage: AgentUsage, models: readonly string[]): Cost {
    return costOf(usage, { models, at: this.clock.now(), prices: this.prices });
  }
}

/** A row without the models that the operator has priced. */
function without(row: Price, listed: ReadonlySet<string>): readonly Price[] {
  const models = row.models.filter((model) => !listed.has(model));
  return models.length === 0 ? [] : [{ ...row, models }];
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    throw new Error(`PRICE_TABLE can not be read: ${code}`, { cause: error });
  }
}
