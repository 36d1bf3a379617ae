import { Body, Controller, HttpCode, HttpStatus, Param, Post, Req, Res, type Type } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { CurrentPrincipal } from '../platform/auth/principal.decorator.js';
import type { Principal } from '../platform/auth/principal.js';
import { ApiProblems } from '../platform/http/api.decorator.js';
import { httpErrors } from '../platform/http/http.errors.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import type { RunView } from '../runs/domain/view.js';
import { startRequestOf } from '../runs/start-options.dto.js';
import { StartResponder } from '../runs/start-responder.js';
import { definitionErrors } from '../workflows/domain/definition.errors.js';
import { patternErrors } from './domain/pattern.errors.js';
import { PATTERN_NAMES, type PatternName } from './domain/patterns.js';
import { ApiPattern } from './dto/api-pattern.decorator.js';
import { CompiledPatternDto, CompilePatternDto, StartPatternDto } from './dto/pattern.dto.js';
import { PatternService } from './pattern.service.js';

const ROUTE = 'orchestrations';
const TAG = 'Orchestrations';
const PATTERN_SCHEMA = { type: 'string', enum: [...PATTERN_NAMES], example: 'sequential' };

/** Showing what a pattern comes to. */
@ApiTags(TAG)
@Controller(ROUTE)
export class OrchestrationController {
  constructor(private readonly patterns: PatternService) {}

  @Post(':pattern/compile')
  @HttpCode(HttpStatus.OK)
  @RateClass('read')
  @ApiOperation({
    summary: 'Show the definition of a pattern without running it',
    description: 'The definition may be kept as a workflow, or changed and run by `POST /runs`.',
  })
  @ApiParam({ name: 'pattern', schema: PATTERN_SCHEMA })
  @ApiOkResponse({ type: CompiledPatternDto })
  @ApiProblems(
    httpErrors['request.invalid'],
    patternErrors['pattern.not-found'],
    definitionErrors['definition.invalid'],
  )
  async compile(
    @Param('pattern') pattern: string,
    @Body() { parameters }: CompilePatternDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<CompiledPatternDto> {
    return { pattern, definition: await this.patterns.definition(namespace, { pattern, parameters }) };
  }
}

/** Starting a run of each pattern: each has an operation with parameters and an example of its own. */
export const startControllers: readonly Type[] = PATTERN_NAMES.map(startControllerOf);

function startControllerOf(pattern: PatternName): Type {
  @ApiTags(TAG)
  @Controller(ROUTE)
  class StartController {
    constructor(
      private readonly patterns: PatternService,
      private readonly starts: StartResponder,
    ) {}

    @Post(pattern)
    @RateClass('start')
    @ApiPattern(pattern)
    start(
      @Body() { parameters, ...options }: StartPatternDto,
      @CurrentPrincipal() { namespace }: Principal,
      @Req() request: FastifyRequest,
      @Res({ passthrough: true }) reply: FastifyReply,
    ): Promise<RunView> {
      return this.patterns.carryOut({ pattern, parameters }, (definition) =>
        this.starts.answer(startRequestOf(options, { definition }, { namespace }), request, reply),
      );
    }
  }
  return StartController;
}
