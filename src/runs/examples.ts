/** What the examples of the API documents refer to; the runs exist on a fresh embedded start. */

export const EXAMPLE_COMPLETED_RUN = 'run_00000000000070008000000000000001';
export const EXAMPLE_PAUSED_RUN = 'run_00000000000070008000000000000002';

export const EXAMPLE_LARGE_RUN = 'run_00000000000070008000000000000003';

/** What the large run gives. */
export const EXAMPLE_BLOB = '571d50c5d128a84a7a3c846dd15ec11591097be01f3b83deccf7333800c6c8b9';

/** A run that may be deleted. */
export const EXAMPLE_OLD_RUN = 'run_00000000000070008000000000000006';

export const EXAMPLE_FAILED_RUN = 'run_00000000000070008000000000000004';

/** Paused, with a snapshot of its context. */
export const EXAMPLE_HELD_RUN = 'run_00000000000070008000000000000005';
export const EXAMPLE_SNAPSHOT = 'start';

/** A file that the first step of the completed run made. */
export const EXAMPLE_ARTIFACT = 'greet.greeting.txt';

/** Two steps, the second reads the first: the smallest definition worth running. */
export const exampleDefinition = {
  name: 'greet',
  inputSchema: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
  steps: [
    {
      id: 'greet',
      agent: 'scripted',
      input: {
        output: { text: 'Hello {{ input.name }}' },
        delayMs: 50,
        artifacts: [{ name: 'greeting.txt', mediaType: 'text/plain', text: 'Hello {{ input.name }}' }],
      },
    },
    { id: 'shout', agent: 'echo', input: { text: '{{ steps.greet.output.text | upcase }}' } },
  ],
  output: { text: '{{ steps.shout.output.text }}' },
};

/** A step whose output is too large to stand in an event. */
export const largeDefinition = {
  name: 'refrain',
  steps: [{ id: 'sing', agent: 'echo', input: '{%- for verse in (1..6000) -%}la {% endfor -%}' }],
  output: '{{ steps.sing.output }}',
};

/** A start of it. */
export const exampleStart = {
  definition: exampleDefinition,
  input: { name: 'Ada' },
  context: { locale: 'en' },
  tags: ['tour'],
};

/** A simulation of two steps: the first fails once, and its process dies after everything that it records. */
export const exampleSimulation = {
  definition: exampleDefinition,
  input: { name: 'Ada' },
  mocks: {
    greet: [
      { failure: { code: 'agent.overloaded', message: 'no room', retryable: true } },
      { output: { text: 'Hello Ada' }, delayMs: 2_000 },
    ],
  },
};
