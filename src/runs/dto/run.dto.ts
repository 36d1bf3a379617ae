import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

import type { Failure } from '../../kernel/failure.js';
import type { Json, JsonObject } from '../../kernel/json.js';
import type { SkipReason, Usage } from '../domain/run.events.js';
import type { PurgedRun } from '../retention.store.js';
import { RUN_STATUSES, STEP_STATUSES, type RunStatus, type StepStatus } from '../domain/run.status.js';
import { STEP_READERS, type StepKind } from '../../workflows/domain/kinds/step-kinds.js';
import type { HeldView, ManifestView } from '../domain/view.js';

const INSTANT = { format: 'date-time', example: '2026-01-31T12:00:00.000Z' };
const ANY_JSON = { type: 'object', additionalProperties: true } as const;
const FAILURE = {
  type: 'object',
  additionalProperties: true,
  description: 'Why it failed: `code`, `kind`, `message`, `retryable`, and `details`.',
} as const;
const USAGE = {
  type: 'object',
  additionalProperties: { type: 'integer' },
  description:
    'Tokens: `inputTokens`, `outputTokens`, `cacheReadTokens`, `cacheWriteTokens`, `reasoningTokens`.',
} as const;

export class RunProgressDto {
  @ApiProperty({ type: 'integer', description: 'Steps that have ended, however.', example: 1 })
  readonly completed!: number;

  @ApiProperty({ type: 'integer', example: 2 })
  readonly total!: number;

  @ApiProperty({ type: 'integer', description: 'Rounded down.', minimum: 0, maximum: 100, example: 50 })
  readonly percent!: number;
}

export class RunLinksDto {
  @ApiProperty()
  readonly self!: string;

  @ApiProperty()
  readonly steps!: string;

  @ApiProperty()
  readonly events!: string;

  @ApiPropertyOptional({ description: 'The run whose step this one is the work of.' })
  readonly parent?: string;
}

/** The run whose step a run is the work of. */
export class RunParentDto {
  @ApiProperty({ example: 'run_019aaf3c7c5e7b1c9d2f4a6b8c0d1e2f' })
  readonly runId!: string;

  @ApiProperty({ description: 'The step, item or iteration.', example: 'parts[2]' })
  readonly path!: string;

  @ApiProperty({ type: 'integer', description: 'How many runs are above, at most 10.', example: 1 })
  readonly depth!: number;
}

/** The run that does the work of a step. */
export class SubRunDto {
  @ApiProperty({ example: 'run_019aaf3c7c5e7b1c9d2f4a6b8c0d1e2f' })
  readonly id!: string;

  @ApiProperty({ description: 'Where it is read.' })
  readonly href!: string;
}

/** A place at which a fork differs from the run that it was forked from. */
export class JsonChangeDto {
  @ApiProperty({ description: 'JSON Pointer.', example: '/input/name' })
  readonly pointer!: string;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: 'Any JSON; absent where there was nothing.',
  })
  readonly before?: Json;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: 'Any JSON; absent where there is nothing.',
  })
  readonly after?: Json;
}

/** Where a fork comes from. */
export class ForkOriginDto {
  @ApiProperty({ example: 'run_019aaf3c7c5e7b1c9d2f4a6b8c0d1e2f' })
  readonly runId!: string;

  @ApiProperty({ type: 'integer', description: 'The last event of that run that counts.', example: 6 })
  readonly atSeq!: number;

  @ApiProperty({
    type: () => [JsonChangeDto],
    description: 'Places in `input`, `context` and `manifest` that differ, at most 100.',
  })
  readonly changes!: readonly JsonChangeDto[];
}

/** A run in a list: what its row says. */
export class RunItemDto {
  @ApiProperty({ example: 'run_019aaf3c7c5e7b1c9d2f4a6b8c0d1e2f' })
  readonly id!: string;

  @ApiProperty({ example: 'default' })
  readonly namespace!: string;

  @ApiPropertyOptional({ description: "The definition's name.", example: 'greet' })
  readonly name?: string;

  @ApiProperty({ enum: RUN_STATUSES })
  readonly status!: RunStatus;

  @ApiPropertyOptional({
    ...ANY_JSON,
    description: 'The stored workflow and its version, where there is one.',
  })
  readonly workflow?: { readonly id: string; readonly version: number };

