import { ApiProperty, ApiPropertyOptional, OmitType } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  IsArray,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  MinLength,
} from 'class-validator';

import type { JsonObject } from '../../kernel/json.js';
import { Nested, NestedList, RawJson } from '../../platform/http/dto.decorator.js';
import { AGENT_KEY } from '../domain/agent.js';
import { exampleSettings } from '../examples.js';

const MAX_TAGS = 20;
const MAX_CAPABILITIES = 100;
const MAX_NOTE_LENGTH = 500;
const MAX_LIMIT = 1_000_000_000;

const SCHEMA = { type: 'object', additionalProperties: true } as const;

/** Something that an agent can do. */
export class CapabilityDto {
  @ApiProperty({ maxLength: 100, example: 'summarise' })
  @IsString()
  @MinLength(1)
  @MaxLength(100)
  readonly name!: string;

  @ApiPropertyOptional({ example: 'Says it in three sentences.' })
  @IsOptional()
  @IsString()
  @MaxLength(10_000)
  readonly description?: string;

  @ApiPropertyOptional({
    ...SCHEMA,
    description: 'JSON Schema (draft 2020-12) of the input that asks for it.',
  })
  @IsOptional()
  @RawJson('object')
  readonly inputSchema?: JsonObject;

  @ApiPropertyOptional({ ...SCHEMA, description: 'JSON Schema of what comes back.' })
  @IsOptional()
  @RawJson('object')
  readonly outputSchema?: JsonObject;
}

/** How much of an agent there is for everything that calls it. What is left out is not limited. */
export class AgentLimitsDto {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, description: 'Calls at the same time.', example: 8 })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_LIMIT)
  readonly maxConcurrency?: number;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, example: 600 })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_LIMIT)
  readonly requestsPerMinute?: number;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    description: 'Input and output together: reserved by estimate, settled by usage.',
    example: 100_000,
  })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_LIMIT)
  readonly tokensPerMinute?: number;
}

/** The body of `POST /agents`. */
export class CreateAgentDto {
  @ApiProperty({
    pattern: AGENT_KEY.source,
    description:
      'Unique in the namespace, never changed; what steps name, and an address in place of the id.',
    example: 'summariser',
  })
  @Matches(AGENT_KEY, {
    message: 'key must be 1 to 100 of small letters, digits and . _ -, not begin with agt_, and not be kinds',
  })
  readonly key!: string;

  @ApiProperty({ description: 'What carries the work out; see `GET /agents/kinds`.', example: 'scripted' })
  @IsString()
  @MaxLength(64)
  readonly kind!: string;

  @ApiPropertyOptional({ description: 'For people; an empty one takes it away.', example: 'Summariser' })
  @IsOptional()
  @IsString()
  @MaxLength(200)
  readonly name?: string;

  @ApiPropertyOptional({ default: '', example: 'Says a text in three sentences.' })
  @IsOptional()
  @IsString()
  @MaxLength(10_000)
  readonly description?: string;

  @ApiPropertyOptional({ type: () => [CapabilityDto], maxItems: MAX_CAPABILITIES })
  @IsOptional()
  @NestedList(() => CapabilityDto, MAX_CAPABILITIES)
  readonly capabilities?: CapabilityDto[];

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description:
      'What the kind needs to know. Name secrets, `{ "secret": "name" }`, instead of writing them out; what looks ' +
      'like one is shown as `[hidden]`, which in an update means the secret that is there.',
    default: {},
    example: exampleSettings,
  })
  @IsOptional()
  @RawJson('object')
  readonly settings?: JsonObject;

  @ApiPropertyOptional({ type: () => AgentLimitsDto })
  @IsOptional()
  @Nested(() => AgentLimitsDto)
  readonly limits?: AgentLimitsDto;

  @ApiPropertyOptional({
    ...SCHEMA,
    description:
      'JSON Schema (draft 2020-12) that an input must satisfy before the agent is called; `{}`: none.',
    example: { type: 'object' },
  })
  @IsOptional()
  @RawJson('object')
  readonly inputSchema?: JsonObject;

  @ApiPropertyOptional({
    ...SCHEMA,
    description: 'JSON Schema that an output must satisfy, else the call fails; `{}`: none.',
  })
  @IsOptional()
  @RawJson('object')
  readonly outputSchema?: JsonObject;

  @ApiPropertyOptional({
    type: [String],
    maxItems: MAX_TAGS,
    description: 'To find the agent by; each 1 to 64 of letters, digits and `._:/-`.',
    example: ['text'],
  })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MAX_TAGS)
  @Matches(/^[\w.:/-]{1,64}$/, { each: true, message: 'tags must be 1 to 64 of letters, digits, . _ : / -' })
  readonly tags?: string[];

  @ApiPropertyOptional({
    maxLength: MAX_NOTE_LENGTH,
    description: 'Why; kept with the version.',
    example: 'first draft',
  })
  @IsOptional()
  @IsString()
  @MaxLength(MAX_NOTE_LENGTH)
  readonly changeNote?: string;
}

/** The body of `PUT /agents/:id`. What is left out stays as it is; an empty name or schema takes it away. */
export class UpdateAgentDto extends OmitType(CreateAgentDto, ['key', 'kind'] as const) {}

/** The body of `PUT /agents/:id/status`. */
export class AgentStatusDto {
  @ApiProperty({
    enum: ['available', 'offline'],
    description: '`offline`: new calls are refused with `agent.offline`, and may be tried again.',
    example: 'available',
  })
  @IsIn(['available', 'offline'])
  readonly status!: 'available' | 'offline';
}
