import { defineErrors } from '../../kernel/failure.js';

export const authErrors = defineErrors({
  'auth.required': { kind: 'unauthenticated', title: 'A valid API key is required' },
  'auth.forbidden': { kind: 'forbidden', title: 'The caller may not do this' },
});
