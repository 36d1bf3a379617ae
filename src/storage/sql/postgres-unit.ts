import type pg from 'pg';

import type { Statement, StatementResult, UnitOutcome, WriteUnit } from './statement.js';

/**
 * One unit as one transaction on one connection.
 *
 * Statements are sent ahead of the answers to those before them: up to the last guard together with `begin`, the rest
 * together with `commit`. So most units cost two round trips however many statements they have. After a statement
 * that failed the server refuses the others and turns `commit` into a rollback.
 */
export class PostgresUnit {
  constructor(
    private readonly client: pg.PoolClient,
    private readonly unit: WriteUnit,
  ) {}

  execute(): Promise<UnitOutcome> {
    const [only, second] = this.unit.statements;
    return only !== undefined && second === undefined ? this.executeOne(only) : this.executeAll();
  }

  /** A statement is a transaction by itself; a guard that failed has written nothing. */
  private async executeOne(statement: Statement): Promise<UnitOutcome> {
    const results = await this.send([statement]);
    if (areHeld([statement], results)) return { held: true, results };
    return { held: false, results: await this.send(this.unit.otherwise ?? []) };
  }

  private async executeAll(): Promise<UnitOutcome> {
    const { statements } = this.unit;
    const guarded = statements.slice(0, statements.findLastIndex(({ guard }) => guard === true) + 1);
    const rest = statements.slice(guarded.length);
    if (guarded.length === 0)
      return { held: true, results: inner(await this.send([BEGIN, ...rest, COMMIT])) };
    const first = (await this.send([BEGIN, ...guarded])).slice(1);
    if (!areHeld(guarded, first)) {
      const answers = await this.send([ROLLBACK, ...(this.unit.otherwise ?? [])]);
      return { held: false, results: answers.slice(1) };
    }
    const second = (await this.send([...rest, COMMIT])).slice(0, -1);
    return { held: true, results: [...first, ...second] };
  }

  /** Sends all at once and answers in order; rejects with the first error, when all are answered. */
  private async send(statements: readonly Statement[]): Promise<readonly StatementResult[]> {
    const answers = await Promise.allSettled(statements.map((statement) => this.query(statement)));
    return answers.map((answer) => {
      if (answer.status === 'rejected') throw answer.reason;
      return { rows: answer.value.rows as readonly unknown[], changes: answer.value.rowCount ?? 0 };
    });
  }

  private query({ name, sql, parameters }: Statement): Promise<pg.QueryResult> {
    return this.client.query({ name, text: sql, values: [...parameters] });
  }
}

const BEGIN: Statement = { name: 'begin', sql: 'begin', parameters: [] };
const COMMIT: Statement = { name: 'commit', sql: 'commit', parameters: [] };
const ROLLBACK: Statement = { name: 'rollback', sql: 'rollback', parameters: [] };

function areHeld(statements: readonly Statement[], results: readonly StatementResult[]): boolean {
  return statements.every(({ guard }, index) => guard !== true || (results[index]?.changes ?? 0) > 0);
}

function inner(results: readonly StatementResult[]): readonly StatementResult[] {
  return results.slice(1, -1);
}
