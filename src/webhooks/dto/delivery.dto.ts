import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, Matches } from 'class-validator';

import { isoOf } from '../../kernel/time.js';
import { PageQueryDto } from '../../platform/http/dto/page.dto.js';
import { INSTANT, IsInstant, isoOrNothing } from '../../platform/http/instant.decorator.js';
import { DELIVERY_STATUSES, type Attempt, type Delivery, type DeliveryStatus } from '../domain/delivery.js';
import { EXAMPLE_DELIVERY } from '../examples.js';

/** The query of `GET /webhooks/:id/deliveries`. */
export class DeliveryListQueryDto extends PageQueryDto {
  @ApiPropertyOptional({ enum: DELIVERY_STATUSES })
  @IsOptional()
  @IsIn(DELIVERY_STATUSES)
  readonly status?: DeliveryStatus;

  @ApiPropertyOptional({ description: 'Of the events of this run.' })
  @IsOptional()
  @Matches(/^run_[0-9a-f]{32}$/)
  readonly runId?: string;
}

/** The body of `POST /webhooks/:id/replay`. */
export class ReplayDto {
  @ApiProperty({ ...INSTANT, description: 'Of events from then on.' })
  @IsInstant()
  readonly from!: string;

  @ApiProperty({ ...INSTANT, example: '2026-01-06T00:00:00Z', description: 'Of events up to then.' })
  @IsInstant()
  readonly to!: string;
}

/** What a replay found. */
export class ReplayedDto {
  @ApiProperty({ type: 'integer', description: 'How many deliveries are made once more.' })
  readonly count!: number;
}

/** One attempt and its end. */
export class AttemptDto {
  @ApiProperty(INSTANT)
  readonly at!: string;

  @ApiProperty({ type: 'integer', example: 42 })
  readonly durationMs!: number;

  @ApiPropertyOptional({ type: 'integer', description: 'Of the answer, where there was one.', example: 204 })
  readonly status?: number;

  @ApiPropertyOptional({ description: 'Why it failed; absent when it did not.' })
  readonly error?: string;
}

/** What came of a ping. */
export class PingDto extends AttemptDto {
  @ApiProperty({ description: 'The `webhook-id` that it was sent with.' })
  readonly id!: string;
}

/** One event for one webhook. */
export class DeliveryDto {
  @ApiProperty({ description: 'Sent as `webhook-id`, the same each time.', example: EXAMPLE_DELIVERY })
  readonly id!: string;

  @ApiProperty()
  readonly runId!: string;

  @ApiProperty({ type: 'integer', description: 'The number of the event within its run.' })
  readonly seq!: number;

  @ApiProperty({ example: 'run.completed' })
  readonly type!: string;

  @ApiProperty({ enum: DELIVERY_STATUSES })
  readonly status!: DeliveryStatus;

  @ApiProperty({ type: () => [AttemptDto], description: 'The last 20, oldest first.' })
  readonly attempts!: readonly AttemptDto[];

  @ApiPropertyOptional({
    format: 'date-time',
    description: 'When it is tried next; absent while an earlier event of its run is not settled.',
  })
  readonly nextAt?: string;

  @ApiProperty({ ...INSTANT, description: 'When the event happened.' })
  readonly createdAt!: string;

  @ApiPropertyOptional({ format: 'date-time' })
  readonly settledAt?: string;
}

/** An attempt as the API shows it. */
export function attemptViewOf({ at, ...rest }: Attempt): Readonly<Pick<AttemptDto, keyof AttemptDto>> {
  return { at: isoOf(at), ...rest };
}

/** A delivery as the API shows it. */
export function deliveryViewOf(delivery: Delivery): DeliveryDto {
  const { id, runId, seq, type, status, attempts, nextAt, createdAt, settledAt } = delivery;
  return {
    ...{ id, runId, seq, type, status, attempts: attempts.map(attemptViewOf) },
    ...isoOrNothing('nextAt', nextAt),
    createdAt: isoOf(createdAt),
    ...isoOrNothing('settledAt', settledAt),
  };
}
