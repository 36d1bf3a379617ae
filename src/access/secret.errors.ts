import { defineErrors } from '../kernel/failure.js';

export const secretErrors = defineErrors({
  'secret.not-found': { kind: 'not-found', title: 'There is no secret of that name' },
  'secret.unreadable': { kind: 'unprocessable', title: 'The secret was encrypted with another key' },
  'secret.not-configured': { kind: 'unprocessable', title: 'There is no key to encrypt secrets with' },
});
