import { defineErrors } from '../kernel/failure.js';

/** Codes of templates and expressions: what is wrong with the text, and how an evaluation ends without a value. */
export const expressionErrors = defineErrors({
  'expression.invalid': { kind: 'unprocessable', title: 'A template or expression cannot be understood' },
  'expression.failed': { kind: 'unprocessable', title: 'A template or expression could not be evaluated' },
  'template.variable-missing': { kind: 'unprocessable', title: 'A required variable has no value' },
  'reference.unknown-root': { kind: 'unprocessable', title: 'The name is not available at this place' },
  'reference.unknown-field': { kind: 'unprocessable', title: 'A step has no such field' },
  'reference.not-static': { kind: 'unprocessable', title: 'Which step is meant is not known before the run' },
});
