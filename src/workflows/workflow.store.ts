/** Workflows and their versions. Facets: `tag`. */
import { VersionedStore } from '../platform/ports/versioned.store.js';
import type { WorkflowBody } from './domain/workflow.js';

export abstract class WorkflowStore extends VersionedStore<WorkflowBody> {}
