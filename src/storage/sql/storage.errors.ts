import { defineErrors } from '../../kernel/failure.js';

export const storageErrors = defineErrors({
  'store.unavailable': {
    kind: 'unavailable',
    title: 'The record can not be reached or written at the moment',
    retryable: true,
  },
  'store.full': { kind: 'unavailable', title: 'The disk of the record is full', retryable: true },
  'store.text-refused': { kind: 'invalid', title: 'A text holds a character that the record can not keep' },
  'store.locked': { kind: 'conflict', title: 'Another process uses this storage directory' },
});
