import { AppError } from '../kernel/failure.js';
import { isThroughEgress } from '../platform/egress/via.js';
import { approvalErrors } from './approval.errors.js';

/** Refuses a request that an agent makes. @throws AppError `approval.not-by-agent` */
export function requirePerson({
  headers,
}: {
  readonly headers: Parameters<typeof isThroughEgress>[0];
}): void {
  if (!isThroughEgress(headers)) return;
  const message =
    'the request came out of this service: an agent may neither answer approvals nor make links to them';
  throw AppError.of(approvalErrors['approval.not-by-agent'], message);
}
