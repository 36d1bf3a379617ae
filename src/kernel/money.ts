/** Money is integer micro-dollars inside and a decimal named `…Usd` on the wire. */

/** The decimal amount of micro-dollars, exact to the last digit. */
export function usdFromMicros(micros: number): number {
  return micros / 1_000_000;
}

/** Micro-dollars of a decimal amount, rounded to the nearest. */
export function microsFromUsd(usd: number): number {
  return Math.round(usd * 1_000_000);
}
