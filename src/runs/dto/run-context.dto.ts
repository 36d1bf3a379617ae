import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, Length, Matches } from 'class-validator';

import type { Json } from '../../kernel/json.js';
import { SNAPSHOT_NAME } from '../domain/context-control.js';

/** The query of reading a context. */
export class ContextQueryDto {
  @ApiPropertyOptional({
    description: 'A place: keys with dots between them; a whole number is a place in a list, from 0.',
    example: 'locale',
  })
  @IsOptional()
  @Length(1, 256)
  readonly path?: string;
}

/** A context, or what is at a place of it. */
export class RunContextDto {
  @ApiPropertyOptional({ description: 'The place that was asked for.', example: 'locale' })
  readonly path?: string;

  @ApiProperty({ type: 'object', additionalProperties: true, description: 'Any JSON.' })
  readonly value!: Json;

  @ApiProperty({
    type: 'integer',
    description: 'The number of the event that changed the context last; also the `ETag`.',
    example: 1,
  })
  readonly version!: number;
}

/** The body of making a snapshot. */
export class CreateSnapshotDto {
  @ApiProperty({ description: SNAPSHOT_NAME.source, example: 'before-review' })
  @Matches(SNAPSHOT_NAME)
  readonly name!: string;
}

/** A name for the context as it was after an event. */
export class SnapshotDto {
  @ApiProperty({ example: 'before-review' })
  readonly name!: string;

  @ApiProperty({ type: 'integer', description: 'The number of the event that made it.', example: 12 })
  readonly seq!: number;

  @ApiProperty({ format: 'date-time', example: '2026-01-31T12:00:00.000Z' })
  readonly createdAt!: string;
}

/** All snapshots of a run, in the order in which they were made; at most 100. */
export class SnapshotListDto {
  @ApiProperty({ type: () => [SnapshotDto] })
  readonly items!: readonly SnapshotDto[];
}
