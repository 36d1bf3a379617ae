/**
 * Matching texts with users' patterns, counted: one that is fast with a short text may take hours with a long one, and
 * nothing can stop it once it has begun.
 */
import type { CodeOptions } from 'ajv';
import formatsPlugin from 'ajv-formats';

import { stepsOf } from './pattern-cost.js';

/** How many steps all matches of one check may take: less than a tenth of a second. */
const MAX_STEPS = 20_000_000;

/** What the matches of one check have left. */
export class MatchBudget {
  private left = MAX_STEPS;

  /** Before each check of a value. */
  refill(): void {
    this.left = MAX_STEPS;
  }

  /** @throws RangeError when less is left */
  spend(steps: number): void {
    this.left -= steps;
    if (this.left < 0) throw new RangeError('too many steps of matching');
  }
}

class CountedPattern {
  private readonly pattern: RegExp;
  private readonly steps: (length: number) => number;

  constructor(
    text: string,
    flags: string,
    private readonly budget: MatchBudget,
  ) {
    this.pattern = new RegExp(text, flags);
    this.steps = stepsOf(text);
  }

  test(text: string): boolean {
    this.budget.spend(this.steps(text.length));
    return this.pattern.test(text);
  }

  /** Ajv tells patterns apart by this. */
  toString(): string {
    return this.pattern.toString();
  }
}

/** Makes the patterns of a schema. */
export function patternsWithin(budget: MatchBudget): NonNullable<CodeOptions['regExp']> {
  const make = (text: string, flags: string): CountedPattern => new CountedPattern(text, flags, budget);
  return Object.assign(make, { code: 'new RegExp' });
}

/** The one format whose pattern is slow with long texts: it goes back over the port for each colon. */
export function urlWithin(budget: MatchBudget): (text: string) => boolean {
  const url = formatsPlugin.default.get('url') as RegExp;
  return (text: string) => {
    budget.spend(text.length ** 2 / 2);
    return url.test(text);
  };
}
