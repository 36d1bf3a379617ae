import { SecretStore, type SealedSecret } from '../../access/secret.store.js';
import { decodeCursor, pageOf, type Page, type PageRequest } from '../../kernel/page.js';
import type { SqlDatabase } from './sql-database.js';
import type { Slots } from './statement.js';
import type { SecretsTable } from './tables.js';

type SecretKey = Pick<SecretsTable, 'namespace' | 'name'>;

export class SqlSecretStore extends SecretStore {
  constructor(private readonly database: SqlDatabase) {
    super();
  }

  private readonly upsert = this.database.prepare('secret.put', (p: Slots<SecretsTable>) =>
    this.database.kysely
      .insertInto('secrets')
      .values({
        namespace: p.namespace,
        name: p.name,
        sealed: p.sealed,
        created_at: p.created_at,
        updated_at: p.updated_at,
      })
      .onConflict((conflict) =>
        conflict.columns(['namespace', 'name']).doUpdateSet((row) => ({
          sealed: row.ref('excluded.sealed'),
          updated_at: row.ref('excluded.updated_at'),
        })),
      ),
  );

  private readonly findRow = this.database.prepare('secret.find', (p: Slots<SecretKey>) =>
    this.database.kysely
      .selectFrom('secrets')
      .selectAll()
      .where('namespace', '=', p.namespace)
      .where('name', '=', p.name),
  );

  private readonly listRows = this.database.prepare(
    'secret.list',
    (p: Slots<{ readonly namespace: string; readonly after: string; readonly limit: number }>) =>
      this.database.kysely
        .selectFrom('secrets')
        .selectAll()
        .where('namespace', '=', p.namespace)
        .where('name', '>', p.after)
        .orderBy('name')
        .limit(p.limit),
  );

  private readonly remove = this.database.prepare('secret.delete', (p: Slots<SecretKey>) =>
    this.database.kysely
      .deleteFrom('secrets')
      .where('namespace', '=', p.namespace)
      .where('name', '=', p.name),
  );

  override async put({ namespace, name, sealed, createdAt, updatedAt }: SealedSecret): Promise<void> {
    const row = { namespace, name, sealed, created_at: createdAt, updated_at: updatedAt };
    await this.database.write({ statements: [this.upsert.bind(row)] });
  }

  override async find(namespace: string, name: string): Promise<SealedSecret | undefined> {
    const [row] = await this.database.read(this.findRow.bind({ namespace, name }));
    return row && secretOf(row);
  }

  override async list(namespace: string, { limit, cursor }: PageRequest): Promise<Page<SealedSecret>> {
    const after = (cursor === undefined ? undefined : decodeCursor(cursor)) ?? '';
    const rows = await this.database.read(this.listRows.bind({ namespace, after, limit: limit + 1 }));
    return pageOf(rows.map(secretOf), limit, ({ name }) => name);
  }

  override async delete(namespace: string, name: string): Promise<boolean> {
    const outcome = await this.database.write({ statements: [this.remove.bind({ namespace, name })] });
    return (outcome.results[0]?.changes ?? 0) > 0;
  }
}

function secretOf({ created_at, updated_at, ...row }: SecretsTable): SealedSecret {
  return { ...row, createdAt: created_at, updatedAt: updated_at };
}
