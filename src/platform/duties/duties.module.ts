import { Global, Module } from '@nestjs/common';

import { DutyRoster } from './duty-roster.js';

/** Work that one process does for all. Global, so that every feature can register a duty. */
@Global()
@Module({ providers: [DutyRoster], exports: [DutyRoster] })
export class DutiesModule {}
