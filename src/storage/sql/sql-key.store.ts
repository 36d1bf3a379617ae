import { KeyStore, type ApiKey, type Role } from '../../platform/ports/key.store.js';
import { present } from './run-rows.js';
import type { SqlDatabase } from './sql-database.js';
import type { Slots } from './statement.js';
import type { ApiKeysTable } from './tables.js';

export class SqlKeyStore extends KeyStore {
  constructor(private readonly database: SqlDatabase) {
    super();
  }

  private readonly insert = this.database.prepare('key.add', (p: Slots<ApiKeysTable>) =>
    this.database.kysely
      .insertInto('api_keys')
      .values({
        id: p.id,
        namespace: p.namespace,
        name: p.name,
        role: p.role,
        hash: p.hash,
        agents: p.agents,
        created_at: p.created_at,
        expires_at: p.expires_at,
        revoked_at: p.revoked_at,
      })
      .onConflict((conflict) => conflict.column('hash').doNothing()),
  );

  private readonly findRow = this.database.prepare('key.find', (p: Slots<{ readonly hash: string }>) =>
    this.database.kysely.selectFrom('api_keys').selectAll().where('hash', '=', p.hash),
  );

  private readonly listRows = this.database.prepare('key.list', (p: Slots<{ readonly namespace: string }>) =>
    this.database.kysely
      .selectFrom('api_keys')
      .selectAll()
      .where('namespace', '=', p.namespace)
      .orderBy('created_at', 'desc')
      .orderBy('id', 'desc'),
  );

  private readonly setRevoked = this.database.prepare(
    'key.revoke',
    (p: Slots<{ readonly namespace: string; readonly id: string; readonly at: number }>) =>
      this.database.kysely
        .updateTable('api_keys')
        .set({ revoked_at: p.at })
        .where('id', '=', p.id)
        .where('namespace', '=', p.namespace)
        .where('revoked_at', 'is', null),
  );

  private readonly findAny = this.database.prepare('key.any', () =>
    this.database.kysely.selectFrom('api_keys').select('id').limit(1),
  );

  override async add(key: ApiKey): Promise<boolean> {
    const { id, namespace, name, role, hash } = key;
    const values = {
      ...{ id, namespace, name, role, hash, created_at: key.createdAt },
      agents: key.agents === undefined ? null : JSON.stringify(key.agents),
      expires_at: key.expiresAt ?? null,
      revoked_at: key.revokedAt ?? null,
    };
    const outcome = await this.database.write({ statements: [this.insert.bind(values)] });
    return (outcome.results[0]?.changes ?? 0) > 0;
  }

  override async findByHash(hash: string): Promise<ApiKey | undefined> {
    const [row] = await this.database.read(this.findRow.bind({ hash }));
    return row && keyOf(row);
  }

  override async list(namespace: string): Promise<readonly ApiKey[]> {
    const rows = await this.database.read(this.listRows.bind({ namespace }));
    return rows.map(keyOf);
  }

  override async revoke(namespace: string, id: string, at: number): Promise<boolean> {
    const outcome = await this.database.write({ statements: [this.setRevoked.bind({ namespace, id, at })] });
    return (outcome.results[0]?.changes ?? 0) > 0;
  }

  override async hasAny(): Promise<boolean> {
    const rows = await this.database.read(this.findAny.bind({}));
    return rows.length > 0;
  }
}

function keyOf(row: ApiKeysTable): ApiKey {
  return {
    id: row.id,
    namespace: row.namespace,
    name: row.name,
    role: row.role as Role,
    hash: row.hash,
    ...present('agents', row.agents === null ? null : (JSON.parse(row.agents) as readonly string[])),
    createdAt: row.created_at,
    ...present('expiresAt', row.expires_at),
    ...present('revokedAt', row.revoked_at),
  };
}
