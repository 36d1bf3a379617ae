/** What requests and answers about versions and labels say alike. */
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsInt, IsOptional, IsString, Matches, Max, MaxLength, Min } from 'class-validator';

import { isoOf } from '../../../kernel/time.js';
import {
  LABEL_NAME,
  LATEST,
  type LabelMark,
  type Revision,
  type Versioned,
} from '../../../kernel/versions.js';
import { ToBoolean, ToInt } from '../../http/dto.decorator.js';

const MAX_VERSION = 999_999_999;
const MAX_NOTE_LENGTH = 500;
const INSTANT = { type: 'string', format: 'date-time', example: '2027-01-15T08:00:00.000Z' } as const;

/** Which version; with neither, `production` where that label exists, else `latest`. */
export class VersionQueryDto {
  @ApiPropertyOptional({ type: 'integer', minimum: 1 })
  @ToInt()
  @IsInt()
  @Min(1)
  @Max(MAX_VERSION)
  @IsOptional()
  readonly version?: number;

  @ApiPropertyOptional({ description: 'The version that carries it.' })
  @IsOptional()
  @Matches(LABEL_NAME)
  readonly label?: string;
}

/** The query of a deletion. */
export class DeleteVersionedQueryDto {
  @ApiPropertyOptional({ default: false, description: 'Delete it even if something refers to it.' })
  @ToBoolean()
  @IsBoolean()
  @IsOptional()
  readonly force?: boolean;
}

/** The body of a rollback. */
export class RollbackDto {
  @ApiProperty({ type: 'integer', minimum: 1, description: 'The version to say again.', example: 1 })
  @IsInt()
  @Min(1)
  @Max(MAX_VERSION)
  readonly version!: number;

  @ApiPropertyOptional({
    maxLength: MAX_NOTE_LENGTH,
    description: 'Why; kept with the version.',
    default: 'rollback to version 1',
  })
  @IsOptional()
  @IsString()
  @MaxLength(MAX_NOTE_LENGTH)
  readonly changeNote?: string;
}

/** The body of a move of a label. */
export class MoveVersionLabelDto {
  @ApiProperty({
    type: 'integer',
    minimum: 1,
    description: 'The version that shall carry the label.',
    example: 1,
  })
  @IsInt()
  @Min(1)
  @Max(MAX_VERSION)
  readonly version!: number;

  @ApiPropertyOptional({ maxLength: MAX_NOTE_LENGTH, description: 'Why.', example: 'passed the review' })
  @IsOptional()
  @IsString()
  @MaxLength(MAX_NOTE_LENGTH)
  readonly reason?: string;
}

/** A label and the version that carries it. */
export class VersionLabelDto {
  @ApiProperty({ example: 'production' })
  readonly label!: string;

  @ApiProperty({ type: 'integer', example: 1 })
  readonly version!: number;

  @ApiPropertyOptional({ description: 'Why it was moved there.' })
  readonly reason?: string;

  @ApiPropertyOptional({ description: 'The id of the key; absent for `latest`, which moves by itself.' })
  readonly movedBy?: string;

  @ApiPropertyOptional(INSTANT)
  readonly movedAt?: string;
}

/** A version as lists show it. */
export class RevisionDto {
  @ApiProperty({ type: 'integer', example: 1 })
  readonly version!: number;

  @ApiProperty({ description: 'The id of the key, or `anonymous` while there are no keys.' })
  readonly author!: string;

  @ApiPropertyOptional()
  readonly changeNote?: string;

  @ApiProperty(INSTANT)
  readonly createdAt!: string;
}

/** Labels by name, `latest` included. */
export function labelViewsOf({
  labels,
  latest,
}: {
  readonly labels: readonly LabelMark[];
  readonly latest: Versioned['latest'];
}): readonly VersionLabelDto[] {
  const marks: VersionLabelDto[] = labels.map(({ movedAt, ...mark }) => ({
    ...mark,
    movedAt: isoOf(movedAt),
  }));
  return [...marks, { label: LATEST, version: latest }].sort((a, b) => (a.label < b.label ? -1 : 1));
}

/** A version as lists show it. */
export function revisionViewOf({ createdAt, ...revision }: Revision): RevisionDto {
  return { ...revision, createdAt: isoOf(createdAt) };
}
