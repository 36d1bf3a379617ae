/** What everything with versions and labels looks like on the wire. */
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsInt, IsOptional, IsString, Matches, Max, MaxLength, Min } from 'class-validator';

import { AppError } from '../../../kernel/failure.js';
import { fieldErrors } from '../../../kernel/field.errors.js';
import { isoOf } from '../../../kernel/time.js';
import {
  LABEL_NAME,
  LATEST,
  type Revision,
  type Versioned,
  type VersionSelector,
} from '../../../kernel/versions.js';
import { ToBoolean, ToInt } from '../dto.decorator.js';
import { httpErrors } from '../http.errors.js';

const MAX_NOTE_LENGTH = 500;
const MAX_VERSION = 999_999_999;
const INSTANT = { format: 'date-time', example: '2026-01-31T12:00:00.000Z' };

/** A label and the version that carries it. */
export class LabelDto {
  @ApiProperty({ example: 'production' })
  readonly label!: string;

  @ApiProperty({ type: 'integer', example: 1 })
  readonly version!: number;

  @ApiPropertyOptional({ description: 'Why it was moved there.' })
  readonly reason?: string;

  @ApiPropertyOptional({ description: 'The id of the key; absent for `latest`.', example: 'anonymous' })
  readonly movedBy?: string;

  @ApiPropertyOptional(INSTANT)
  readonly movedAt?: string;
}

/** A version in a list. */
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

/** Which versions are compared. */
export class DiffQueryDto {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, description: 'Default: the version before `to`.' })
  @ToInt()
  @IsInt()
  @Min(1)
  @Max(MAX_VERSION)
  @IsOptional()
  readonly from?: number;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, description: 'Default: the latest version.' })
  @ToInt()
  @IsInt()
  @Min(1)
  @Max(MAX_VERSION)
  @IsOptional()
  readonly to?: number;
}

/** Whether something goes even if others refer to it. */
export class DeleteQueryDto {
  @ApiPropertyOptional({ default: false, description: 'Delete it even if something refers to it.' })
  @ToBoolean()
  @IsBoolean()
  @IsOptional()
  readonly force?: boolean;
}

/** The version that a rollback says again. */
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

/** Where a label goes. */
export class MoveLabelDto {
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

/** The labels of something by name, `latest` included. */
export function labelViewsOf({ labels, latest }: Pick<Versioned, 'labels' | 'latest'>): readonly LabelDto[] {
  const marks: readonly LabelDto[] = labels.map(({ movedAt, ...mark }) => ({
    ...mark,
    movedAt: isoOf(movedAt),
  }));
  return [...marks, { label: LATEST, version: latest }].toSorted((a, b) => (a.label < b.label ? -1 : 1));
}

/** A version as lists show it. */
export function revisionViewOf({ version, author, changeNote, createdAt }: Revision): RevisionDto {
  return {
    ...{ version, author, createdAt: isoOf(createdAt) },
    ...(changeNote !== undefined && { changeNote }),
  };
}

/** Which version is asked for. @throws AppError `request.invalid` when both are given */
export function selectorOf({ version, label }: VersionSelector, pointer = ''): VersionSelector {
  if (version !== undefined && label !== undefined)
    throw requestInvalid(`${pointer}/label`, 'give a version or a label, not both');
  return { ...(version !== undefined && { version }), ...(label !== undefined && { label }) };
}

/** The number of a version in a path. @throws AppError `request.invalid` */
export function versionIn(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw requestInvalid('', 'the version is a whole number from 1');
}

/** A label in a path. @throws AppError `request.invalid` */
export function labelIn(text: string): string {
  if (LABEL_NAME.test(text)) return text;
  throw requestInvalid('', 'a label is 1 to 64 of small letters, digits and . _ -, and begins with a letter');
}

function requestInvalid(pointer: string, message: string): AppError {
  const issues = [{ pointer, code: fieldErrors['field.invalid'].code, message }];
  return AppError.of(httpErrors['request.invalid'], message, { issues });
}
