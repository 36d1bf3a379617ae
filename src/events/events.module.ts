import { Module } from '@nestjs/common';

import { PatternsModule } from '../patterns/patterns.module.js';
import { RunsModule } from '../runs/runs.module.js';
import { AsyncApiController } from './asyncapi.controller.js';
import { CommandRates } from './command-rates.js';
import { CommandTable } from './command-table.js';
import { CommandService } from './command.service.js';
import { EventsGateway } from './events.gateway.js';
import { SocketLimits } from './socket-limits.js';
import { SocketProblems } from './socket-problem.js';
import { SubscriptionService } from './subscription.service.js';
import { WatchService } from './watch.service.js';

/** Live events: commands and runs' events over Socket.IO. */
@Module({
  imports: [PatternsModule, RunsModule],
  controllers: [AsyncApiController],
  providers: [
    CommandRates,
    CommandService,
    CommandTable,
    EventsGateway,
    SocketLimits,
    SocketProblems,
    SubscriptionService,
    WatchService,
  ],
})
export class EventsModule {}
