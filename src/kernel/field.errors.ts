/**
 * Codes of single issues in the list of a refused request or document, the same wherever fields are checked.
 */
import { defineErrors } from './failure.js';

/** What can be wrong with one field. */
export const fieldErrors = defineErrors({
  'field.invalid': { kind: 'invalid', title: 'The field has a value that is not allowed' },
  'field.required': { kind: 'invalid', title: 'The field is missing' },
  'field.unknown': { kind: 'invalid', title: 'There is no such field' },
});
