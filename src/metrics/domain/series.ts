/**
 * Series: what figures are about.
 *
 * Decided here: the dimensions, and that their number is bounded. Each dimension is counted by itself; figures of two
 * together ("workflow a with tag b") are not kept.
 */

/** What runs are counted by. */
export const RUN_DIMENSIONS = ['runs', 'workflow', 'workflow_version', 'tag'] as const;
/** What attempts of steps are counted by. */
export const ATTEMPT_DIMENSIONS = [
  'attempts',
  'step',
  'agent',
  'model',
  'template',
  'template_version',
] as const;

export type RunDimension = (typeof RUN_DIMENSIONS)[number];
export type Dimension = RunDimension | (typeof ATTEMPT_DIMENSIONS)[number];

/** The key of what has no name of its own: runs of unnamed definitions, steps of runs that are not kept. */
export const UNNAMED = '(unnamed)';
/** The key under which everything beyond the bound is counted together. */
export const OTHER = '(other)';

export interface Series {
  readonly namespace: string;
  readonly dimension: Dimension;
  /** The workflow of a step or of a version, the template of a version; otherwise empty. */
  readonly parent: string;
  /** Empty where a dimension has one series only: `runs`, `attempts`. */
  readonly key: string;
  /** All of this as one text, to compare by. */
  readonly text: string;
}

/** Series that are counted in together. */
export interface SeriesGroup {
  /** The same for the same series. */
  readonly name: string;
  /** Made when asked for: most groups of a page are met many times. */
  series(): readonly Series[];
}

/** A series. Keys are cut at 200 characters, and hold no character that a record can not keep. */
export function seriesOf(namespace: string, dimension: Dimension, key = '', parent = ''): Series {
  const [cutKey, cutParent] = [cut(key), cut(parent)];
  return {
    namespace,
    dimension,
    parent: cutParent,
    key: cutKey,
    text: `${namespace} ${dimension} ${cutParent.length} ${cutParent}${cutKey}`,
  };
}

/** The known series of one namespace, so that no dimension grows without bound. */
export class SeriesBook {
  private readonly known = new Set<string>();
  private readonly sizes = new Map<Dimension, number>();

  /** @param maxKeys series in one dimension; what comes later is counted as `OTHER` */
  constructor(
    known: readonly Series[],
    private readonly maxKeys: number,
  ) {
    for (const series of known) this.add(series);
  }

  /** The series itself while there is room or it is known, else the one of everything else. */
  admit(series: Series): Series {
    if (this.known.has(series.text)) return series;
    if ((this.sizes.get(series.dimension) ?? 0) >= this.maxKeys) {
      return seriesOf(series.namespace, series.dimension, OTHER);
    }
    this.add(series);
    return series;
  }

  private add({ text, dimension }: Series): void {
    if (this.known.has(text)) return;
    this.known.add(text);
    this.sizes.set(dimension, (this.sizes.get(dimension) ?? 0) + 1);
  }
}

const MAX_KEY_LENGTH = 200;

/** Whole characters: no half of a surrogate pair is left at the end. */
function cut(key: string): string {
  const kept = key.toWellFormed().replaceAll('\0', '\uFFFD');
  return kept.length <= MAX_KEY_LENGTH ? kept : kept.slice(0, MAX_KEY_LENGTH).replace(/[\uD800-\uDBFF]$/, '');
}
