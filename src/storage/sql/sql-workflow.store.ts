import type { WorkflowBody } from '../../workflows/domain/workflow.js';
import type { SqlDatabase } from './sql-database.js';
import { SqlVersionedStore } from './sql-versioned.store.js';

/** `WorkflowStore` on SQL. */
export class SqlWorkflowStore extends SqlVersionedStore<WorkflowBody> {
  constructor(database: SqlDatabase) {
    super(database, 'workflow');
  }
}
