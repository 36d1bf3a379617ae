import type { WorkflowDefinition } from '../../workflows/domain/definition.schema.js';
import type { SqlDatabase } from './sql-database.js';
import { SqlVersionedStore } from './sql-versioned.store.js';

/** `WorkflowStore` on SQL. */
export class SqlWorkflowStore extends SqlVersionedStore<WorkflowDefinition> {
  constructor(database: SqlDatabase) {
    super(database, 'workflow');
  }
}
