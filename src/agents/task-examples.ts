/** What the examples of the API documents refer to; the tasks exist on a fresh embedded start, each leased for years. */

/** Tokens of example tasks. They open nothing else: real ones are random. */
export const EXAMPLE_TOKENS = {
  complete: 'example-token-of-a-task-to-complete-0000000',
  fail: 'example-token-of-a-task-to-fail-00000000000',
  heartbeat: 'example-token-of-a-task-to-keep-00000000000',
} as const;

export const exampleInput = { text: 'Guten Tag' };

export const exampleOutput = { text: 'Good day' };
