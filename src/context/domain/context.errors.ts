import { defineErrors } from '../../kernel/failure.js';

/** Failures of contexts and their snapshots. */
export const contextErrors = defineErrors({
  'context.path-not-found': { kind: 'not-found', title: 'The context has nothing there' },
  'context.stale': { kind: 'precondition-failed', title: 'The context has changed since it was read' },
  'context.too-large': { kind: 'too-large', title: 'The context would be too large' },
  'snapshot.not-found': { kind: 'not-found', title: 'The run has no such snapshot' },
  'snapshot.exists': { kind: 'conflict', title: 'The run has a snapshot of that name' },
  'snapshot.too-many': { kind: 'limited', title: 'The run has too many snapshots' },
});
