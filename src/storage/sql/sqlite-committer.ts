/** Group commit on SQLite: a group of units is one message to the writer and one sync of the file. */
import { Grouping, type Answer } from './grouping.js';
import type { SqliteThread } from './sqlite-thread.js';
import type { UnitOutcome, WriteUnit } from './statement.js';

export class SqliteCommitter {
  private readonly groups: Grouping<WriteUnit, UnitOutcome>;

  constructor(writer: SqliteThread) {
    this.groups = new Grouping(
      // More in flight would not be quicker: there is one writer, and it would find smaller groups.
      { maxInFlight: 1, maxItems: 64, maxBytes: 1024 * 1024, bytesOf },
      (units): Promise<readonly Answer<UnitOutcome>[]> => writer.executeBatch(units),
    );
  }

  /** Commits a unit, in one transaction with others that wait. Units are executed in the order in which they came. */
  commit(unit: WriteUnit): Promise<UnitOutcome> {
    return this.groups.add(unit);
  }

  /** Resolves when nothing waits and nothing is under way. */
  drain(): Promise<void> {
    return this.groups.drain();
  }

  /** Resolves when the caller has the writer to itself, until it calls the function that it gets. */
  hold(): Promise<() => void> {
    return this.groups.hold();
  }
}

function bytesOf(unit: WriteUnit): number {
  let bytes = 0;
  for (const { parameters } of unit.statements) {
    for (const value of parameters) bytes += sizeOf(value);
  }
  return bytes;
}

function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  return value instanceof Uint8Array ? value.byteLength : 0;
}
