import { IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';

/** The payload of commands that name a run and nothing else. */
export class RunReferenceDto {
  @IsString()
  @MaxLength(100)
  readonly runId!: string;
}

/** The payload of `run.cancel` and `run.pause`. */
export class StopRunDto extends RunReferenceDto {
  @IsOptional()
  @IsString()
  @MaxLength(500)
  readonly reason?: string;
}

/** The payload of `run.subscribe`. */
export class SubscribeDto extends RunReferenceDto {
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  readonly afterSeq?: number;
}