  @ApiProperty(INSTANT)
  readonly createdAt!: string;

  @ApiPropertyOptional(INSTANT)
  readonly startedAt?: string;

  @ApiPropertyOptional(INSTANT)
  readonly endedAt?: string;

  @ApiProperty({ type: () => RunProgressDto })
  readonly progress!: RunProgressDto;

  @ApiProperty({ ...USAGE })
  readonly usage!: Usage;

  @ApiProperty({ description: 'US dollars.', example: 0 })
  readonly costUsd!: number;

  @ApiPropertyOptional({ description: 'The code of the failure, where the run failed.' })
  readonly failureCode?: string;

  @ApiProperty({ type: [String] })
  readonly tags!: readonly string[];

  @ApiProperty({ type: 'integer', minimum: 0, maximum: 100, example: 50 })
  readonly priority!: number;

  @ApiProperty({ type: 'integer', description: 'Sequence number of the last event.', example: 6 })
  readonly lastSeq!: number;

  @ApiProperty({ type: () => RunLinksDto })
  readonly links!: RunLinksDto;
}

/** A run. */
export class RunDto extends RunItemDto {
  @ApiPropertyOptional({
    type: () => RunParentDto,
    description: 'The run whose step this one is the work of.',
  })
  readonly parent?: RunParentDto;

  @ApiProperty({ ...ANY_JSON, description: 'Any JSON.' })
  readonly input!: Json;

  @ApiProperty({ ...ANY_JSON, description: 'What the steps share.' })
  readonly context!: JsonObject;

  @ApiPropertyOptional({ ...ANY_JSON, description: 'Any JSON; once the run has completed.' })
  readonly output?: Json;

  @ApiPropertyOptional(FAILURE)
  readonly failure?: Failure;

  @ApiPropertyOptional({ type: () => ForkOriginDto, description: 'Of a fork: where it comes from.' })
  readonly forkedFrom?: ForkOriginDto;

  @ApiPropertyOptional({ type: 'integer', description: 'How often it was retried; absent where it was not.' })
  readonly retries?: number;

  @ApiProperty({ ...ANY_JSON, description: 'The exact version of everything that the run resolved.' })
  readonly manifest!: ManifestView;
}

/** A file that a step made. */
export class ArtifactDto {
  @ApiProperty({ example: 'mix.pattern.svg' })
  readonly name!: string;

  @ApiProperty({ example: 'image/svg+xml' })
  readonly mediaType!: string;

  @ApiProperty({ type: 'integer', example: 20_480 })
  readonly bytes!: number;

  @ApiProperty({ description: 'Where the content is read.' })
  readonly href!: string;
}

/** A large value that is not in a list of steps. */
export class BlobDto {
  @ApiProperty({ description: 'SHA-256 of the JSON text, hexadecimal.' })
  readonly hash!: string;

  @ApiProperty({ type: 'integer', example: 5_242_880 })
  readonly bytes!: number;

  @ApiProperty({ description: 'Where the value is read.' })
  readonly href!: string;
}

const LISTED = 'In its place in a list of steps that has 4 MiB of large values before it.';

/** What a step holds: its items, its iterations, or the steps of its body. */
export class HeldDto {
  @ApiProperty({ enum: ['items', 'iterations', 'body'] })
  readonly kind!: HeldView['kind'];

  @ApiProperty({ type: 'integer', description: 'Of iterations: those that have begun.', example: 3 })
  readonly total!: number;

  @ApiProperty({ type: 'integer', example: 1 })
  readonly completed!: number;

  @ApiProperty({ type: 'integer', example: 0 })
  readonly failed!: number;

  @ApiProperty({
    type: [String],
    description: 'Paths of those under way, at most 100.',
    example: ['parts[1]', 'parts[2]'],
  })
  readonly open!: readonly string[];
}

/** One step of a run, or one item or iteration of a step. */
export class StepDto {
  @ApiProperty({ example: 'greet' })
  readonly id!: string;

  @ApiProperty({ description: 'Where it stands: `parts[2]`, `polish[3]/check`.', example: 'greet' })
  readonly path!: string;

  @ApiProperty({ enum: Object.keys(STEP_READERS), example: 'agent' })
  readonly kind!: StepKind;

  @ApiPropertyOptional({ description: 'The agent that it calls, where it calls one.', example: 'scripted' })
  readonly agent?: string;

