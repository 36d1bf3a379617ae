/** Workflows and their versions. A body is the definition as it was sent. Facets: `tag`. */
import { VersionedStore } from '../platform/ports/versioned.store.js';
import type { WorkflowDefinition } from './domain/definition.schema.js';

export abstract class WorkflowStore extends VersionedStore<WorkflowDefinition> {}
