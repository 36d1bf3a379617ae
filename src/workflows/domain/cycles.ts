/**
 * Steps that wait for each other.
 *
 * Pure graph work on indexes; what makes an edge is decided in graph.ts.
 */

/**
 * Cycles of a graph, in time linear in its edges.
 *
 * Cycles that share a step with one already found are left out, so each knot is named at least once and the answer
 * stays small.
 *
 * @param dependencies per step, the steps that it waits for
 * @returns each cycle as steps of which each waits for the next and the last for the first; it starts with the
 *   lowest index
 */
export function findCycles(dependencies: readonly (readonly number[])[]): readonly (readonly number[])[] {
  const search = new CycleSearch(dependencies);
  for (const start of dependencies.keys()) search.from(start);
  return search.cycles;
}

/** A depth-first search with a stack of its own: a chain of 10,000 steps must not end the call stack. */
class CycleSearch {
  readonly cycles: (readonly number[])[] = [];
  readonly #visited = new Set<number>();
  /** The steps from the start to the place of the search, each waiting for the next. */
  readonly #path: number[] = [];
  /** Where each step of the path stands in it. */
  readonly #placeOf = new Map<number, number>();
  /** For each step of the path, how many of its dependencies are done. */
  readonly #done: number[] = [];
  /** For each step of the path, how many steps up to it are in a cycle that was found. */
  readonly #foundUpTo: number[] = [];

  constructor(private readonly dependencies: readonly (readonly number[])[]) {}

  from(start: number): void {
    if (this.#visited.has(start)) return;
    this.#enter(start);
    for (let step = start; ;) {
      const next = this.dependencies[step]?.[this.#done.at(-1) ?? 0];
      if (next === undefined) this.#leave(step);
      else this.#look(next);
      const place = this.#path.at(-1);
      if (place === undefined) return;
      step = place;
    }
  }

  #look(next: number): void {
    this.#done[this.#done.length - 1] = (this.#done.at(-1) ?? 0) + 1;
    const place = this.#placeOf.get(next);
    if (place !== undefined) this.#close(place);
    else if (!this.#visited.has(next)) this.#enter(next);
  }

  #enter(step: number): void {
    this.#visited.add(step);
    this.#placeOf.set(step, this.#path.length);
    this.#path.push(step);
    this.#done.push(0);
    this.#foundUpTo.push(this.#foundUpTo.at(-1) ?? 0);
  }

  #leave(step: number): void {
    this.#placeOf.delete(step);
    this.#path.pop();
    this.#done.pop();
    this.#foundUpTo.pop();
  }

  /** The path from a place on is a cycle. Looks at its steps only when none is in another, so at each step once. */
  #close(place: number): void {
    const foundBefore = this.#foundUpTo[place - 1] ?? 0;
    if (this.#foundUpTo.at(-1) !== foundBefore) return;
    const cycle = this.#path.slice(place);
    for (const index of cycle.keys()) this.#foundUpTo[place + index] = foundBefore + index + 1;
    const lowest = cycle.indexOf(cycle.reduce((least, step) => Math.min(least, step)));
    this.cycles.push([...cycle.slice(lowest), ...cycle.slice(0, lowest)]);
  }
}
