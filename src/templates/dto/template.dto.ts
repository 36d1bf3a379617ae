import { ApiExtraModels, ApiProperty, ApiPropertyOptional, getSchemaPath } from '@nestjs/swagger';

import { isoOf } from '../../kernel/time.js';
import type { DiffedVariable, LineDiff } from '../domain/diff.js';
import {
  LATEST,
  type TemplateHead,
  type TemplateKind,
  type TemplateMessage,
  type TemplateRevision,
  type VariableDeclaration,
} from '../domain/template.js';
import type { FoundTemplate } from '../template-source.js';
import { TemplateMessageDto, TemplateVariableDto } from './template-content.dto.js';

const INSTANT = { format: 'date-time', example: '2026-01-31T12:00:00.000Z' };
const KIND = { enum: ['text', 'chat'], example: 'text' };

/** A label and the version that carries it. */
export class TemplateLabelDto {
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

/** A template in a list, as its latest version is. */
export class TemplateItemDto {
  @ApiProperty({ example: 'tpl_019aaf3c7c5e7b1c9d2f4a6b8c0d1e2f' })
  readonly id!: string;

  @ApiProperty({ example: 'greeting' })
  readonly name!: string;

  @ApiProperty(KIND)
  readonly kind!: TemplateKind;

  @ApiPropertyOptional()
  readonly description?: string;

  @ApiProperty({ type: [String] })
  readonly tags!: readonly string[];

  @ApiProperty({ type: 'integer', description: 'The number of the newest version.', example: 2 })
  readonly latestVersion!: number;

  @ApiProperty({ type: () => [TemplateLabelDto], description: 'By name, `latest` included.' })
  readonly labels!: readonly TemplateLabelDto[];

  @ApiProperty(INSTANT)
  readonly createdAt!: string;

  @ApiProperty({ ...INSTANT, description: 'When the newest version was made.' })
  readonly updatedAt!: string;
}

/** A version in a list. */
export class TemplateRevisionDto {
  @ApiProperty({ type: 'integer', example: 1 })
  readonly version!: number;

  @ApiProperty(KIND)
  readonly kind!: TemplateKind;

  @ApiProperty({ description: 'The id of the key, or `anonymous` while there are no keys.' })
  readonly author!: string;

  @ApiPropertyOptional()
  readonly changeNote?: string;

  @ApiProperty(INSTANT)
  readonly createdAt!: string;
}

/** A template at one of its versions. */
export class TemplateDto {
  @ApiProperty({ example: 'tpl_019aaf3c7c5e7b1c9d2f4a6b8c0d1e2f' })
  readonly id!: string;

  @ApiProperty({ example: 'greeting' })
  readonly name!: string;

  @ApiProperty({ type: 'integer', description: 'The version that is shown; `ETag` carries it.', example: 2 })
  readonly version!: number;

  @ApiPropertyOptional({
    description: 'The label that led to it; absent when a version was asked for.',
    example: 'production',
  })
  readonly label?: string;

  @ApiProperty(KIND)
  readonly kind!: TemplateKind;

  @ApiPropertyOptional({ description: 'Of a text.' })
  readonly content?: string;

  @ApiPropertyOptional({ type: () => [TemplateMessageDto], description: 'Of a chat.' })
  readonly messages?: readonly TemplateMessage[];

  @ApiProperty({ type: () => [TemplateVariableDto], description: 'Declared variables.' })
  readonly variables!: readonly VariableDeclaration[];

  @ApiProperty({ type: [String], description: 'Variables that the text reads and nobody declared.' })
  readonly undeclaredVariables!: readonly string[];

  @ApiPropertyOptional()
  readonly description?: string;

  @ApiProperty({ type: [String] })
  readonly tags!: readonly string[];

  @ApiProperty({ description: 'The id of the key, or `anonymous` while there are no keys.' })
  readonly author!: string;

  @ApiPropertyOptional()
  readonly changeNote?: string;

