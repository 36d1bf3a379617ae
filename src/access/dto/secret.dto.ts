import { ApiProperty } from '@nestjs/swagger';
import { IsString, Matches, MaxLength, MinLength } from 'class-validator';

import { isoOf } from '../../kernel/time.js';
import { MIN_SECRET_LENGTH } from '../../platform/logging/known-secrets.js';
import type { SecretNote } from '../secret.service.js';

const INSTANT = { format: 'date-time', example: '2026-01-31T12:00:00.000Z' };
const MAX_VALUE_LENGTH = 16_384;
const NAME = /^[A-Za-z0-9][\w.-]{0,99}$/;

/** The name in the path. */
export class SecretNameDto {
  @ApiProperty({
    pattern: NAME.source,
    description: 'The name by which settings of agents refer to it.',
    example: 'weather-api',
  })
  @Matches(NAME, {
    message: 'name must be 1 to 100 of letters, digits and . _ -, and begin with a letter or digit',
  })
  readonly name!: string;
}

/** The body of `PUT /secrets/:name`. */
export class PutSecretDto {
  @ApiProperty({
    minLength: MIN_SECRET_LENGTH,
    maxLength: MAX_VALUE_LENGTH,
    description: 'The value. Encrypted where it is kept, and never shown again.',
    example: 'replace-me-with-the-key',
  })
  @IsString()
  @MinLength(MIN_SECRET_LENGTH)
  @MaxLength(MAX_VALUE_LENGTH)
  readonly value!: string;
}

/** A secret without its value. */
export class SecretDto {
  @ApiProperty({ example: 'weather-api' })
  readonly name!: string;

  @ApiProperty(INSTANT)
  readonly createdAt!: string;

  @ApiProperty({ ...INSTANT, description: 'When its value was set last.' })
  readonly updatedAt!: string;
}

export function secretViewOf({ name, createdAt, updatedAt }: SecretNote): SecretDto {
  return { name, createdAt: isoOf(createdAt), updatedAt: isoOf(updatedAt) };
}
