import { Injectable } from '@nestjs/common';

import { AppError } from '../kernel/failure.js';
import { canonicalJson, type Json } from '../kernel/json.js';
import type { Page, PageRequest } from '../kernel/page.js';
import type { Principal } from '../platform/auth/principal.js';
import { JsonSchemaService } from '../platform/json-schema/json-schema.service.js';
import { KeyStore } from '../platform/ports/key.store.js';
import type { Decision } from '../runs/domain/approval.js';
import { RunControlService } from '../runs/run-control.service.js';
import { approvalErrors } from './approval.errors.js';
import { ApprovalStore, type Approval, type ApprovalFilter } from './approval.store.js';

/** What somebody decides. */
export interface Answer {
  readonly decision: Decision;
  /** What was filled in; absent: nothing. */
  readonly data?: Json;
}

/** Who answers: the names under which an approval may have been assigned, and the one that is recorded. */
export interface Answerer {
  readonly names: readonly string[];
  readonly by?: string;
  /** Whether assignees are no bar: everyone on this machine, while nobody has a key. */
  readonly isTrusted?: true;
}

export interface Answered {
  readonly approval: Approval;
  /** False when the answer is in the inbox of the run and not recorded yet. */
  readonly isRecorded: boolean;
}

/** Finding approvals and answering them. */
@Injectable()
export class ApprovalService {
  constructor(
    private readonly store: ApprovalStore,
    private readonly control: RunControlService,
    private readonly schemas: JsonSchemaService,
    private readonly keys: KeyStore,
  ) {}

  list(namespace: string, filter: ApprovalFilter, page: PageRequest): Promise<Page<Approval>> {
    return this.store.list(namespace, filter, page);
  }

  /** @throws AppError `approval.not-found` */
  async require(namespace: string, id: string): Promise<Approval> {
    const approval = await this.store.find(namespace, id);
    if (approval !== undefined) return approval;
    throw AppError.of(approvalErrors['approval.not-found'], `there is no approval "${id.slice(0, 100)}"`);
  }

  /** The holder of an API key as an answerer: assignees name a key by its id or its name. */
  async answererOf({ namespace, keyId }: Principal): Promise<Answerer> {
    if (keyId === undefined) return { names: [], isTrusted: true };
    const key = (await this.keys.list(namespace)).find(({ id }) => id === keyId);
    return { names: [keyId, ...(key === undefined ? [] : [key.name])], by: keyId };
  }

  /**
   * Answers an approval and waits until it is resolved, at most 2 s. The first answer counts: the same one again is
   * answered like the first.
   *
   * @throws AppError `approval.not-found`, `approval.not-assignee`, `approval.data-invalid`, `approval.decided`,
   *   `approval.closed`
   */
  async answer(namespace: string, id: string, given: Answer, who: Answerer): Promise<Answered> {
    const approval = await this.require(namespace, id);
    requireAssignee(approval, who);
    const { decision } = given;
    const data = given.data ?? null;
    if (approval.status !== 'open')
      return { approval: sameOrThrow(approval, decision, data), isRecorded: true };
    this.requireForm(approval, decision, data);
    const { runId, path } = approval;
    const by = who.by === undefined ? {} : { by: who.by };
    await this.control.answer(namespace, runId, {
      type: 'answer',
      path,
      approval: id,
      decision,
      data,
      ...by,
    });
    const after = await this.require(namespace, id);
    if (after.status === 'open') return { approval: after, isRecorded: false };
    return { approval: sameOrThrow(after, decision, data), isRecorded: true };
  }

  /** Whoever approves fills the form in; whoever rejects may leave it empty. */
  private requireForm({ asked: { form } }: Approval, decision: Decision, data: Json): void {
    if (form === undefined || (decision === 'reject' && data === null)) return;
    const issues = this.schemas
      .validate(form, data)
      .map((issue) => ({ ...issue, pointer: `/data${issue.pointer}` }));
    if (issues.length === 0) return;
    const message = 'the data does not fit the form of the approval';
    throw AppError.of(approvalErrors['approval.data-invalid'], message, { issues });
  }
}

function requireAssignee({ id, asked: { assignees } }: Approval, { names, isTrusted }: Answerer): void {
  if (isTrusted || assignees === undefined || assignees.some((name) => names.includes(name))) return;
  throw AppError.of(approvalErrors['approval.not-assignee'], `approval ${id} is assigned to others`);
}

/** The approval when it was answered like this, otherwise why this answer comes too late. */
function sameOrThrow(approval: Approval, decision: Decision, data: Json): Approval {
  const { id, status } = approval;
  if (approval.decision === undefined) {
    const message = `approval ${id} is ${status.replace('_', ' ')}: nobody waits for an answer`;
    throw AppError.of(approvalErrors['approval.closed'], message, { details: { status } });
  }
  const isSame =
    approval.decision === decision && canonicalJson(approval.data ?? null) === canonicalJson(data);
  if (isSame) return approval;
  const message = `approval ${id} is ${status} already, with another answer`;
  throw AppError.of(approvalErrors['approval.decided'], message, { details: { status } });
}
