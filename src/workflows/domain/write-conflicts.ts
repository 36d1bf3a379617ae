/**
 * Steps that write the same place of the context, neither before the other.
 *
 * Decided here: which pairs of writers have no order, in time linear in writes and edges for each 32 writers. Decided
 * elsewhere: what is written (context-writes.ts), who is told (scope-compiler.ts).
 */
import type { Reducer } from './context-writes.js';

/** One write of a step, or of the body of a loop. */
export interface PlacedWrite {
  /** The step of the scope that writes, itself or in its body. */
  readonly index: number;
  readonly path: string;
  readonly keys: readonly string[];
  readonly reducer: Reducer;
  /** JSON Pointer to the write, from the root of the definition. */
  readonly pointer: string;
}

/** A write, and one that it may overwrite or be overwritten by. */
export interface WriteConflict {
  readonly write: PlacedWrite;
  readonly other: PlacedWrite;
}

/** A pair whose first must be upstream of its second. */
type Pair = readonly [earlier: PlacedWrite, later: PlacedWrite];

/** How many steps are followed downstream at once: the bits of a number. */
const BATCH = 32;

/**
 * Writers of one place of which neither is upstream of the other, unless they only add to it by the same reducer. A
 * place and one inside it are the same place.
 *
 * Of writers of one path only neighbours in topological order are compared: all of them have an order exactly when
 * each has one with the next.
 *
 * @param dependencies per step, the steps that it waits for; without cycles
 */
export function findWriteConflicts(
  writes: readonly PlacedWrite[],
  dependencies: readonly (readonly number[])[],
): readonly WriteConflict[] {
  if (writes.length < 2) return [];
  const order = topologicalOrder(dependencies);
  const placeOf = new Map(order.map((index, place) => [index, place]));
  const place = ({ index }: PlacedWrite): number => placeOf.get(index) ?? 0;
  const sorted = writes.toSorted((a, b) => place(a) - place(b));
  const pairs = pairsOf(sorted, place).filter(([{ index: a }, { index: b }]) => a !== b);
  return unordered(pairs, order, dependencies).map(([other, write]) => ({ write, other }));
}

/** The pairs that must have an order, from writes in topological order. */
function pairsOf(sorted: readonly PlacedWrite[], place: (write: PlacedWrite) => number): readonly Pair[] {
  const byPath = Map.groupBy(sorted, ({ path }) => path);
  const pairs: Pair[] = [];
  for (const group of byPath.values()) {
    for (const [at, later] of group.entries()) {
      const earlier = group[at - 1];
      if (earlier?.reducer === 'replace') pairs.push([earlier, later]);
    }
  }
  for (const write of sorted) {
    for (let depth = 1; depth < write.keys.length; depth += 1) {
      const around = byPath.get(write.keys.slice(0, depth).join('.')) ?? [];
      const before = around.findLast((one) => place(one) < place(write));
      const after = around.find((one) => place(one) > place(write));
      if (before !== undefined) pairs.push([before, write]);
      if (after !== undefined) pairs.push([write, after]);
    }
  }
  return pairs;
}

/** The pairs whose first is not upstream of their second. */
function unordered(
  pairs: readonly Pair[],
  order: readonly number[],
  dependencies: readonly (readonly number[])[],
): readonly Pair[] {
  const sources = [...new Set(pairs.map(([{ index }]) => index))];
  const found: Pair[] = [];
  for (let from = 0; from < sources.length; from += BATCH) {
    const bitOf = new Map(sources.slice(from, from + BATCH).map((index, bit) => [index, 1 << bit]));
    const reached = downstreamOf(bitOf, order, dependencies);
    for (const pair of pairs) {
      const bit = bitOf.get(pair[0].index);
      if (bit !== undefined && ((reached[pair[1].index] ?? 0) & bit) === 0) found.push(pair);
    }
  }
  return found;
}

/** Per step, the bits of the sources that are upstream of it. */
function downstreamOf(
  bitOf: ReadonlyMap<number, number>,
  order: readonly number[],
  dependencies: readonly (readonly number[])[],
): Int32Array {
  const reached = new Int32Array(dependencies.length);
  for (const index of order) {
    let bits = 0;
    for (const dependency of dependencies[index] ?? [])
      bits |= (reached[dependency] ?? 0) | (bitOf.get(dependency) ?? 0);
    reached[index] = bits;
  }
  return reached;
}

/** The steps, each after those that it waits for. */
function topologicalOrder(dependencies: readonly (readonly number[])[]): readonly number[] {
  const dependents = dependencies.map((): number[] => []);
  for (const [index, list] of dependencies.entries())
    for (const dependency of list) dependents[dependency]?.push(index);
  const left = dependencies.map(({ length }) => length);
  const order = [...left.keys()].filter((index) => left[index] === 0);
  for (const index of order) {
    for (const dependent of dependents[index] ?? []) {
      left[dependent] = (left[dependent] ?? 0) - 1;
      if (left[dependent] === 0) order.push(dependent);
    }
  }
  return order;
}
