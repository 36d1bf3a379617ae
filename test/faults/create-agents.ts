import type { Answer, Api } from '../support/api.js';
import { PROGRAM_AGENT } from './shapes.js';
import type { Target } from './target.js';

const OK = 200;
const CREATED = 201;
const IS_THERE = 409;

/** Creates the agents that a load calls, and the secret that one of them sends, where they are not there yet. */
export async function createAgents(api: Api, target: Target): Promise<void> {
  require(await api.put('/secrets/mark', { value: 'known-to-few' }), [OK, CREATED]);
  for (const agent of [...target.agents(), PROGRAM_AGENT])
    require(await api.post('/agents', agent), [CREATED, IS_THERE]);
}

function require({ status, body }: Answer<unknown>, expected: readonly number[]): void {
  if (!expected.includes(status)) throw new Error(`answered with ${status}: ${JSON.stringify(body)}`);
}
