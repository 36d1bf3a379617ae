/** Paths of units that are asked to run again, found by the paths above them. */
export class Targets {
  private readonly asked: ReadonlySet<string>;
  private readonly above = new Set<string>();

  constructor(readonly paths: readonly string[]) {
    this.asked = new Set(paths);
    for (const path of this.asked)
      for (const { index } of path.matchAll(/[[/]/g)) this.above.add(path.slice(0, index));
  }

  /** Whether the unit at a path is asked for itself. */
  has(path: string): boolean {
    return this.asked.has(path);
  }

  /** Whether something inside the unit at a path is asked for. */
  hasInside(path: string): boolean {
    return this.above.has(path);
  }

  /** Those inside the unit at a path. */
  inside(path: string): readonly string[] {
    if (!this.above.has(path)) return [];
    return this.paths.filter((inner) => inner.startsWith(`${path}[`) || inner.startsWith(`${path}/`));
  }
}
