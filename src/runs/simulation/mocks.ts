import type { Unit } from '../domain/unit.js';
import type { Mock, MockTable } from './mock.schema.js';

/**
 * Which mock answers a call. The world outside of a simulated run: it lives through every crash.
 *
 * A call that is made again because its process died takes the answer of the first one, as a target does that honours
 * the key; a call after a failure takes the next.
 */
export class Mocks {
  private readonly taken = new Map<string, number>();
  private readonly answers = new Map<string, Mock | undefined>();

  constructor(private readonly table: MockTable) {}

  /** The mock for what a unit does now; undefined where there is none. */
  find({ path, step, failures }: Pick<Unit, 'path' | 'step' | 'failures'>): Mock | undefined {
    const call = `${path}#${failures}`;
    if (!this.answers.has(call)) this.answers.set(call, this.next([path, step.key, step.id]));
    return this.answers.get(call);
  }

  private next(names: readonly string[]): Mock | undefined {
    const name = names.find((one) => Object.hasOwn(this.table, one));
    const mock = name === undefined ? undefined : this.table[name];
    if (name === undefined || mock === undefined || !Array.isArray(mock)) return mock as Mock | undefined;
    const count = this.taken.get(name) ?? 0;
    this.taken.set(name, count + 1);
    return (mock as readonly Mock[])[Math.min(count, mock.length - 1)];
  }
}
