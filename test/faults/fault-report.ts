/** What a fault run has measured, as a table: figures are reported, never asserted. */
import { mkdirSync, appendFileSync } from 'node:fs';

const FOLDER = '.cache/faults';

/** One line of the report: what was measured, what is aimed at, and all measurements. */
export interface Measured {
  readonly fault: string;
  readonly what: string;
  /** The most that is aimed at. */
  readonly bar: number;
  /** @default ms */
  readonly unit?: string;
  /** Whether the bar is the least that is aimed at instead. @default false */
  readonly isFloor?: boolean;
  readonly values: readonly number[];
}

/** Adds a table with percentiles to the report of today, and says it on standard error. */
export function report(rows: readonly Measured[]): void {
  const lines = [
    '| Fault | Measured | Unit | n | p50 | p99 | Bar | Holds |',
    '|---|---|---|---|---|---|---|---|',
    ...rows.map(lineOf),
  ];
  const text = `${lines.join('\n')}\n\n`;
  mkdirSync(FOLDER, { recursive: true });
  appendFileSync(`${FOLDER}/report.md`, text);
  process.stderr.write(text);
}

function lineOf({ fault, what, bar, unit = 'ms', isFloor = false, values }: Measured): string {
  const [p50, p99] = [percentile(values, 50), percentile(values, 99)];
  const holds = isFloor ? Math.min(...values) >= bar : p99 <= bar;
  const most = `${isFloor ? '≥' : '≤'} ${bar}`;
  const cells = [fault, what, unit, values.length, rounded(p50), rounded(p99), most, holds ? 'yes' : 'no'];
  return `| ${cells.join(' | ')} |`;
}

/** The least value that as many per cent of the values do not exceed. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? 0;
}

function rounded(value: number): string {
  return value < 100 ? String(Number(value.toFixed(2))) : String(Math.round(value));
}
