import type { AgentBody } from '../../agents/domain/agent.js';
import type { SqlDatabase } from './sql-database.js';
import { SqlVersionedStore } from './sql-versioned.store.js';

/** `AgentStore` on SQL. */
export class SqlAgentStore extends SqlVersionedStore<AgentBody> {
  constructor(database: SqlDatabase) {
    super(database, 'agent');
  }
}
