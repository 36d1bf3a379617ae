/**
 * Grains of time: figures are kept per minute for some time, per hour for longer, per day for longest.
 *
 * Decided here: which pieces answer a range. Days are UTC days. Decided elsewhere: how long each grain is kept
 * (configuration).
 */

export const GRAINS = ['minute', 'hour', 'day'] as const;
export type Grain = (typeof GRAINS)[number];

/** The length of a piece of a grain, in milliseconds. */
export const LENGTH_MS: { readonly [G in Grain]: number } = {
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};

/** How long pieces of each grain are kept, in milliseconds. */
export type Retention = { readonly [G in Grain]: number };

/** From an instant up to another, which does not belong to it. Milliseconds since the epoch. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** Pieces of one grain that follow each other without a gap. */
export interface Tile extends Range {
  readonly grain: Grain;
}

/** The beginning of the piece that an instant lies in. */
export function floorTo(grain: Grain, at: number): number {
  return Math.floor(at / LENGTH_MS[grain]) * LENGTH_MS[grain];
}

function ceilTo(grain: Grain, at: number): number {
  return Math.ceil(at / LENGTH_MS[grain]) * LENGTH_MS[grain];
}

/** The beginning of the oldest piece of a grain that is still kept whole. */
export function oldestKept(grain: Grain, now: number, retention: Retention): number {
  return ceilTo(grain, now - retention[grain]);
}

/** The finest grain that is kept at an instant; undefined when none is. */
export function finestAt(at: number, now: number, retention: Retention): Grain | undefined {
  return GRAINS.find((grain) => floorTo(grain, at) >= oldestKept(grain, now, retention));
}

/**
 * A range widened to whole pieces of the finest grain that is kept at each of its ends: what can be answered exactly.
 * What lies before the oldest day that is kept is cut off.
 */
export function answerable({ from, to }: Range, now: number, retention: Retention): Range {
  const first = Math.max(from, oldestKept('day', now, retention));
  const last = Math.max(to, first);
  const finest = finestAt(first, now, retention) ?? 'day';
  return { from: floorTo(finest, first), to: ceilTo(endGrain(last, now, retention), last) };
}

/** The finest grain of which every piece from the last whole one of the next grain up to an end is kept. */
function endGrain(to: number, now: number, retention: Retention): Grain {
  if (floorTo('hour', to) >= oldestKept('minute', now, retention)) return 'minute';
  return floorTo('day', to) >= oldestKept('hour', now, retention) ? 'hour' : 'day';
}

/**
 * The fewest pieces that cover a range that `answerable` gave, each instant once: days in the middle, hours and
 * minutes at the ends.
 */
export function tilesOf({ from, to }: Range): readonly Tile[] {
  return tile(from, to, 'day').filter((one) => one.from < one.to);
}

function tile(from: number, to: number, grain: Grain): readonly Tile[] {
  if (grain === 'minute') return [{ grain, from, to }];
  const finer = grain === 'day' ? 'hour' : 'minute';
  const [first, last] = [ceilTo(grain, from), floorTo(grain, to)];
  if (first >= last) return tile(from, to, finer);
  return [...tile(from, first, finer), { grain, from: first, to: last }, ...tile(last, to, finer)];
}
