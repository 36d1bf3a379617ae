import { ApprovalStore, type Approval, type ApprovalFilter } from '../../approvals/approval.store.js';
import { decodeCursor, pageOf, type Page, type PageRequest } from '../../kernel/page.js';
import type { MemoryRecord } from './memory-record.js';

export class MemoryApprovalStore extends ApprovalStore {
  constructor(private readonly record: MemoryRecord) {
    super();
  }

  override find(namespace: string, id: string): Promise<Approval | undefined> {
    const found = this.record.approvals.get(id);
    return Promise.resolve(found?.namespace === namespace ? found : undefined);
  }

  override list(
    namespace: string,
    filter: ApprovalFilter,
    { limit, cursor }: PageRequest,
  ): Promise<Page<Approval>> {
    const below = cursor === undefined ? undefined : placeOf(cursor);
    const found = [...this.record.approvals.values()]
      .filter((one) => one.namespace === namespace && matches(one, filter))
      .filter((one) => below === undefined || keyOf(one) < below)
      .sort((a, b) => (keyOf(a) < keyOf(b) ? 1 : -1));
    return Promise.resolve(pageOf(found.slice(0, limit + 1), limit, keyOf));
  }
}

function matches({ status, runId, asked }: Approval, filter: ApprovalFilter): boolean {
  return (
    (filter.status === undefined || status === filter.status) &&
    (filter.runId === undefined || runId === filter.runId) &&
    (filter.assignee === undefined || (asked.assignees ?? []).includes(filter.assignee))
  );
}

/** Every key is greater than the empty text, so a cursor that is not one of ours leaves nothing. */
function placeOf(cursor: string): string {
  const place = decodeCursor(cursor) ?? '';
  return /^\d{15} apr_/.test(place) ? place : '';
}

/** Sorts as the time does, then the id. */
function keyOf({ requestedAt, id }: Approval): string {
  return `${String(requestedAt).padStart(15, '0')} ${id}`;
}
