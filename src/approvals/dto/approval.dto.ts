import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

import type { Json, JsonObject } from '../../kernel/json.js';
import { isoOf } from '../../kernel/time.js';
import type { Decision } from '../../runs/domain/approval.js';
import type { ApprovalStatus } from '../../runs/run.store.js';
import type { ApprovalLink } from '../approval-link.service.js';
import type { Approval } from '../approval.store.js';
import { EXAMPLE_APPROVAL, EXAMPLE_APPROVAL_RUN } from '../examples.js';

export const APPROVAL_STATUSES = [
  'open',
  'approved',
  'rejected',
  'timed_out',
  'cancelled',
] as const satisfies readonly ApprovalStatus[];

const INSTANT = { format: 'date-time', example: '2026-01-31T12:00:00.000Z' };
const FORM = { type: 'object', required: ['note'], properties: { note: { type: 'string' } } };

/** What anybody who may see an approval sees of it. */
export class LinkedApprovalDto {
  @ApiProperty({ example: EXAMPLE_APPROVAL })
  readonly id!: string;

  @ApiProperty({
    enum: APPROVAL_STATUSES,
    description: '`timed_out`: nobody answered in time, and no decision stands for that.',
    example: 'open',
  })
  readonly status!: ApprovalStatus;

  @ApiPropertyOptional({ description: 'What is to be decided.', example: 'Publish "Blue Monday"?' })
  readonly prompt?: string;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: 'JSON Schema of the data of an answer.',
    example: FORM,
  })
  readonly form?: JsonObject;

  @ApiProperty(INSTANT)
  readonly requestedAt!: string;

  @ApiPropertyOptional({ ...INSTANT, description: 'When its deadline passes.' })
  readonly expiresAt?: string;

  @ApiPropertyOptional({ enum: ['approve', 'reject'], description: 'What was decided.' })
  readonly decision?: Decision;
}

/** An approval. */
export class ApprovalDto extends LinkedApprovalDto {
  @ApiProperty({ example: EXAMPLE_APPROVAL_RUN })
  readonly runId!: string;

  @ApiProperty({
    description: 'The path of the step, item or iteration that waits for it.',
    example: 'approve',
  })
  readonly path!: string;

  @ApiPropertyOptional({
    type: [String],
    description:
      'Who may answer: ids or names of API keys, or those whom links are made for. Absent: anybody.',
  })
  readonly assignees?: readonly string[];

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: 'What was filled in; any JSON.',
  })
  readonly data?: Json;

  @ApiPropertyOptional({ description: 'Who answered: the id of an API key, or whom the link was made for.' })
  readonly by?: string;

  @ApiPropertyOptional({ ...INSTANT, description: 'When it was answered, ran out or was cancelled.' })
  readonly resolvedAt?: string;
}

/** A link to an approval. */
export class ApprovalLinkDto {
  @ApiProperty({
    description: 'The path of the link on this service.',
    example: '/api/v1/approval-links/eyJ2…',
  })
  readonly href!: string;

  @ApiProperty({ description: 'What the link is known by: keep it like a key.', example: 'eyJ2…' })
  readonly token!: string;

  @ApiProperty(INSTANT)
  readonly expiresAt!: string;
}

export function linkedViewOf(approval: Approval): LinkedApprovalDto {
  return sharedOf(approval);
}

function sharedOf(approval: Approval): Pick<LinkedApprovalDto, keyof LinkedApprovalDto> {
  const { id, status, asked, requestedAt, expiresAt, decision } = approval;
  return {
    id,
    status,
    ...(asked.prompt !== undefined && { prompt: asked.prompt }),
    ...(asked.form !== undefined && { form: asked.form }),
    requestedAt: isoOf(requestedAt),
    ...(expiresAt !== undefined && { expiresAt: isoOf(expiresAt) }),
    ...(decision !== undefined && { decision }),
  };
}

export function approvalViewOf(approval: Approval): ApprovalDto {
  const { runId, path, asked, data, by, resolvedAt } = approval;
  return {
    ...sharedOf(approval),
    runId,
    path,
    ...(asked.assignees !== undefined && { assignees: asked.assignees }),
    ...(data !== undefined && { data }),
    ...(by !== undefined && { by }),
    ...(resolvedAt !== undefined && { resolvedAt: isoOf(resolvedAt) }),
  };
}

export function linkViewOf({ token, expiresAt }: ApprovalLink): ApprovalLinkDto {
  return { href: `/api/v1/approval-links/${token}`, token, expiresAt: isoOf(expiresAt) };
}
