import { defineErrors } from '../kernel/failure.js';

/** Failures of sockets and of what is sent over them. */
export const socketErrors = defineErrors({
  'command.unknown': { kind: 'invalid', title: 'There is no such command' },
  'subscription.limit-exceeded': { kind: 'limited', title: 'The socket follows too many runs' },
  'subscription.interrupted': {
    kind: 'unavailable',
    title: 'The events of a run cannot be read at present',
    retryable: true,
  },
  'watch.ended': { kind: 'unavailable', title: 'Runs are not watched any more', retryable: true },
  'socket.too-slow': { kind: 'limited', title: 'The client does not take what it is sent', retryable: true },
});
