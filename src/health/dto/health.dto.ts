import { ApiProperty, type ApiPropertyOptions } from '@nestjs/swagger';

const INDICATORS: ApiPropertyOptions & { readonly type: 'object' } = {
  type: 'object',
  description: 'State by indicator',
  additionalProperties: {
    type: 'object',
    required: ['status'],
    properties: { status: { type: 'string', enum: ['up', 'down'] } },
    additionalProperties: true,
  },
};

/** Whether the service is ready. */
export class ReadinessDto {
  @ApiProperty({ enum: ['ok', 'error'], description: '`ok` when every indicator is up', example: 'ok' })
  readonly status!: string;

  @ApiProperty({ ...INDICATORS, description: 'Indicators that are up' })
  readonly info!: object;

  @ApiProperty({ ...INDICATORS, description: 'Indicators that are down' })
  readonly error!: object;

  @ApiProperty({ ...INDICATORS, example: { record: { status: 'up' }, lifecycle: { status: 'up' } } })
  readonly details!: object;
}

/** The process answers. */
export class LivenessDto {
  @ApiProperty({ enum: ['ok'], example: 'ok' })
  readonly status!: 'ok';
}

/** The state of the service as a whole. */
export class HealthDto {
  @ApiProperty({ enum: ['ok', 'error'], description: '`ok` when every indicator is up', example: 'ok' })
  readonly status!: string;

  @ApiProperty({ description: 'The version of the service', example: '0.1.0' })
  readonly version!: string;

  @ApiProperty({
    type: 'integer',
    description: 'Milliseconds since the start of the process',
    example: 60_000,
  })
  readonly uptimeMs!: number;

  @ApiProperty({ ...INDICATORS, example: { record: { status: 'up' }, lifecycle: { status: 'up' } } })
  readonly indicators!: object;
}
