/** Times that a fault run has measured, as a table: they are reported, never asserted. */
import { mkdirSync, appendFileSync } from 'node:fs';

const FOLDER = '.cache/faults';

/** One line of the report: what was measured, what is aimed at, and all measurements in milliseconds. */
export interface Measured {
  readonly fault: string;
  readonly what: string;
  readonly barMs: number;
  readonly values: readonly number[];
}

/** Adds a table with percentiles to the report of today, and says it on standard error. */
export function report(rows: readonly Measured[]): void {
  const lines = [
    '| Fault | Measured | n | p50 ms | p99 ms | Bar ms | Holds |',
    '|---|---|---|---|---|---|---|',
    ...rows.map(lineOf),
  ];
  const text = `${lines.join('\n')}\n\n`;
  mkdirSync(FOLDER, { recursive: true });
  appendFileSync(`${FOLDER}/report.md`, text);
  process.stderr.write(text);
}

function lineOf({ fault, what, barMs, values }: Measured): string {
  const p99 = percentile(values, 99);
  const cells = [fault, what, values.length, percentile(values, 50), p99, barMs, p99 <= barMs ? 'yes' : 'no'];
  return `| ${cells.join(' | ')} |`;
}

/** The least value that as many per cent of the values do not exceed. */
function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? 0);
}
