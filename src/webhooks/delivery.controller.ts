import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';

import type { Page } from '../kernel/page.js';
import { CurrentPrincipal } from '../platform/auth/principal.decorator.js';
import type { Principal } from '../platform/auth/principal.js';
import { ApiPage, ApiProblems } from '../platform/http/api.decorator.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import { webhookErrors } from './domain/webhook.errors.js';
import {
  DeliveryDto,
  DeliveryListQueryDto,
  deliveryViewOf,
  ReplayDto,
  ReplayedDto,
} from './dto/delivery.dto.js';
import { EXAMPLE_DELIVERY, EXAMPLE_WEBHOOK } from './examples.js';
import { WebhookService } from './webhook.service.js';

const WEBHOOK_ID = { name: 'id', example: EXAMPLE_WEBHOOK } as const;

/** What was delivered, and delivering it once more. */
@ApiTags('Webhooks')
@Controller('webhooks/:id')
export class DeliveryController {
  constructor(private readonly webhooks: WebhookService) {}

  @Get('deliveries')
  @RateClass('read')
  @ApiOperation({
    summary: 'List deliveries with their attempts, newest first',
    description: 'Settled ones are kept as long as runs are (`RUN_RETENTION_DAYS`).',
  })
  @ApiParam(WEBHOOK_ID)
  @ApiPage(DeliveryDto, 'Deliveries, newest first')
  @ApiProblems(webhookErrors['webhook.not-found'])
  async list(
    @Param('id') id: string,
    @Query() { status, runId, limit, cursor }: DeliveryListQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<Page<DeliveryDto>> {
    const filter = { ...(status !== undefined && { status }), ...(runId !== undefined && { runId }) };
    const page = { limit, ...(cursor !== undefined && { cursor }) };
    const { items, ...rest } = await this.webhooks.listDeliveries(namespace, id, filter, page);
    return { ...rest, items: items.map(deliveryViewOf) };
  }

  @Post('deliveries/:delivery/replay')
  @HttpCode(202)
  @RateClass('write')
  @ApiOperation({
    summary: 'Deliver once more',
    description:
      'With the same `webhook-id`, whatever became of it before. It may overtake others of its run.',
  })
  @ApiParam(WEBHOOK_ID)
  @ApiParam({ name: 'delivery', example: EXAMPLE_DELIVERY })
  @ApiAcceptedResponse({ type: DeliveryDto })
  @ApiProblems(webhookErrors['webhook.not-found'], webhookErrors['webhook.delivery-not-found'])
  async replay(
    @Param('id') id: string,
    @Param('delivery') deliveryId: string,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<DeliveryDto> {
    return deliveryViewOf(await this.webhooks.replay(namespace, id, deliveryId));
  }

  @Post('replay')
  @HttpCode(202)
  @RateClass('write')
  @ApiOperation({
    summary: 'Deliver the events of a span once more',
    description: 'All that are settled, delivered or failed, in the order of each run and with the same ids.',
  })
  @ApiParam(WEBHOOK_ID)
  @ApiAcceptedResponse({ type: ReplayedDto })
  @ApiProblems(webhookErrors['webhook.not-found'])
  async replaySpan(
    @Param('id') id: string,
    @Body() { from, to }: ReplayDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<ReplayedDto> {
    const span = { from: Date.parse(from), to: Date.parse(to) };
    return { count: await this.webhooks.replaySpan(namespace, id, span) };
  }
}
