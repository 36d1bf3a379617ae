/** What the examples of the API documents refer to; the workflows exist on a fresh embedded start. */
export const EXAMPLE_WORKFLOW = 'wf_00000000000070008000000000000001';
/** One to delete. */
export const EXAMPLE_OLD_WORKFLOW = 'wf_00000000000070008000000000000002';

/** Two steps, the second reads the first: the smallest definition worth running. */
export const exampleWorkflow = {
  name: 'welcome',
  description: 'Greets somebody, then says it again louder.',
  inputSchema: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
  steps: [
    { id: 'greet', agent: 'scripted', input: { output: { text: 'Hello {{ input.name }}' } } },
    { id: 'shout', agent: 'echo', input: { text: '{{ steps.greet.output.text | upcase }}' } },
  ],
  output: { text: '{{ steps.shout.output.text }}' },
};

/** Another one, for examples that make workflows of their own. */
export const exampleNewWorkflow = { ...exampleWorkflow, name: 'welcome-again' };

/** And one more, for the import. */
export const exampleImport = { ...exampleWorkflow, name: 'welcome-from-a-file' };

/** The workflows, each with its versions in order. */
export const exampleWorkflows = [
  {
    id: EXAMPLE_WORKFLOW,
    versions: [
      exampleWorkflow,
      {
        ...exampleWorkflow,
        description: 'Greets somebody, then says it again louder. Retries once.',
        retry: { maxAttempts: 2 },
      },
    ],
  },
  { id: EXAMPLE_OLD_WORKFLOW, versions: [{ ...exampleWorkflow, name: 'welcome-of-old' }] },
];
