/** The steps that expressions read, each once. */
import type { OuterRead, Reads } from './graph.js';

/** Nothing: one list for all who have none. */
export const NONE: readonly never[] = [];
/** None of the fields that may be absent. */
export const NOTHING = {};
/** What an expression reads that reads no step. */
export const NO_READS: Reads = { own: NONE, outer: NONE };

/** Steps that are read, each once. Most steps read none: nothing is made before the first. */
export class ReadSet {
  #own: Set<number> | undefined;
  #outer: Map<string, OuterRead> | undefined;

  add(read: OuterRead): void {
    if (read.up === 0) (this.#own ??= new Set()).add(read.index);
    else (this.#outer ??= new Map()).set(`${read.up}/${read.index}`, read);
  }

  get own(): readonly number[] {
    return this.#own === undefined ? NONE : ascending([...this.#own]);
  }

  get outer(): readonly OuterRead[] {
    return this.#outer === undefined ? NONE : [...this.#outer.values()];
  }

  get reads(): Reads {
    return this.#own === undefined && this.#outer === undefined
      ? NO_READS
      : { own: this.own, outer: this.outer };
  }
}

/** Two lists as one; the same list where the other is empty. */
export function joined(left: readonly number[], right: readonly number[]): readonly number[] {
  if (left.length === 0) return right;
  return right.length === 0 ? left : [...left, ...right];
}

/** Each index once, ascending; the same list where it is that already. */
export function ascending(indexes: readonly number[]): readonly number[] {
  if (indexes.every((index, place) => place === 0 || (indexes[place - 1] ?? index) < index)) return indexes;
  return [...new Set(indexes)].sort((left, right) => left - right);
}
