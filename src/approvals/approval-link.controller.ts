import { Body, Controller, Get, HttpCode, HttpStatus, Param, Post, Req, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { Public } from '../platform/auth/public.decorator.js';
import { ApiProblems } from '../platform/http/api.decorator.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import { approvalErrors } from './approval.errors.js';
import { ApprovalLinkService } from './approval-link.service.js';
import { AnswerApprovalDto, answerOf } from './dto/answer-approval.dto.js';
import { LinkedApprovalDto, linkedViewOf } from './dto/approval.dto.js';
import { LINK_TOKEN } from './examples.js';
import { requirePerson } from './people-only.js';

const TOKEN = {
  name: LINK_TOKEN,
  description: 'The token of a link; the example is made by the running service.',
  schema: { type: 'string' },
} as const;

/** For people outside: the token says which approval, and that they may answer it. */
@ApiTags('Approvals')
@Controller('approval-links')
export class ApprovalLinkController {
  constructor(private readonly links: ApprovalLinkService) {}

  @Get(':token')
  @Public()
  @RateClass('read')
  @ApiOperation({ summary: 'Read the approval that a link is for', description: 'Needs no API key.' })
  @ApiParam(TOKEN)
  @ApiOkResponse({ type: LinkedApprovalDto })
  @ApiProblems(
    approvalErrors['approval.not-found'],
    approvalErrors['approval.link-invalid'],
    approvalErrors['approval.link-expired'],
  )
  async get(@Param('token') token: string): Promise<LinkedApprovalDto> {
    return linkedViewOf(await this.links.show(token));
  }

  @Post(':token')
  @Public()
  @HttpCode(HttpStatus.OK)
  @RateClass('write')
  @ApiOperation({ summary: 'Answer the approval that a link is for', description: 'Needs no API key.' })
  @ApiParam(TOKEN)
  @ApiOkResponse({ type: LinkedApprovalDto, description: 'Recorded.' })
  @ApiAcceptedResponse({
    type: LinkedApprovalDto,
    description: 'In the inbox of the run, not recorded within 2 s.',
  })
  @ApiProblems(...Object.values(approvalErrors))
  async answer(
    @Param('token') token: string,
    @Body() body: AnswerApprovalDto,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<LinkedApprovalDto> {
    requirePerson(request);
    const { approval, isRecorded } = await this.links.answer(token, answerOf(body));
    if (!isRecorded) void reply.status(HttpStatus.ACCEPTED);
    return linkedViewOf(approval);
  }
}
