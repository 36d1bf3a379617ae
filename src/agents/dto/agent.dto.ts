import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

import type { JsonObject } from '../../kernel/json.js';
import { isoOf } from '../../kernel/time.js';
import { labelViewsOf, LabelDto } from '../../platform/http/dto/versions.dto.js';
import { AGENT_STATUSES, type AgentStatus, type ObservedHealth } from '../domain/agent-status.js';
import type { Agent } from '../domain/agent.js';
import { hideSecrets } from '../domain/secret-settings.js';
import { AgentLimitsDto, CapabilityDto } from './edit-agent.dto.js';

const INSTANT = { type: 'string', format: 'date-time', example: '2027-01-15T08:00:00.000Z' } as const;
const SCHEMA = { type: 'object', additionalProperties: true } as const;

/** An agent as lists show it. */
export class AgentItemDto {
  @ApiProperty({ description: 'Of a built-in agent the key.', example: 'scripted' })
  readonly id!: string;

  @ApiProperty({ description: 'Unique slug; what steps name.', example: 'scripted' })
  readonly key!: string;

  @ApiProperty({ description: 'What carries the work out.', example: 'scripted' })
  readonly kind!: string;

  @ApiPropertyOptional({ description: 'For people.' })
  readonly name?: string;

  @ApiProperty({ example: 'Answers `output` after `delayMs`, fails as told.' })
  readonly description!: string;

  @ApiProperty({ type: () => [CapabilityDto] })
  readonly capabilities!: readonly CapabilityDto[];

  @ApiProperty({ type: [String] })
  readonly tags!: readonly string[];

  @ApiProperty({ type: () => AgentLimitsDto })
  readonly limits!: AgentLimitsDto;

  @ApiProperty({ type: 'integer', description: 'The version that is shown.', example: 1 })
  readonly version!: number;

  @ApiProperty({ type: 'integer', example: 1 })
  readonly latestVersion!: number;

  @ApiProperty({ type: () => [LabelDto], description: 'By name, `latest` included.' })
  readonly labels!: readonly LabelDto[];

  @ApiProperty({ description: 'Comes with the service; can be neither changed nor deleted.', example: true })
  readonly isBuiltIn!: boolean;

  @ApiProperty({ enum: AGENT_STATUSES })
  readonly status!: AgentStatus;

  @ApiPropertyOptional({ description: 'Why it is not available, and what to do.' })
  readonly statusReason?: string;
}

/** An agent at one of its versions. */
export class AgentDto extends AgentItemDto {
  @ApiPropertyOptional({ description: 'The label that led to the version.', example: 'production' })
  readonly label?: string;

  @ApiProperty({
    ...SCHEMA,
    description: 'What is written out and looks like a secret shows as `[hidden]`.',
    example: {},
  })
  readonly settings!: JsonObject;

  @ApiPropertyOptional({ ...SCHEMA, description: 'JSON Schema of an input.' })
  readonly inputSchema?: JsonObject;

  @ApiPropertyOptional({ ...SCHEMA, description: 'JSON Schema of an output.' })
  readonly outputSchema?: JsonObject;

  @ApiPropertyOptional({ description: 'The id of the key, or `anonymous`; absent for a built-in agent.' })
  readonly author?: string;

  @ApiPropertyOptional()
  readonly changeNote?: string;

  @ApiPropertyOptional({
    ...INSTANT,
    description: 'When this version was made; absent for a built-in agent.',
  })
  readonly createdAt?: string;
}

/** What can carry an agent's work out. */
export class AgentKindDto {
  @ApiProperty({ example: 'scripted' })
  readonly kind!: string;

  @ApiProperty({ example: 'Does what its input says.' })
  readonly description!: string;

  @ApiProperty({ ...SCHEMA, description: 'JSON Schema (draft 2020-12) of the settings.' })
  readonly settingsSchema!: JsonObject;

  @ApiProperty({
    type: [String],
    description: 'Keys of the agents that come with the kind.',
    example: ['scripted'],
  })
  readonly agents!: readonly string[];
}

/** Every kind. */
export class AgentKindsDto {
  @ApiProperty({ type: () => [AgentKindDto] })
  readonly items!: readonly AgentKindDto[];
}

/** Whether an agent can be called now. */
export class AgentHealthDto {
  @ApiProperty({ enum: AGENT_STATUSES })
  readonly status!: AgentStatus;

  @ApiPropertyOptional({ description: 'Why it is not available, and what to do.' })
  readonly reason?: string;

  @ApiProperty({ ...INSTANT, description: 'When its provider was asked.' })
  readonly checkedAt!: string;
}

/** An agent as lists show it. */
export function agentItemOf(agent: Agent, health: ObservedHealth): AgentItemDto {
  return itemOf(agent, health);
}

/** Its fields, to be added to. */
function itemOf(
  agent: Agent,
  { status, reason }: ObservedHealth,
): { readonly [K in keyof AgentItemDto]: AgentItemDto[K] } {
  const { id, key, kind, name, description, capabilities, tags, limits, version, isBuiltIn } = agent;
  return {
    ...{ id, key, kind, description, capabilities, tags, limits, version, isBuiltIn, status },
    ...(name !== undefined && { name }),
    latestVersion: agent.latest,
    labels: labelViewsOf(agent),
    ...(reason !== undefined && { statusReason: reason }),
  };
}

/** An agent at one of its versions. */
export function agentViewOf(agent: Agent, health: ObservedHealth): AgentDto {
  const { label, settings, inputSchema, outputSchema, made } = agent;
  return {
    ...itemOf(agent, health),
    ...(label !== undefined && { label }),
    settings: hideSecrets(settings),
    ...(inputSchema !== undefined && { inputSchema }),
    ...(outputSchema !== undefined && { outputSchema }),
    ...(made && { author: made.author, createdAt: isoOf(made.createdAt) }),
    ...(made?.changeNote !== undefined && { changeNote: made.changeNote }),
  };
}

export function healthViewOf({ checkedAt, ...health }: ObservedHealth): AgentHealthDto {
  return { ...health, checkedAt: isoOf(checkedAt) };
}
