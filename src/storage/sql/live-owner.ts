import { expressionBuilder, type Expression, type SqlBool } from 'kysely';

import type { SqlDialect } from './dialect.js';
import type { Tables } from './tables.js';

/** Whether an owner's lease holds, by the database's own time: nothing is taken through a lease that does not. */
export function hasLease(dialect: SqlDialect, ownerId: string): Expression<SqlBool> {
  const eb = expressionBuilder<Tables>();
  return eb.exists(
    eb
      .selectFrom('owners')
      .select('owners.id')
      .where('owners.id', '=', ownerId)
      .where('owners.retired_at', 'is', null)
      .where('owners.expires_at', '>', dialect.now()),
  );
}
