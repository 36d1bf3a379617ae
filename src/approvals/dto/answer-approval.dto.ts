import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsInt, IsOptional, IsString, Max, MaxLength, Min, MinLength } from 'class-validator';

import type { Json } from '../../kernel/json.js';
import { RawJson } from '../../platform/http/dto.decorator.js';
import { PageQueryDto } from '../../platform/http/dto/page.dto.js';
import type { Decision } from '../../runs/domain/approval.js';
import type { ApprovalStatus } from '../../runs/run.store.js';
import { DEFAULT_LINK_MS, type LinkRequest } from '../approval-link.service.js';
import type { Answer } from '../approval.service.js';
import { exampleAnswer } from '../examples.js';
import { APPROVAL_STATUSES } from './approval.dto.js';

const MAX_LINK_MS = 30 * 24 * 3_600_000;
const MIN_LINK_MS = 1_000;
const MAX_NAME_LENGTH = 200;

/** The body of answering an approval. */
export class AnswerApprovalDto {
  @ApiProperty({ enum: ['approve', 'reject'], example: exampleAnswer.decision })
  @IsIn(['approve', 'reject'])
  readonly decision!: Decision;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: 'What the form asks for; any JSON that satisfies it. A rejection may leave it out.',
    example: exampleAnswer.data,
    default: null,
  })
  @IsOptional()
  @RawJson()
  readonly data?: Json;
}

/** The body of making a link. */
export class MakeLinkDto {
  @ApiPropertyOptional({
    maxLength: MAX_NAME_LENGTH,
    description: 'Whom it is for; recorded as who answered. Of an assigned approval one of its assignees.',
    example: 'ada@example.com',
  })
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(MAX_NAME_LENGTH)
  readonly for?: string;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: MIN_LINK_MS,
    maximum: MAX_LINK_MS,
    default: DEFAULT_LINK_MS,
    description: 'How long it holds, in milliseconds; never longer than the approval waits.',
    example: 86_400_000,
  })
  @IsOptional()
  @IsInt()
  @Min(MIN_LINK_MS)
  @Max(MAX_LINK_MS)
  readonly expiresInMs?: number;
}

/** The query of `GET /approvals`. */
export class ApprovalListQueryDto extends PageQueryDto {
  @ApiPropertyOptional({ enum: APPROVAL_STATUSES, description: 'Approvals of this status.' })
  @IsOptional()
  @IsIn(APPROVAL_STATUSES)
  readonly status?: ApprovalStatus;

  @ApiPropertyOptional({ description: 'Approvals of this run.' })
  @IsOptional()
  @MaxLength(64)
  readonly runId?: string;

  @ApiPropertyOptional({ description: 'Approvals that name this assignee.' })
  @IsOptional()
  @MaxLength(MAX_NAME_LENGTH)
  readonly assignee?: string;
}

export function answerOf({ decision, data }: AnswerApprovalDto): Answer {
  return { decision, ...(data !== undefined && { data }) };
}

export function linkRequestOf({ for: whom, expiresInMs }: MakeLinkDto): LinkRequest {
  return { ...(whom !== undefined && { for: whom }), ...(expiresInMs !== undefined && { expiresInMs }) };
}
