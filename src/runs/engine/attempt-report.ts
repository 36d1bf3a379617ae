import type { AgentOutcome } from '../../agents/agent.provider.js';
import type { ArtifactRef } from '../domain/run.events.js';

/** How an attempt ended, as the loop hears of it. */
export type AttemptReport =
  | (Omit<Extract<AgentOutcome, { readonly status: 'completed' }>, 'artifacts'> & {
      readonly artifacts?: readonly ArtifactRef[];
    })
  | Exclude<AgentOutcome, { readonly status: 'completed' }>
  | { readonly status: 'aborted' };
