/**
 * Statements compiled once: Kysely builds the text with placeholders, each call only binds values.
 *
 * Compiling a query costs Kysely some 20 to 100 microseconds, more than SQLite needs to execute it.
 */
import type { Compilable, CompiledQuery, QueryExecutorProvider } from 'kysely';

/** A statement with its values, ready to be sent. `R` is what a row of its answer looks like. */
export interface Statement<R = unknown> {
  /** Unique within a database, names the prepared statement where the engine keeps it by name; empty: not kept. */
  readonly name: string;
  readonly sql: string;
  readonly parameters: readonly unknown[];
  /** When true the unit holds only if this statement returned or changed a row. @default false */
  readonly guard?: true;
  /** Never set: carries the row type. */
  readonly row?: R;
}

/** What a statement did. */
export interface StatementResult {
  readonly rows: readonly unknown[];
  /** Rows inserted, updated or deleted; for a query, rows returned. */
  readonly changes: number;
}

/** Statements that become true together or not at all. */
export interface WriteUnit {
  readonly statements: readonly Statement[];
  /** Executed instead when a guard failed and everything else was undone; reads that say why. */
  readonly otherwise?: readonly Statement[];
}

export interface UnitOutcome {
  /** Whether every guard held and the unit was committed. */
  readonly held: boolean;
  /** One per statement in order; of `otherwise` when the unit did not hold. */
  readonly results: readonly StatementResult[];
}

/** A query under construction, or SQL written out. */
export interface Buildable<R> {
  compile(provider: QueryExecutorProvider): CompiledQuery<R>;
}

/** Where statements are compiled, and the clock that stands in for a database that has none. */
export interface StatementSource {
  readonly provider: QueryExecutorProvider;
  readonly now: () => number;
}

/** Stands for a value in a query under construction. */
class Placeholder {
  constructor(readonly name: string) {}
}

/** The names of the values that a statement is bound with, typed as the values themselves. */
export type Slots<P> = { readonly [K in keyof P]-?: P[K] };

/** Stands for the database's time where the engine has no clock of its own. */
const NOW_NAME = ' now';

/** The placeholder of the current time; bound from the process's clock. */
export function nowPlaceholder(): unknown {
  return new Placeholder(NOW_NAME);
}

/** A statement from a query that has its values; for paths where compiling it each time costs nothing that matters. */
export function statementOf<R>(query: Compilable<R>): Statement<R> {
  const { sql, parameters } = query.compile();
  return { name: '', sql, parameters: parameters.map(storable) };
}

/** A compiled statement whose values are missing. */
export class Prepared<P, R> {
  private constructor(
    readonly name: string,
    readonly sql: string,
    private readonly parameters: readonly unknown[],
    private readonly now: () => number,
  ) {}

  /**
   * Compiles a query once.
   *
   * @param build makes the query from slots, which stand in for values of the same type
   */
  static compile<P extends object, R>(
    name: string,
    build: (slots: Slots<P>) => Buildable<R>,
    { provider, now }: StatementSource,
  ): Prepared<P, R> {
    const slots = new Proxy({}, { get: (_, key) => new Placeholder(String(key)) }) as Slots<P>;
    const { sql, parameters } = build(slots).compile(provider);
    return new Prepared<P, R>(name, sql, parameters, now);
  }

  /** The statement with these values; `undefined` is stored as null. */
  bind(values: P): Statement<R> {
    return { name: this.name, sql: this.sql, parameters: this.valuesOf(values) };
  }

  /** The same, as a condition of its unit. */
  guard(values: P): Statement<R> {
    return { name: this.name, sql: this.sql, parameters: this.valuesOf(values), guard: true };
  }

  /** The rows that this statement answered with as number `index` of a unit. */
  rowsIn(outcome: UnitOutcome, index: number): readonly R[] {
    return (outcome.results[index]?.rows ?? []) as readonly R[];
  }

  /** On the hottest path of the service: no closure, no copy. */
  private valuesOf(values: P): readonly unknown[] {
    const given = values as { readonly [name: string]: unknown };
    const bound = new Array<unknown>(this.parameters.length);
    for (let index = 0; index < bound.length; index += 1) {
      const parameter = this.parameters[index];
      if (!(parameter instanceof Placeholder)) bound[index] = parameter;
      else bound[index] = parameter.name === NOW_NAME ? this.now() : storable(given[parameter.name]);
    }
    return bound;
  }
}

/** Text with half a surrogate pair has no UTF-8 form: an engine would store another text. */
function storable(value: unknown): unknown {
  if (typeof value === 'string' && !value.isWellFormed()) {
    throw new RangeError('Expected text that is well-formed Unicode, without lone surrogates.');
  }
  return value ?? null;
}
