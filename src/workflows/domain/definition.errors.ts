import { defineErrors } from '../../kernel/failure.js';

/** Codes of a definition: of the refusal as a whole, and of each problem in it. */
export const definitionErrors = defineErrors({
  'definition.invalid': { kind: 'unprocessable', title: 'The workflow definition has problems' },
  'definition.too-many-steps': {
    kind: 'unprocessable',
    title: 'The definition has more steps than are allowed',
  },
  'definition.too-many-edges': {
    kind: 'unprocessable',
    title: 'The steps have more dependencies than are allowed',
  },
  'definition.too-many-workflows': {
    kind: 'unprocessable',
    title: 'The steps run more workflows than are allowed',
  },
  'input.invalid': {
    kind: 'unprocessable',
    title: 'The input does not satisfy the input schema of the workflow',
  },
  'step.duplicate-id': { kind: 'unprocessable', title: 'Two steps have the same id' },
  'step.unknown-dependency': { kind: 'unprocessable', title: 'A step depends on a step that does not exist' },
  'reference.unknown-step': {
    kind: 'unprocessable',
    title: 'An expression reads a step that does not exist',
  },
  'context.write-conflict': {
    kind: 'unprocessable',
    title: 'Steps write the same place of the context, neither before the other',
  },
  'step.finally-depended-on': {
    kind: 'unprocessable',
    title: 'Something waits for a step that runs after everything else',
  },
  'graph.cycle': { kind: 'unprocessable', title: 'Steps wait for each other' },
});
