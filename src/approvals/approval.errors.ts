import { defineErrors } from '../kernel/failure.js';

/** Why an approval is not shown, or an answer to it not taken. */
export const approvalErrors = defineErrors({
  'approval.not-found': { kind: 'not-found', title: 'No such approval' },
  'approval.decided': { kind: 'conflict', title: 'The approval has been decided otherwise' },
  'approval.closed': { kind: 'conflict', title: 'Nobody waits for the approval any more' },
  'approval.not-assignee': { kind: 'forbidden', title: 'The approval is for others to answer' },
  'approval.not-by-agent': { kind: 'forbidden', title: 'An agent may not answer approvals' },
  'approval.data-invalid': { kind: 'unprocessable', title: 'The data does not fit the form of the approval' },
  'approval.link-invalid': { kind: 'forbidden', title: 'The link is not one of this service' },
  'approval.link-expired': { kind: 'forbidden', title: 'The link has expired' },
});
