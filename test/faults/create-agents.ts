import type { Api } from '../support/api.js';
import { PROGRAM_AGENT } from './shapes.js';
import type { Target } from './target.js';

const CREATED = 201;
const IS_THERE = 409;

/** Creates the agents that a load calls, and the secret that one of them sends, where they are not there yet. */
export async function createAgents(api: Api, target: Target): Promise<void> {
  await api.put('/secrets/mark', { value: 'known-to-few' });
  for (const agent of [...target.agents(), PROGRAM_AGENT]) {
    const { status, body } = await api.post('/agents', agent);
    if (status === CREATED || status === IS_THERE) continue;
    throw new Error(`the agent was answered with ${status}: ${JSON.stringify(body)}`);
  }
}
