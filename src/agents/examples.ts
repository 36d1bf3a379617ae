/** What the examples of the API documents refer to; the agents exist on a fresh embedded start. */
import type { AgentBody } from './domain/agent.js';

export const EXAMPLE_AGENT = 'agt_00000000000070008000000000000001';
/** One to delete. */
export const EXAMPLE_OLD_AGENT = 'agt_00000000000070008000000000000002';

export const exampleSettings = {};

const body: AgentBody = {
  kind: 'scripted',
  name: 'Greeter',
  description: 'Answers what it is told to.',
  capabilities: [{ name: 'greet', description: 'Says hello.', inputSchema: { type: 'object' } }],
  settings: {},
  limits: { maxConcurrency: 8 },
  tags: ['example'],
};

/** The agents, each with its versions in order. */
export const exampleAgents: readonly {
  readonly id: string;
  readonly key: string;
  readonly versions: readonly AgentBody[];
}[] = [
  {
    id: EXAMPLE_AGENT,
    key: 'greeter',
    versions: [body, { ...body, description: 'Answers what it is told to, in good time.' }],
  },
  {
    id: EXAMPLE_OLD_AGENT,
    key: 'old-parrot',
    versions: [{ ...body, kind: 'echo', name: 'Parrot', description: 'Nobody needs it any more.' }],
  },
];
