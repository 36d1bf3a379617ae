import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

import type { Json, JsonObject } from '../../kernel/json.js';
import { isoOf } from '../../kernel/time.js';
import { LabelDto, labelViewsOf } from '../../platform/http/dto/versions.dto.js';
import type { ResourceHead } from '../../platform/ports/versioned.store.js';
import type { FieldChange } from '../domain/definition-diff.js';
import type { SavedWorkflow } from '../stored-workflow.service.js';
import type { FoundWorkflow } from '../workflow-source.js';
import { WarningDto } from './validate-workflow.dto.js';

const INSTANT = { format: 'date-time', example: '2026-01-31T12:00:00.000Z' };
const ANY = { type: 'object', additionalProperties: true } as const;

/** What the API shows of a version, as a plain record. */
type WorkflowView = Pick<WorkflowDto, keyof WorkflowDto>;

/** A workflow in a list, as its latest version is. */
export class WorkflowItemDto {
  @ApiProperty({ example: 'wf_019aaf3c7c5e7b1c9d2f4a6b8c0d1e2f' })
  readonly id!: string;

  @ApiProperty({ example: 'welcome' })
  readonly name!: string;

  @ApiPropertyOptional({ description: 'That of the definition.' })
  readonly description?: string;

  @ApiProperty({ type: [String] })
  readonly tags!: readonly string[];

  @ApiProperty({ type: 'integer', description: 'The number of the newest version.', example: 2 })
  readonly latestVersion!: number;

  @ApiProperty({ type: () => [LabelDto], description: 'By name, `latest` included.' })
  readonly labels!: readonly LabelDto[];

  @ApiProperty(INSTANT)
  readonly createdAt!: string;

  @ApiProperty({ ...INSTANT, description: 'When the newest version was made.' })
  readonly updatedAt!: string;
}

/** A workflow at one of its versions. */
export class WorkflowDto {
  @ApiProperty({ example: 'wf_019aaf3c7c5e7b1c9d2f4a6b8c0d1e2f' })
  readonly id!: string;

  @ApiProperty({ example: 'welcome' })
  readonly name!: string;

  @ApiProperty({ type: 'integer', description: 'The version that is shown; `ETag` carries it.', example: 2 })
  readonly version!: number;

  @ApiPropertyOptional({
    description: 'The label that led to it; absent when a version was asked for.',
    example: 'production',
  })
  readonly label?: string;

  @ApiProperty({ ...ANY, description: 'As it was sent.' })
  readonly definition!: JsonObject;

  @ApiProperty({ type: [String], description: 'Of this version.' })
  readonly tags!: readonly string[];

  @ApiProperty({ description: 'The id of the key, or `anonymous` while there are no keys.' })
  readonly author!: string;

  @ApiPropertyOptional()
  readonly changeNote?: string;

  @ApiProperty({ ...INSTANT, description: 'When this version was made.' })
  readonly createdAt!: string;

  @ApiProperty({ type: 'integer', example: 2 })
  readonly latestVersion!: number;

  @ApiProperty({ type: () => [LabelDto], description: 'By name, `latest` included.' })
  readonly labels!: readonly LabelDto[];
}

/** A version that was saved. */
export class SavedWorkflowDto extends WorkflowDto {
  @ApiProperty({
    type: () => [WarningDto],
    description: 'What may be a mistake, with pointers from the root of the definition. Refuses nothing.',
  })
  readonly warnings!: readonly WarningDto[];
}

/** A step that only one of two versions has. */
export class StepPlaceDto {
  @ApiProperty({ example: 'greet' })
  readonly id!: string;

  @ApiProperty({
    description: 'JSON Pointer in the definition that has it; in the newer one where both do.',
    example: '/steps/0',
  })
  readonly pointer!: string;
}

/** One value that was added, removed or changed. */
export class FieldChangeDto {
  @ApiProperty({ enum: ['added', 'removed', 'changed'] })
  readonly op!: FieldChange['op'];

  @ApiProperty({
    description: 'JSON Pointer in the newer definition; in the older one for what was removed.',
    example: '/timeoutMs',
  })
  readonly pointer!: string;

  @ApiPropertyOptional({ ...ANY, description: 'Any JSON; absent for what was added.' })
  readonly from?: Json;

  @ApiPropertyOptional({ ...ANY, description: 'Any JSON; absent for what was removed.' })
  readonly to?: Json;
}

/** A step of both versions that says something else. */
export class ChangedStepDto extends StepPlaceDto {
  @ApiProperty({ type: () => [FieldChangeDto] })
  readonly changes!: readonly FieldChangeDto[];
}

export class StepsDiffDto {
  @ApiProperty({ type: () => [StepPlaceDto] })
  readonly added!: readonly StepPlaceDto[];

  @ApiProperty({ type: () => [StepPlaceDto] })
  readonly removed!: readonly StepPlaceDto[];

  @ApiProperty({ type: () => [ChangedStepDto] })
  readonly changed!: readonly ChangedStepDto[];

  @ApiProperty({ description: 'Whether steps of both stand in another order.' })
  readonly isReordered!: boolean;
}

/** What changed between two versions. Steps are the same when their ids are. */
export class WorkflowDiffDto {
  @ApiProperty({ type: 'integer', example: 1 })
  readonly from!: number;

  @ApiProperty({ type: 'integer', example: 2 })
  readonly to!: number;

  @ApiProperty({ type: () => StepsDiffDto })
  readonly steps!: StepsDiffDto;

  @ApiProperty({ type: () => [FieldChangeDto], description: 'Changes beside the steps.' })
  readonly fields!: readonly FieldChangeDto[];
}

/** A workflow at one of its versions, as the API shows it. */
export function workflowViewOf({ head, version, label, content }: FoundWorkflow): WorkflowView {
  const { body, author, changeNote, createdAt } = content;
  return {
    ...{ id: head.id, name: head.name, version },
    ...(label !== undefined && { label }),
    definition: body.definition,
    tags: body.tags,
    author,
    ...(changeNote !== undefined && { changeNote }),
    createdAt: isoOf(createdAt),
    latestVersion: head.latest,
    labels: labelViewsOf(head),
  };
}

/** A saved version as the API shows it. */
export function savedViewOf({ found, warnings }: SavedWorkflow): SavedWorkflowDto {
  return { ...workflowViewOf(found), warnings };
}

/** A workflow as lists show it. */
export function workflowItemOf(head: ResourceHead): WorkflowItemDto {
  const { id, name, description, facets, latest, createdAt, updatedAt } = head;
  return {
    ...{ id, name, tags: facets['tag'] ?? [], latestVersion: latest, labels: labelViewsOf(head) },
    ...(description !== undefined && { description }),
    createdAt: isoOf(createdAt),
    updatedAt: isoOf(updatedAt),
  };
}
