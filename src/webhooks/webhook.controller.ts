import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Req, Res } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import type { Page } from '../kernel/page.js';
import { CurrentPrincipal } from '../platform/auth/principal.decorator.js';
import type { Principal } from '../platform/auth/principal.js';
import { Clock } from '../platform/clock/clock.js';
import { ApiPage, ApiProblems } from '../platform/http/api.decorator.js';
import { PageQueryDto } from '../platform/http/dto/page.dto.js';
import { acceptedVersionsOf, ApiIfMatch, entityTagOf } from '../platform/http/if-match.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import { webhookErrors } from './domain/webhook.errors.js';
import type { Webhook } from './domain/webhook.js';
import { attemptViewOf, PingDto } from './dto/delivery.dto.js';
import {
  CreatedWebhookDto,
  WebhookDto,
  webhookViewOf,
  type WebhookView,
  WriteWebhookDto,
  writtenOf,
} from './dto/webhook.dto.js';
import { EXAMPLE_OLD_WEBHOOK, EXAMPLE_WEBHOOK } from './examples.js';
import { WebhookService } from './webhook.service.js';

const WEBHOOK_ID = { name: 'id', example: EXAMPLE_WEBHOOK } as const;

@ApiTags('Webhooks')
@Controller('webhooks')
export class WebhookController {
  constructor(
    private readonly webhooks: WebhookService,
    private readonly clock: Clock,
  ) {}

  /** Without `Idempotency-Key`: an answer that is kept would keep the secret. */
  @Post()
  @RateClass('write')
  @ApiOperation({
    summary: 'Create a webhook',
    description:
      'Events are sent by POST as they stand in the log, signed as Standard Webhooks says: `webhook-id`, ' +
      '`webhook-timestamp`, `webhook-signature`. At least once, and those of a run in order; each is tried for a day.',
  })
  @ApiCreatedResponse({ type: CreatedWebhookDto, description: '`Location` leads to the webhook.' })
  @ApiProblems(webhookErrors['webhook.invalid'])
  async create(
    @Body() body: WriteWebhookDto,
    @CurrentPrincipal() { namespace }: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CreatedWebhookDto> {
    const { webhook, secret } = await this.webhooks.create(namespace, writtenOf(body));
    void reply.header('Location', `/api/v1/webhooks/${webhook.id}`);
    return { ...this.answer(webhook, reply), secret };
  }

  @Get()
  @RateClass('read')
  @ApiOperation({ summary: 'List webhooks, newest first', description: 'Without their secrets.' })
  @ApiPage(WebhookDto, 'Webhooks, newest first')
  async list(
    @Query() { limit, cursor }: PageQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<Page<WebhookDto>> {
    const page = { limit, ...(cursor !== undefined && { cursor }) };
    const { items, ...rest } = await this.webhooks.list(namespace, page);
    const now = this.clock.now();
    return { ...rest, items: items.map((webhook) => webhookViewOf(webhook, now)) };
  }

  @Get(':id')
  @RateClass('read')
  @ApiOperation({ summary: 'Read a webhook', description: 'With what is known of an address that fails.' })
  @ApiParam(WEBHOOK_ID)
  @ApiOkResponse({ type: WebhookDto })
  @ApiProblems(webhookErrors['webhook.not-found'])
  async get(
    @Param('id') id: string,
    @CurrentPrincipal() { namespace }: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<WebhookDto> {
    return this.answer(await this.webhooks.get(namespace, id), reply);
  }

  @Put(':id')
  @RateClass('write')
  @ApiIfMatch()
  @ApiOperation({
    summary: 'Say anew what a webhook is',
    description: 'What is left out has its default; the secret stays. Closes its breaker.',
  })
  @ApiParam(WEBHOOK_ID)
  @ApiOkResponse({ type: WebhookDto })
  @ApiProblems(
    webhookErrors['webhook.not-found'],
    webhookErrors['webhook.invalid'],
    webhookErrors['webhook.contended'],
  )
  async replace(
    @Param('id') id: string,
    @Body() body: WriteWebhookDto,
    @CurrentPrincipal() { namespace }: Principal,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<WebhookDto> {
    const accepted = acceptedVersionsOf(request);
    const edit = { namespace, id, ...(accepted !== undefined && { accepted }) };
    return this.answer(await this.webhooks.replace(edit, writtenOf(body)), reply);
  }

  @Delete(':id')
  @HttpCode(204)
  @RateClass('write')
  @ApiOperation({ summary: 'Delete a webhook with its deliveries' })
  @ApiParam({ ...WEBHOOK_ID, example: EXAMPLE_OLD_WEBHOOK })
  @ApiNoContentResponse({ description: 'Deleted.' })
  @ApiProblems(webhookErrors['webhook.not-found'])
  async delete(@Param('id') id: string, @CurrentPrincipal() { namespace }: Principal): Promise<void> {
    await this.webhooks.delete(namespace, id);
  }

  @Post(':id/ping')
  @HttpCode(200)
  @RateClass('execute')
  @ApiOperation({
    summary: 'Send a test message',
    description: 'A signed `webhook.ping`, once, enabled or not. Answers what came of it.',
  })
  @ApiParam(WEBHOOK_ID)
  @ApiOkResponse({ type: PingDto })
  @ApiProblems(webhookErrors['webhook.not-found'])
  async ping(@Param('id') id: string, @CurrentPrincipal() { namespace }: Principal): Promise<PingDto> {
    const { id: messageId, attempt } = await this.webhooks.ping(namespace, id);
    return { id: messageId, ...attemptViewOf(attempt) };
  }

  private answer(webhook: Webhook, reply: FastifyReply): WebhookView {
    void reply.header('ETag', entityTagOf(webhook.version));
    return webhookViewOf(webhook, this.clock.now());
  }
}
