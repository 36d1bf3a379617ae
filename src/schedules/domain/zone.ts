/**
 * Time zones: what the clocks on a wall show, by the IANA data that the runtime carries.
 *
 * A wall time is a number of milliseconds, too: the one that UTC would have when its clocks showed the same.
 */

/** A zone by its IANA name. */
export interface Zone {
  /** How far its clocks are ahead of UTC at an instant, in milliseconds. */
  readonly offsetAt: (instantMs: number) => number;
}

/** When clocks are set, and by how much. */
export interface Shift {
  readonly at: number;
  /** Milliseconds ahead of UTC before and from then on. */
  readonly before: number;
  readonly after: number;
}

/** The zone of a name, or undefined where the runtime knows none. */
export function openZone(name: string): Zone | undefined {
  const known = zones.get(name);
  if (known !== undefined) return known;
  const format = formatOf(name);
  if (format === undefined) return undefined;
  const zone = { offsetAt: (instantMs: number) => offsetOf(format, instantMs) };
  zones.set(name, zone);
  return zone;
}

/** The first setting of the clocks within a span no longer than a day or two: after `from`, at or before `to`. */
export function findShift({ offsetAt }: Zone, from: number, to: number): Shift | undefined {
  const before = offsetAt(from);
  if (offsetAt(to) === before) return undefined;
  let [low, high] = [from, to];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(middle) === before) low = middle;
    else high = middle;
  }
  return { at: high, before, after: offsetAt(high) };
}

/** A zone costs some 100 kB: those in use are kept. There are about 600 names. */
const zones = new Map<string, Zone>();

function formatOf(timeZone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-US', {
      ...{ timeZone, calendar: 'gregory', numberingSystem: 'latn', hourCycle: 'h23' },
      ...{ year: 'numeric', month: '2-digit', day: '2-digit' },
      ...{ hour: '2-digit', minute: '2-digit', second: '2-digit' },
    });
  } catch {
    return undefined;
  }
}

/** The format writes `MM/DD/YYYY, HH:MM:SS`. */
function offsetOf(format: Intl.DateTimeFormat, instantMs: number): number {
  const [month = 0, day = 0, year = 0, hour = 0, minute = 0, second = 0] = format
    .format(instantMs)
    .split(/\D+/)
    .map(Number);
  const wall = Date.UTC(year, month - 1, day, hour, minute, second);
  return wall - Math.floor(instantMs / 1_000) * 1_000;
}
