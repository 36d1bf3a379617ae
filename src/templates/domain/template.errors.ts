import { defineErrors } from '../../kernel/failure.js';

/** Codes of prompt templates. A missing variable is `template.variable-missing` of the expressions. */
export const templateErrors = defineErrors({
  'template.not-found': { kind: 'not-found', title: 'There is no such template' },
  'template.version-not-found': { kind: 'not-found', title: 'The template has no such version' },
  'template.label-not-found': { kind: 'not-found', title: 'No version of the template carries that label' },
  'template.name-taken': { kind: 'conflict', title: 'Another template has that name' },
  'template.in-use': { kind: 'conflict', title: 'Something refers to the template' },
  'template.contended': {
    kind: 'conflict',
    title: 'Others changed the template again and again at the same time',
    retryable: true,
  },
  'template.invalid': { kind: 'unprocessable', title: 'The template has problems' },
  'template.too-large': { kind: 'too-large', title: 'The template is larger than the service takes' },
  'template.label-reserved': { kind: 'unprocessable', title: 'The label belongs to the system' },
  'template.variable-invalid': {
    kind: 'unprocessable',
    title: 'A variable has a value that its declaration does not allow',
  },
});
