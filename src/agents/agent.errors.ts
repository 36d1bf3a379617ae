import { defineErrors } from '../kernel/failure.js';

/** Failures of agents. */
export const agentErrors = defineErrors({
  'agent.not-found': { kind: 'not-found', title: 'No agent has this key' },
  'agent.version-not-found': { kind: 'not-found', title: 'The agent has no such version' },
  'agent.label-not-found': { kind: 'not-found', title: 'No version of the agent carries that label' },
  'agent.label-reserved': { kind: 'unprocessable', title: 'The label belongs to the system' },
  'agent.key-taken': { kind: 'conflict', title: 'Another agent has that key' },
  'agent.in-use': { kind: 'conflict', title: 'Something refers to the agent' },
  'agent.built-in': { kind: 'conflict', title: 'The agent comes with the service and stays as it is' },
  'agent.contended': {
    kind: 'conflict',
    title: 'Others changed the agent again and again at the same time',
    retryable: true,
  },
  'agent.invalid': { kind: 'unprocessable', title: 'The agent has problems' },
  'agent.not-configured': { kind: 'unprocessable', title: 'The agent lacks a setting that it needs' },
  'agent.input-invalid': { kind: 'unprocessable', title: 'The input is not what the agent takes' },
  'agent.output-invalid': { kind: 'upstream', title: 'The output is not what the agent promised' },
  'agent.turns-exhausted': {
    kind: 'upstream',
    title: 'The model used up its turns without coming to an answer',
  },
  'agent.too-deep': { kind: 'unprocessable', title: 'Too many agents call one another' },
  'tool.approval-required': {
    kind: 'forbidden',
    title: 'The tool may only be called after somebody approved it',
  },
  'agent.timed-out': { kind: 'timeout', title: 'The agent did not answer in time', retryable: true },
  'agent.needs-run': {
    kind: 'unprocessable',
    title: 'The agent answers later, which only a step of a run can wait for',
  },
  // What a service that an agent calls may answer, or fail to answer.
  'agent.unauthorized': { kind: 'upstream', title: 'The called service does not accept the credentials' },
  'agent.rate-limited': {
    kind: 'limited',
    title: 'The called service limits the rate of calls',
    retryable: true,
  },
  'agent.unavailable': {
    kind: 'unavailable',
    title: 'The agent, or the service that it calls, can not answer at the moment',
    retryable: true,
  },
  'agent.unreachable': {
    kind: 'unavailable',
    title: 'The called service could not be reached',
    retryable: true,
  },
  'agent.request-refused': { kind: 'unprocessable', title: 'The called service refused the request' },
  'agent.request-too-large': {
    kind: 'too-large',
    title: 'The request is larger than the called service takes',
  },
  'agent.answer-broken': {
    kind: 'upstream',
    title: 'The answer of the called service broke off or can not be read',
    retryable: true,
  },
  'sandbox.limit-exceeded': {
    kind: 'unprocessable',
    title: 'The code took more time, memory or stack than it is given',
  },
  'agent.offline': { kind: 'unavailable', title: 'The agent was taken offline', retryable: true },
  'agent.busy': { kind: 'limited', title: 'The wait for a place at the agent was ended', retryable: true },
  'agent.abandoned': {
    kind: 'timeout',
    title: 'The provider of the agent did not stop when it was told to',
    retryable: true,
  },
  'agent.cancelled': { kind: 'conflict', title: 'The work was cancelled' },
  'agent.crashed': {
    kind: 'internal',
    title: 'The provider of the agent threw an exception',
    retryable: true,
  },
});
