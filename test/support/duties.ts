/** Duties over a record in memory. */
import { DutyRoster } from '../../src/platform/duties/duty-roster.js';
import { DrainService } from '../../src/platform/lifecycle/drain.service.js';
import type { Bell } from '../../src/platform/ports/bell.js';
import { InProcessBell } from '../../src/storage/memory/in-process-bell.js';
import { ManualClock } from './manual-clock.js';
import { memoryStores } from './memory-stores.js';

/** A roster of one process; two on the same stores and bell are two processes. */
export function aRoster({
  clock = new ManualClock(),
  stores = memoryStores(clock),
  bell = new InProcessBell(),
}: {
  readonly clock?: ManualClock;
  readonly stores?: Pick<ReturnType<typeof memoryStores>, 'duties'>;
  readonly bell?: Bell;
} = {}): DutyRoster {
  return new DutyRoster(stores.duties, bell, clock, new DrainService());
}
