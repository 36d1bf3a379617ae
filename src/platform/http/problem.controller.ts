import { Controller, Get, Param, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';

import { AppError, type ErrorType } from '../../kernel/failure.js';
import { Public } from '../auth/public.decorator.js';
import { ApiProblems } from './api.decorator.js';
import { ProblemTypeDto, ProblemTypeListDto } from './dto/problem.dto.js';
import { ErrorCatalogue } from './error.catalogue.js';
import { httpErrors } from './http.errors.js';
import { statusOf } from './problem.js';
import { WithoutRateLimit } from './rate-class.decorator.js';

/** Where the `type` of a problem document leads. */
@ApiTags('Problems')
@WithoutRateLimit()
@Controller({ path: 'problems', version: VERSION_NEUTRAL })
export class ProblemController {
  constructor(private readonly catalogue: ErrorCatalogue) {}

  @Get()
  @Public()
  @ApiOperation({ summary: 'List every code that a problem or a failure may have' })
  @ApiOkResponse({ type: ProblemTypeListDto })
  list(): ProblemTypeListDto {
    return { items: this.catalogue.list().map(describe) };
  }

  @Get(':code')
  @Public()
  @ApiOperation({ summary: 'Explain one code' })
  @ApiParam({ name: 'code', example: 'run.not-found' })
  @ApiOkResponse({ type: ProblemTypeDto })
  @ApiProblems(httpErrors['route.not-found'])
  get(@Param('code') code: string): ProblemTypeDto {
    const type = this.catalogue.find(code);
    if (type === undefined) throw AppError.of(httpErrors['route.not-found'], 'There is no such code');
    return describe(type);
  }
}

function describe({ code, title, kind, retryable }: ErrorType): ProblemTypeDto {
  return { type: `/problems/${code}`, code, title, status: statusOf(kind), retryable };
}
