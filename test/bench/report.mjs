/**
 * How a benchmark tells its figures: as text, or with `--json` one line `{ name, value, unit, bar, holds }` each.
 *
 * A bar is `<= n` or `>= n`, or absent for a figure that is only told.
 */
const isJson = process.argv.includes('--json');

/** Tells one figure. */
export function figure(name, value, unit, bar) {
  const rounded = Number(value.toPrecision(4));
  const holds = bar === undefined ? undefined : isWithin(rounded, bar);
  if (isJson) console.log(JSON.stringify({ name, value: rounded, unit, bar, holds }));
  else console.log(`${name.padEnd(62)} ${String(rounded).padStart(10)} ${unit}${verdict(bar, holds)}`);
}

export function median(samples) {
  return percentile(samples, 50);
}

export function percentile(samples, percent) {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))];
}

function isWithin(value, bar) {
  const [, operator, limit] = /^(<=|>=) ([\d.]+)$/.exec(bar);
  return operator === '<=' ? value <= Number(limit) : value >= Number(limit);
}

function verdict(bar, holds) {
  return bar === undefined ? '' : `   (bar ${bar}: ${holds ? 'holds' : 'MISSED'})`;
}
