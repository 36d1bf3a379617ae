import { defineErrors } from '../../kernel/failure.js';

/** Codes of stored workflows, and of the warnings about a definition. */
export const workflowErrors = defineErrors({
  'workflow.not-found': { kind: 'not-found', title: 'There is no such workflow' },
  'workflow.version-not-found': { kind: 'not-found', title: 'The workflow has no such version' },
  'workflow.label-not-found': { kind: 'not-found', title: 'No version of the workflow carries that label' },
  'workflow.name-taken': { kind: 'conflict', title: 'Another workflow has that name' },
  'workflow.name-invalid': {
    kind: 'unprocessable',
    title: 'The name of the workflow is missing, malformed or another one',
  },
  'workflow.in-use': { kind: 'conflict', title: 'Something refers to the workflow' },
  'workflow.contended': {
    kind: 'conflict',
    title: 'Others changed the workflow again and again at the same time',
    retryable: true,
  },
  'workflow.label-reserved': { kind: 'unprocessable', title: 'The label belongs to the system' },
  'step.unreachable': { kind: 'unprocessable', title: 'A step can never run (a warning)' },
  'workflow.recursive': { kind: 'unprocessable', title: 'A workflow runs itself (a warning)' },
  'schema.property-missing': {
    kind: 'unprocessable',
    title: 'A property is read that the schema of its source does not have (a warning)',
  },
  'schema.type-mismatch': {
    kind: 'unprocessable',
    title: 'A value cannot have the type that the schema of its reader asks for (a warning)',
  },
  'template.variable-unknown': {
    kind: 'unprocessable',
    title: 'A step gives a variable that its template does not read (a warning)',
  },
});
