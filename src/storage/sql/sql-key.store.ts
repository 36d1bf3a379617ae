import { sql } from 'kysely';

import { KeyStore, type ApiKey, type Role } from '../../platform/ports/key.store.js';
import { present } from './run-rows.js';
import type { SqlDatabase } from './sql-database.js';
import type { Slots } from './statement.js';
import type { ApiKeysTable } from './tables.js';

/** Of `pg_advisory_xact_lock`: any number that nothing else in the database uses. */
const FIRST_KEY_LOCK = 0x656e_736b;

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

  /** Whoever adds a first key waits here for those who do as well, and then sees theirs. */
  private readonly lock = this.prepareLock();

  private readonly insertFirst = this.database.prepare('key.add-first', (p: Slots<FirstKeyColumns>) =>
    this.database.kysely
      .insertInto('api_keys')
      .columns(['id', 'namespace', 'name', 'role', 'hash', 'created_at'])
      .expression(
        sql`select ${p.id}, ${p.namespace}, ${p.name}, ${p.role}, ${p.hash}, cast(${p.created_at} as bigint)
          where not exists (select 1 from api_keys)`,
      ),
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

  override async addFirst({ id, namespace, name, role, hash, createdAt }: ApiKey): Promise<boolean> {
    const first = this.insertFirst.bind({ id, namespace, name, role, hash, created_at: createdAt });
    const locked = this.lock === undefined ? [] : [this.lock.bind({})];
    const outcome = await this.database.write({ statements: [...locked, first] });
    return (outcome.results[locked.length]?.changes ?? 0) > 0;
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

  private prepareLock() {
    const { lockWhere } = this.database.dialect;
    if (lockWhere === undefined) return undefined;
    return this.database.prepare('key.lock', () => lockWhere(FIRST_KEY_LOCK, sql<boolean>`true`));
  }
}

/** A first key has no end and is nobody's in particular. */
type FirstKeyColumns = Pick<ApiKeysTable, 'id' | 'namespace' | 'name' | 'role' | 'hash' | 'created_at'>;

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
