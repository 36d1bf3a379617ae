/** Agents and their versions. Facets: `kind`, `tag`, `capability`. The status `offline` was set by hand. */
import { VersionedStore } from '../platform/ports/versioned.store.js';
import type { AgentBody } from './domain/agent.js';

export abstract class AgentStore extends VersionedStore<AgentBody> {}
