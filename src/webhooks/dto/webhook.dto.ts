import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsOptional,
  IsString,
  Matches,
  MaxLength,
} from 'class-validator';

import { isoOf } from '../../kernel/time.js';
import { Nested } from '../../platform/http/dto.decorator.js';
import { isoOrNothing } from '../../platform/http/instant.decorator.js';
import { RUN_STATUSES, type RunStatus } from '../../runs/domain/run.status.js';
import { EVENT_PATTERN, type EventFilter, type Webhook } from '../domain/webhook.js';
import { EXAMPLE_WEBHOOK } from '../examples.js';
import { SECRET_FORM } from '../signature.js';
import type { WrittenWebhook } from '../webhook.service.js';

/** Which events: those that match every field that is there. */
export class EventFilterDto {
  @ApiPropertyOptional({
    type: [String],
    minItems: 1,
    maxItems: 50,
    description: 'Types of events, or `run.*` for all of a kind.',
    example: ['run.completed', 'run.failed'],
  })
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(50)
  @Matches(EVENT_PATTERN, {
    each: true,
    message: 'types must be types of events, as run.completed or step.*',
  })
  readonly types?: readonly string[];

  @ApiPropertyOptional({ description: 'Events of runs of this stored workflow.' })
  @IsOptional()
  @Matches(/^wf_[a-z0-9_]{1,64}$/)
  readonly workflowId?: string;

  @ApiPropertyOptional({ description: 'Events of runs that carry this tag.' })
  @IsOptional()
  @Matches(/^[\w.:/-]{1,64}$/)
  readonly tag?: string;

  @ApiPropertyOptional({ enum: RUN_STATUSES, description: 'Events that bring a run to this status.' })
  @IsOptional()
  @IsIn(RUN_STATUSES)
  readonly status?: RunStatus;
}

/** The body of `POST /webhooks` and `PUT /webhooks/:id`: all of it; what is left out has its default. */
export class WriteWebhookDto {
  @ApiProperty({
    maxLength: 2048,
    description:
      'Where events are sent by POST. Public addresses only, but for those in `EGRESS_ALLOWED_HOSTS`.',
    example: 'https://hooks.example.com/ensemble',
  })
  @IsString()
  @MaxLength(2048)
  readonly url!: string;

  @ApiPropertyOptional({ maxLength: 500, example: 'tells the chat' })
  @IsOptional()
  @IsString()
  @MaxLength(500)
  readonly description?: string;

  @ApiPropertyOptional({ type: () => EventFilterDto, description: 'All events without it.' })
  @IsOptional()
  @Nested(() => EventFilterDto)
  readonly filter?: EventFilterDto;

  @ApiPropertyOptional({
    default: true,
    description: 'A disabled webhook is told of nothing that happens meanwhile; what waits goes on to wait.',
    example: false,
  })
  @IsOptional()
  @IsBoolean()
  readonly enabled?: boolean;

  @ApiPropertyOptional({
    pattern: SECRET_FORM.source,
    description:
      'What deliveries are signed with: `whsec_` and 24 to 64 bytes in base64. By default one of our making, and that ' +
      'of a webhook that is changed stays.',
  })
  @IsOptional()
  @Matches(SECRET_FORM, { message: 'secret must be whsec_ and 24 to 64 bytes in base64' })
  readonly secret?: string;
}

/** What is known of an address that fails. */
export class BreakerDto {
  @ApiProperty({ enum: ['closed', 'open'], description: '`open`: nothing is sent until `openUntil`.' })
  readonly state!: 'closed' | 'open';

  @ApiProperty({ type: 'integer', description: 'Attempts that failed one after the other.' })
  readonly failures!: number;

  @ApiPropertyOptional({ format: 'date-time' })
  readonly openUntil?: string;

  @ApiPropertyOptional({ description: 'How the last attempt failed.' })
  readonly reason?: string;
}

/** A webhook as the API shows it. */
export class WebhookDto {
  @ApiProperty({ example: EXAMPLE_WEBHOOK })
  readonly id!: string;

  @ApiProperty()
  readonly url!: string;

  @ApiPropertyOptional()
  readonly description?: string;

  @ApiProperty({ type: () => EventFilterDto })
  readonly filter!: EventFilterDto;

  @ApiProperty()
  readonly enabled!: boolean;

  @ApiProperty({ type: 'integer', description: 'Counts changes; for `If-Match`.' })
  readonly version!: number;

  @ApiProperty({ type: () => BreakerDto })
  readonly breaker!: BreakerDto;

  @ApiProperty({ format: 'date-time', description: 'It is told of events from then on.' })
  readonly createdAt!: string;

  @ApiProperty({ format: 'date-time' })
  readonly updatedAt!: string;
}

/** The same, plain. */
export type WebhookView = Readonly<Pick<WebhookDto, keyof WebhookDto>>;

/** A new webhook. */
export class CreatedWebhookDto extends WebhookDto {
  @ApiProperty({ description: 'What deliveries are signed with. It is shown this once.' })
  readonly secret!: string;
}

/** What a body asks for. */
export function writtenOf({
  url,
  description,
  filter,
  enabled = true,
  secret,
}: WriteWebhookDto): WrittenWebhook {
  return {
    url,
    ...(description !== undefined && { description }),
    filter: filterOf(filter ?? {}),
    isEnabled: enabled,
    ...(secret !== undefined && { secret }),
  };
}

function filterOf({ types, workflowId, tag, status }: EventFilterDto): EventFilter {
  return {
    ...(types !== undefined && { types }),
    ...(workflowId !== undefined && { workflowId }),
    ...(tag !== undefined && { tag }),
    ...(status !== undefined && { status }),
  };
}

/** A webhook as the API shows it at a time. */
export function webhookViewOf(webhook: Webhook, now: number): WebhookView {
  const { id, url, description, filter, isEnabled, version, breaker } = webhook;
  const { failures, openUntil, reason } = breaker;
  const isOpen = openUntil !== undefined && openUntil > now;
  return {
    ...{ id, url, filter, enabled: isEnabled, version },
    ...(description !== undefined && { description }),
    breaker: {
      state: isOpen ? 'open' : 'closed',
      failures,
      ...isoOrNothing('openUntil', isOpen ? openUntil : undefined),
      ...(reason !== undefined && { reason }),
    },
    createdAt: isoOf(webhook.createdAt),
    updatedAt: isoOf(webhook.updatedAt),
  };
}
