import { Injectable } from '@nestjs/common';

import { Clock } from '../../platform/clock/clock.js';
import { RunFeed } from '../run.feed.js';
import { RunInbox } from '../run.inbox.js';
import { RunLease } from '../run.lease.js';
import { RunQueue } from '../run.queue.js';
import { RunStore } from '../run.store.js';
import { AttemptExecutor } from './attempt.executor.js';
import { CommandRefusals } from './command-refusals.js';
import { ContentLoader } from './content.loader.js';
import { OwnerService } from './owner.service.js';
import { StartGate } from './start.gate.js';
import { TimerService } from './timer.service.js';

/** The record as a loop uses it, and who hears what it does not tell. */
@Injectable()
export class LoopRecord {
  constructor(
    readonly store: RunStore,
    readonly lease: RunLease,
    readonly inbox: RunInbox,
    readonly feed: RunFeed,
    readonly contents: ContentLoader,
    readonly refusals: CommandRefusals,
  ) {}
}

/** What every loop of this process works with. */
@Injectable()
export class LoopTools {
  constructor(
    readonly record: LoopRecord,
    readonly clock: Clock,
    readonly timers: TimerService,
    readonly gate: StartGate,
    readonly owner: OwnerService,
    readonly executor: AttemptExecutor,
    readonly queue: RunQueue,
  ) {}
}
