import { Controller, Get, Header, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import type { JsonObject } from '../kernel/json.js';
import { Public } from '../platform/auth/public.decorator.js';
import { WithoutRateLimit } from '../platform/http/rate-class.decorator.js';
import { definitionJsonSchema } from './domain/definition-json-schema.js';

/** The schema of definitions, for editors: no key, no limit. */
@ApiTags('Workflows')
@WithoutRateLimit()
@Controller({ path: 'schemas', version: VERSION_NEUTRAL })
export class WorkflowSchemaController {
  @Get('workflow.json')
  @Public()
  @Header('content-type', 'application/schema+json; charset=utf-8')
  @ApiOperation({
    summary: 'The JSON Schema of a definition',
    description: 'For editors: they complete and check a file that is said to follow it.',
  })
  @ApiOkResponse({ schema: { type: 'object', additionalProperties: true } })
  schema(): JsonObject {
    return definitionJsonSchema();
  }
}
