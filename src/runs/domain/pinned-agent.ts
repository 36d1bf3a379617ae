import type { AgentPin } from '../../agents/domain/agent.js';
import type { CompiledStep } from '../../workflows/domain/graph.js';
import type { RunManifest } from './run.events.js';

/** The version that the run pinned when it started. A log of the first release names every agent by its key alone. */
export function pinOf({ agents }: RunManifest, work: CompiledStep['work']): AgentPin {
  if (work.kind !== 'agent') return { reference: '', version: 1 };
  const { agentKey, agentReference } = work;
  const pinned = agents[agentReference] ?? agents[agentKey];
  return { reference: pinned?.id ?? agentKey, version: pinned?.version ?? 1 };
}
