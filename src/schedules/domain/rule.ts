/**
 * Reading the rule of a schedule from what a person wrote, with every problem at once.
 *
 * Decided here: what a rule may be. Decided elsewhere: its instants (next-fires.ts).
 */
import type { Issue } from '../../kernel/failure.js';
import { fieldErrors } from '../../kernel/field.errors.js';
import { fail, ok, type Result } from '../../kernel/result.js';
import { compileCron } from './cron.js';
import type { ScheduleRule } from './schedule.js';
import { openZone } from './zone.js';

/** A rule as it is written; fields are of their types already, and within their ranges. */
export interface WrittenRule {
  readonly cron?: string;
  readonly timezone?: string;
  readonly intervalMs?: number;
  readonly startAt?: number;
  readonly endAt?: number;
  readonly jitterMs: number;
}

export const DEFAULT_TIMEZONE = 'UTC';

/** Says what is wrong with one field, or undefined; fields that are not given are nobody's fault. */
type Check = (written: WrittenRule) => string | undefined | false;

const CHECKS: readonly (readonly [keyof WrittenRule, Check])[] = [
  [
    'cron',
    ({ cron, intervalMs }) => cron === undefined && intervalMs === undefined && 'give cron or intervalMs',
  ],
  [
    'intervalMs',
    ({ cron, intervalMs }) =>
      cron !== undefined && intervalMs !== undefined && 'give cron or intervalMs, not both',
  ],
  [
    'timezone',
    ({ cron, timezone }) => cron === undefined && timezone !== undefined && 'an interval has no time zone',
  ],
  ['cron', ({ cron }) => cron !== undefined && problemOfCron(cron)],
  ['timezone', ({ timezone }) => timezone !== undefined && problemOfZone(timezone)],
  ['endAt', ({ startAt = -Infinity, endAt = Infinity }) => endAt < startAt && 'the end is before the start'],
  [
    'jitterMs',
    ({ intervalMs = Infinity, jitterMs }) => jitterMs >= intervalMs && 'it must be shorter than the interval',
  ],
];

/**
 * The rule, or everything that is wrong with it, with pointers to its fields.
 *
 * @param anchorAt where intervals begin without `startAt`
 */
export function parseRule(written: WrittenRule, anchorAt: number): Result<ScheduleRule, readonly Issue[]> {
  const issues = CHECKS.flatMap(([field, check]) => {
    const message = check(written);
    const code = fieldErrors['field.invalid'].code;
    return typeof message === 'string' ? [{ pointer: `/${field}`, code, message }] : [];
  });
  if (issues.length > 0) return fail(issues);
  const { cron = '', timezone = DEFAULT_TIMEZONE, intervalMs, startAt, endAt } = written;
  const span = { ...(startAt !== undefined && { startAt }), ...(endAt !== undefined && { endAt }) };
  return intervalMs === undefined
    ? ok({ kind: 'cron', cron, timezone, ...span })
    : ok({ kind: 'interval', intervalMs, anchorAt: startAt ?? anchorAt, ...span });
}

function problemOfCron(cron: string): string | undefined {
  const compiled = compileCron(cron);
  return compiled.ok ? undefined : compiled.failure;
}

function problemOfZone(timezone: string): string | undefined {
  if (openZone(timezone) !== undefined) return undefined;
  return `expected a name of the IANA time zone database, got "${timezone}"`;
}
