import { Body, Controller, Get, HttpCode, HttpStatus, Param, Post, Query, Req, Res } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiCreatedResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import type { Page } from '../kernel/page.js';
import { CurrentPrincipal } from '../platform/auth/principal.decorator.js';
import type { Principal } from '../platform/auth/principal.js';
import { ApiPage, ApiProblems } from '../platform/http/api.decorator.js';
import { Idempotent } from '../platform/http/idempotent.decorator.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import { approvalErrors } from './approval.errors.js';
import { ApprovalLinkService } from './approval-link.service.js';
import { ApprovalService } from './approval.service.js';
import {
  AnswerApprovalDto,
  answerOf,
  ApprovalListQueryDto,
  linkRequestOf,
  MakeLinkDto,
} from './dto/answer-approval.dto.js';
import { ApprovalDto, ApprovalLinkDto, approvalViewOf, linkViewOf } from './dto/approval.dto.js';
import { EXAMPLE_APPROVAL, LINK_TOKEN } from './examples.js';
import { requirePerson } from './people-only.js';

/** What the token of a link opens, as OpenAPI links operations: no token that holds can stand in a document. */
const LINKED_OPERATIONS = Object.fromEntries(
  ['get', 'answer'].map((method) => [
    method,
    { operationId: `ApprovalLink.${method}`, parameters: { [LINK_TOKEN]: '$response.body#/token' } },
  ]),
);

const ID = { name: 'id', example: EXAMPLE_APPROVAL };

@ApiTags('Approvals')
@Controller('approvals')
export class ApprovalController {
  constructor(
    private readonly approvals: ApprovalService,
    private readonly links: ApprovalLinkService,
  ) {}

  @Get()
  @RateClass('read')
  @ApiOperation({
    summary: 'List approvals, those asked for last first',
    description: 'With `status=open` it is the inbox of what waits for a decision.',
  })
  @ApiPage(ApprovalDto, 'Approvals, those asked for last first')
  async list(
    @Query() { limit, cursor, ...filter }: ApprovalListQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<Page<ApprovalDto>> {
    const page = { limit, ...(cursor !== undefined && { cursor }) };
    const { items, ...rest } = await this.approvals.list(namespace, filter, page);
    return { ...rest, items: items.map(approvalViewOf) };
  }

  @Get(':id')
  @RateClass('read')
  @ApiOperation({ summary: 'Read an approval' })
  @ApiParam(ID)
  @ApiOkResponse({ type: ApprovalDto })
  @ApiProblems(approvalErrors['approval.not-found'])
  async get(@Param('id') id: string, @CurrentPrincipal() { namespace }: Principal): Promise<ApprovalDto> {
    return approvalViewOf(await this.approvals.require(namespace, id));
  }

  @Post(':id/links')
  @RateClass('write')
  @Idempotent()
  @ApiOperation({
    summary: 'Make a link to an approval',
    description:
      'A signed address at which somebody without an API key sees this approval and answers it, and nothing else.',
  })
  @ApiParam(ID)
  @ApiCreatedResponse({ type: ApprovalLinkDto, links: LINKED_OPERATIONS })
  @ApiProblems(
    approvalErrors['approval.not-found'],
    approvalErrors['approval.not-assignee'],
    approvalErrors['approval.not-by-agent'],
  )
  async link(
    @Param('id') id: string,
    @Body() body: MakeLinkDto,
    @CurrentPrincipal() { namespace }: Principal,
    @Req() request: FastifyRequest,
  ): Promise<ApprovalLinkDto> {
    requirePerson(request);
    return linkViewOf(await this.links.make(namespace, id, linkRequestOf(body)));
  }

  @Post(':id')
  @HttpCode(HttpStatus.OK)
  @RateClass('write')
  @Idempotent()
  @ApiOperation({
    summary: 'Answer an approval',
    description:
      'The first answer counts: the same one again is answered like the first, another one is refused. Agents may not answer.',
  })
  @ApiParam(ID)
  @ApiOkResponse({ type: ApprovalDto, description: 'Recorded.' })
  @ApiAcceptedResponse({
    type: ApprovalDto,
    description: 'In the inbox of the run, not recorded within 2 s.',
  })
  @ApiProblems(...Object.values(approvalErrors).filter(({ code }) => !code.startsWith('approval.link')))
  async answer(
    @Param('id') id: string,
    @Body() body: AnswerApprovalDto,
    @CurrentPrincipal() principal: Principal,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ApprovalDto> {
    requirePerson(request);
    const who = await this.approvals.answererOf(principal);
    const { approval, isRecorded } = await this.approvals.answer(
      principal.namespace,
      id,
      answerOf(body),
      who,
    );
    if (!isRecorded) void reply.status(HttpStatus.ACCEPTED);
    return approvalViewOf(approval);
  }
}
