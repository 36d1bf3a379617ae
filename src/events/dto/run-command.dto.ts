import { IsBoolean, IsIn, IsInt, IsOptional, IsString, Matches, Max, MaxLength, Min } from 'class-validator';

import type { Json } from '../../kernel/json.js';
import { RawJson } from '../../platform/http/dto.decorator.js';
import { RUN_STATUSES, type RunStatus } from '../../runs/domain/run.status.js';

/** The payload of commands that name a run and nothing else. */
export class RunReferenceDto {
  @IsString()
  @MaxLength(100)
  readonly runId!: string;
}

/** The payload of `run.pause`. */
export class StopRunDto extends RunReferenceDto {
  @IsOptional()
  @IsString()
  @MaxLength(500)
  readonly reason?: string;
}

/** The payload of `run.cancel`. */
export class CancelCommandDto extends StopRunDto {
  @IsOptional()
  @IsBoolean()
  readonly compensate?: boolean;
}

/** The payload of `run.signal`. */
export class SignalCommandDto extends RunReferenceDto {
  @IsString()
  @MaxLength(128)
  readonly name!: string;

  @IsOptional()
  @RawJson()
  readonly data?: Json;
}

/** The payload of `run.subscribe`. */
export class SubscribeDto extends RunReferenceDto {
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  readonly afterSeq?: number;
}

/** The payload of `runs.watch`: the filters of `GET /runs` that a change can be compared with. */
export class WatchRunsDto {
  @IsOptional()
  @IsIn(RUN_STATUSES)
  readonly status?: RunStatus;

  @IsOptional()
  @Matches(/^wf_[a-z0-9_]{1,64}$/)
  readonly workflowId?: string;
}

/** The payload of commands that have nothing to say. */
// eslint-disable-next-line @typescript-eslint/no-extraneous-class -- a payload is described by a class
export class EmptyDto {}
