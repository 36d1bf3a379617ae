/** What the examples of the API documents refer to; the runs exist on a fresh embedded start. */

export const EXAMPLE_COMPLETED_RUN = 'run_00000000000070008000000000000001';
export const EXAMPLE_PAUSED_RUN = 'run_00000000000070008000000000000002';

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

/** A start of it. */
export const exampleStart = {
  definition: exampleDefinition,
  input: { name: 'Ada' },
  context: { locale: 'en' },
  tags: ['tour'],
};
