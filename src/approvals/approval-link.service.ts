import { timingSafeEqual } from 'node:crypto';

import { Injectable } from '@nestjs/common';

import { AppError } from '../kernel/failure.js';
import { Clock } from '../platform/clock/clock.js';
import { TokenSigner } from '../platform/ports/token-signer.js';
import { approvalErrors } from './approval.errors.js';
import { ApprovalService, type Answer, type Answered } from './approval.service.js';
import type { Approval } from './approval.store.js';
import { decodeClaim, encodeClaim, LINK_PURPOSE, splitToken, type LinkClaim } from './link-token.js';

/** How long a link holds unless its maker says otherwise: 7 days. */
export const DEFAULT_LINK_MS = 7 * 24 * 3_600_000;

/** Who a link is made for, and for how long. */
export interface LinkRequest {
  readonly for?: string;
  readonly expiresInMs?: number;
}

export interface ApprovalLink {
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** Links by which people without a key see and answer one approval. */
@Injectable()
export class ApprovalLinkService {
  constructor(
    private readonly approvals: ApprovalService,
    private readonly signer: TokenSigner,
    private readonly clock: Clock,
  ) {}

  /**
   * A link to an approval. Whoever has it may answer that approval and nothing else, until it expires or the approval
   * does.
   *
   * @throws AppError `approval.not-found`; `approval.not-assignee` when the approval is assigned and the link would be
   *   for nobody of those; `secret.not-configured`
   */
  async make(
    namespace: string,
    id: string,
    { for: whom, expiresInMs = DEFAULT_LINK_MS }: LinkRequest,
  ): Promise<ApprovalLink> {
    const approval = await this.approvals.require(namespace, id);
    const { assignees } = approval.asked;
    if (assignees !== undefined && (whom === undefined || !assignees.includes(whom))) {
      const message = `approval ${id} is assigned: a link to it is for one of its assignees`;
      throw AppError.of(approvalErrors['approval.not-assignee'], message, { details: { assignees } });
    }
    const latest = approval.expiresAt ?? Infinity;
    const expiresAt = Math.min(this.clock.now() + expiresInMs, latest);
    const claim = { namespace, approval: id, expiresAt, ...(whom !== undefined && { for: whom }) };
    return { token: await this.tokenOf(claim), expiresAt };
  }

  /** The token of a claim, whether or not there is such an approval. */
  async tokenOf(claim: LinkClaim): Promise<string> {
    const signed = encodeClaim(claim);
    return `${signed}.${await this.signer.sign(LINK_PURPOSE, signed)}`;
  }

  /** The approval that a link is for. @throws AppError `approval.link-invalid`, `approval.link-expired` */
  async show(token: string): Promise<Approval> {
    const { namespace, approval } = await this.read(token);
    return this.approvals.require(namespace, approval);
  }

  /** Answers the approval that a link is for. @throws AppError as `show` and `ApprovalService.answer` */
  async answer(token: string, given: Answer): Promise<Answered> {
    const { namespace, approval, for: whom } = await this.read(token);
    const who = { names: whom === undefined ? [] : [whom], by: whom ?? 'link' };
    return this.approvals.answer(namespace, approval, given, who);
  }

  private async read(token: string): Promise<LinkClaim> {
    const parts = splitToken(token);
    const claim = parts && (await this.isSigned(parts)) ? decodeClaim(parts.signed) : undefined;
    if (claim === undefined) {
      throw AppError.of(
        approvalErrors['approval.link-invalid'],
        'the link is not one that this service made',
      );
    }
    if (claim.expiresAt > this.clock.now()) return claim;
    throw AppError.of(approvalErrors['approval.link-expired'], 'the link has expired: ask for another one');
  }

  private async isSigned({
    signed,
    signature,
  }: NonNullable<ReturnType<typeof splitToken>>): Promise<boolean> {
    const expected = await this.signer.sign(LINK_PURPOSE, signed);
    return timingSafeEqual(Buffer.from(expected), Buffer.from(signature));
  }
}
