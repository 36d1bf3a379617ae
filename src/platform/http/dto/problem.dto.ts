import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';

/** One problem in what a caller sent. */
@ApiSchema({ name: 'Issue' })
export class IssueDto {
  @ApiProperty({
    description: 'JSON Pointer (RFC 6901) from the root of the body, or of the query',
    example: '/limit',
  })
  readonly pointer!: string;

  @ApiProperty({ description: 'Stable code', example: 'field.invalid' })
  readonly code!: string;

  @ApiProperty({ description: 'What was expected', example: 'limit must not be greater than 200' })
  readonly message!: string;
}

/** The body of every refusal and failure (RFC 9457). */
@ApiSchema({ name: 'ProblemDocument' })
export class ProblemDocumentDto {
  @ApiProperty({ description: 'Where the code is explained', example: '/problems/request.invalid' })
  readonly type!: string;

  @ApiProperty({
    description: 'One line, the same for every occurrence',
    example: 'The request is not valid',
  })
  readonly title!: string;

  @ApiProperty({ type: 'integer', description: 'The HTTP status', minimum: 400, maximum: 599, example: 400 })
  readonly status!: number;

  @ApiProperty({ description: 'What was wrong this time', example: '1 problem in the query' })
  readonly detail!: string;

  @ApiPropertyOptional({ description: 'The path of the request', example: '/api/v1/runs' })
  readonly instance?: string;

  @ApiProperty({ description: 'Stable code: decide by this', example: 'request.invalid' })
  readonly code!: string;

  @ApiPropertyOptional({
    description: 'Quote it when you ask for help',
    example: 'req_019aaf3c7c5e7b1c9d2f4a6b8c0d1e2f',
  })
  readonly requestId?: string;

  @ApiProperty({ description: 'Whether the same request may succeed later', example: false })
  readonly retryable!: boolean;

  @ApiPropertyOptional({ type: 'integer', description: 'Seconds to wait before another try', example: 1 })
  readonly retryAfter?: number;

  @ApiPropertyOptional({ type: () => [IssueDto], description: 'Everything that is wrong with the request' })
  readonly issues?: readonly IssueDto[];

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: 'More for machines, by code',
  })
  readonly details?: Readonly<Record<string, unknown>>;
}

/** What all problems of one code have in common. */
@ApiSchema({ name: 'ProblemType' })
export class ProblemTypeDto {
  @ApiProperty({ description: 'The `type` of such problems', example: '/problems/run.not-found' })
  readonly type!: string;

  @ApiProperty({ description: 'Stable code', example: 'run.not-found' })
  readonly code!: string;

  @ApiProperty({ description: 'One line, the same for every occurrence', example: 'No such run' })
  readonly title!: string;

  @ApiProperty({ type: 'integer', description: 'The HTTP status where it is an answer', example: 404 })
  readonly status!: number;

  @ApiProperty({ description: 'Whether the same request may succeed later', example: false })
  readonly retryable!: boolean;
}

/** Every code. */
@ApiSchema({ name: 'ProblemTypeList' })
export class ProblemTypeListDto {
  @ApiProperty({ type: () => [ProblemTypeDto], description: 'Sorted by code' })
  readonly items!: readonly ProblemTypeDto[];
}
