/** What the examples of the API documents refer to; the run exists on a fresh embedded start. */
import { approvalIdOf } from '../runs/domain/approval.js';

export const EXAMPLE_APPROVAL_RUN = 'run_00000000000070008000000000000021';

/** The number of the event with which the example run asks: it is queued, started, then asks. */
const REQUEST_SEQ = 3;

export const EXAMPLE_APPROVAL = approvalIdOf(EXAMPLE_APPROVAL_RUN, REQUEST_SEQ);

/** The part of a path that holds the token of a link; its example is made by the running service. */
export const LINK_TOKEN = 'token';

/** An answer that fits the form of the example. */
export const exampleAnswer = { decision: 'approve', data: { note: 'well done' } } as const;

/** One step that asks, and one that goes on with what was decided. */
export const exampleApprovalDefinition = {
  name: 'publish',
  steps: [
    {
      id: 'approve',
      kind: 'approval',
      prompt: 'Publish "{{ input.title }}"?',
      form: { type: 'object', required: ['note'], properties: { note: { type: 'string' } } },
      onReject: 'continue',
    },
    { id: 'tell', agent: 'echo', input: '{{ steps.approve.output.decision }}' },
  ],
};
