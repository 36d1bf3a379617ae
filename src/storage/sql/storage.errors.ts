import { defineErrors } from '../../kernel/failure.js';

export const storageErrors = defineErrors({
  'store.unavailable': {
    kind: 'unavailable',
    title: 'The record can not be reached or written at the moment',
    retryable: true,
  },
  'store.locked': { kind: 'conflict', title: 'Another process uses this storage directory' },
});
