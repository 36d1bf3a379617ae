/** Money is integer micro-dollars inside and a decimal named `…Usd` on the wire. */

/** Micro-dollars of a decimal amount, rounded up: a reservation must never be too small. */
export function microsFromUsd(usd: number): number {
  return Math.ceil(Number((usd * 1_000_000).toPrecision(15)));
}

/** The decimal amount of micro-dollars, exact to the last digit. */
export function usdFromMicros(micros: number): number {
  return micros / 1_000_000;
}