  @ApiProperty({ ...INSTANT, description: 'When this version was made.' })
  readonly createdAt!: string;

  @ApiProperty({ type: 'integer', example: 2 })
  readonly latestVersion!: number;

  @ApiProperty({ type: () => [TemplateLabelDto], description: 'By name, `latest` included.' })
  readonly labels!: readonly TemplateLabelDto[];
}

/** A line of a diff. */
export class LineDiffDto {
  @ApiProperty({ enum: ['same', 'removed', 'added'] })
  readonly op!: LineDiff['op'];

  @ApiPropertyOptional({ type: 'integer', description: 'The line in the older version, from 1.' })
  readonly from?: number;

  @ApiPropertyOptional({ type: 'integer', description: 'The line in the newer version, from 1.' })
  readonly to?: number;

  @ApiProperty()
  readonly text!: string;
}

const VARIABLE = {
  type: 'object',
  additionalProperties: true,
  description: 'As declared; only `name` where nobody declared it.',
} as const;
const VARIABLES = { type: 'array', items: VARIABLE } as const;

export class VariableChangeDto {
  @ApiProperty()
  readonly name!: string;

  @ApiProperty(VARIABLE)
  readonly from!: DiffedVariable;

  @ApiProperty(VARIABLE)
  readonly to!: DiffedVariable;
}

@ApiExtraModels(VariableChangeDto)
export class VariableDiffDto {
  @ApiProperty(VARIABLES)
  readonly added!: readonly DiffedVariable[];

  @ApiProperty(VARIABLES)
  readonly removed!: readonly DiffedVariable[];

  @ApiProperty({ type: 'array', items: { $ref: getSchemaPath(VariableChangeDto) } })
  readonly changed!: readonly VariableChangeDto[];
}

/** What changed between two versions. */
export class TemplateDiffDto {
  @ApiProperty({ type: 'integer', example: 1 })
  readonly from!: number;

  @ApiProperty({ type: 'integer', example: 2 })
  readonly to!: number;

  @ApiProperty({
    type: () => [LineDiffDto],
    description: 'All lines. A message begins with a line `[role]`.',
  })
  readonly lines!: readonly LineDiffDto[];

  @ApiProperty({ type: () => VariableDiffDto })
  readonly variables!: VariableDiffDto;
}

/** A template at one of its versions, as the API shows it. */
export function templateViewOf({ head, version, label, content }: FoundTemplate): TemplateDto {
  const { body, undeclared, author, changeNote, createdAt } = content;
  return {
    id: head.id,
    name: head.name,
    version,
    ...(label !== undefined && { label }),
    ...body,
    undeclaredVariables: undeclared,
    author,
    ...(changeNote !== undefined && { changeNote }),
    createdAt: isoOf(createdAt),
    latestVersion: head.latest,
    labels: labelsOf(head),
  };
}

/** A template as lists show it. */
export function templateItemOf(head: TemplateHead): TemplateItemDto {
  const { id, name, kind, description, tags, latest, createdAt, updatedAt } = head;
  return {
    ...{ id, name, kind, tags, latestVersion: latest, labels: labelsOf(head) },
    ...(description !== undefined && { description }),
    createdAt: isoOf(createdAt),
    updatedAt: isoOf(updatedAt),
  };
}

/** A version as lists show it. */
export function revisionViewOf({ createdAt, ...revision }: TemplateRevision): TemplateRevisionDto {
  return { ...revision, createdAt: isoOf(createdAt) };
}

function labelsOf({ labels, latest }: TemplateHead): readonly TemplateLabelDto[] {
  const marks: TemplateLabelDto[] = labels.map(({ movedAt, ...mark }) => ({
    ...mark,
    movedAt: isoOf(movedAt),
  }));
  return [...marks, { label: LATEST, version: latest }].sort((a, b) => (a.label < b.label ? -1 : 1));
}