  @ApiProperty({ enum: STEP_STATUSES })
  readonly status!: StepStatus;

  @ApiProperty({ type: [String], description: 'Stated and implied by what its expressions read.' })
  readonly dependsOn!: readonly string[];

  @ApiProperty({ type: 'integer', description: 'Attempts started.', example: 1 })
  readonly attempts!: number;

  @ApiPropertyOptional(INSTANT)
  readonly startedAt?: string;

  @ApiPropertyOptional(INSTANT)
  readonly endedAt?: string;

  @ApiPropertyOptional({ ...INSTANT, description: 'When the next attempt starts, while `retrying`.' })
  readonly retryAt?: string;

  @ApiPropertyOptional({ ...INSTANT, description: 'When it stops to wait by itself, while `waiting`.' })
  readonly waitsUntil?: string;

  @ApiPropertyOptional({
    ...ANY_JSON,
    description:
      'The resolved input; any JSON. Of an item or iteration that has completed the log alone has it.',
  })
  readonly input?: Json;

  @ApiPropertyOptional({ type: () => BlobDto, description: LISTED })
  readonly inputRef?: BlobDto;

  @ApiPropertyOptional({ ...ANY_JSON, description: 'Any JSON.' })
  readonly output?: Json;

  @ApiPropertyOptional({ type: () => BlobDto, description: LISTED })
  readonly outputRef?: BlobDto;

  @ApiPropertyOptional(FAILURE)
  readonly failure?: Failure;

  @ApiPropertyOptional({ type: () => HeldDto, description: 'What it holds, once it has started.' })
  readonly holds?: HeldDto;

  @ApiPropertyOptional({ type: () => [ArtifactDto], description: 'Files that the step made.' })
  readonly artifacts?: readonly ArtifactDto[];

  @ApiPropertyOptional({
    type: () => SubRunDto,
    description: 'The run that does the work of the last attempt, where that is a run of its own.',
  })
  readonly subRun?: SubRunDto;

  @ApiPropertyOptional({
    enum: ['condition-false', 'dependencies-skipped', 'dependencies-failed', 'nothing-to-catch'],
  })
  readonly skipReason?: SkipReason;

  @ApiProperty({ ...USAGE })
  readonly usage!: Usage;

  @ApiProperty({ description: 'US dollars.', example: 0 })
  readonly costUsd!: number;
}

/** One event of a run, as stored and as sent everywhere. */
export class RunEventDto {
  @ApiProperty()
  readonly runId!: string;

  @ApiProperty({ type: 'integer', description: '1, 2, 3, … within the run, without a gap.', example: 1 })
  readonly seq!: number;

  @ApiProperty({ example: 'step.completed' })
  readonly type!: string;

  @ApiProperty(INSTANT)
  readonly at!: string;

  @ApiPropertyOptional({ example: 'greet' })
  readonly stepId?: string;

  @ApiPropertyOptional({ description: 'Absent when it equals `stepId`.' })
  readonly path?: string;

  @ApiPropertyOptional({ type: 'integer', example: 1 })
  readonly attempt?: number;

  @ApiProperty({ ...ANY_JSON, description: 'By type: see docs/events.md.' })
  readonly data!: JsonObject;
}

/** Events that were asked for are not kept any more. */
export class ResetDto {
  @ApiProperty()
  readonly runId!: string;

  @ApiProperty({ type: 'integer', description: 'The number of the last event that there was.' })
  readonly seq!: number;

  @ApiProperty({ enum: [true] })
  readonly reset!: true;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'The run as a list showed it last, without links, and `purgedAt`.',
  })
  readonly snapshot!: PurgedRun;
}

/** A page of events. */
export class EventPageDto {
  @ApiProperty({ type: () => [RunEventDto] })
  readonly items!: readonly RunEventDto[];

  @ApiProperty({ type: 'integer', description: 'The last sequence number that the log has.', example: 6 })
  readonly lastSeq!: number;

  @ApiProperty({ description: 'Whether events after the last one here exist.', example: false })
  readonly more!: boolean;

  @ApiPropertyOptional({
    type: () => ResetDto,
    description: 'Present when the run was deleted: forget its events, and take the snapshot.',
  })
  readonly reset?: ResetDto;
}
