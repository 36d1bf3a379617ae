import { InProcessBell } from '../../src/storage/memory/in-process-bell.js';
import { InProcessHotStore } from '../../src/storage/memory/in-process-hot.store.js';
import { InProcessRateStore } from '../../src/storage/memory/in-process-rate.store.js';
import { InProcessRunFeed } from '../../src/storage/memory/in-process-run.feed.js';
import { InProcessRunQueue } from '../../src/storage/memory/in-process-run.queue.js';
import { ManualClock } from '../support/manual-clock.js';
import { memoryStores } from '../support/memory-stores.js';
import { bellContract } from './bell.contract.js';
import { hotStoreContract } from './hot-store.contract.js';
import { rateStoreContract } from './rate-store.contract.js';
import { recordContract } from './record.contract.js';
import { runFeedContract } from './run-feed.contract.js';
import { runQueueContract } from './run-queue.contract.js';

const destroy = (): Promise<void> => Promise.resolve();

recordContract({ name: 'memory', create: () => Promise.resolve(memoryStores()), destroy });

runFeedContract({
  name: 'in-process',
  create: () => {
    const stores = memoryStores();
    return Promise.resolve({ ...stores, feed: new InProcessRunFeed(stores.runs) });
  },
  destroy,
});

runQueueContract({
  name: 'in-process',
  hasOthers: false,
  create: () => {
    const queue = new InProcessRunQueue();
    return Promise.resolve([queue, queue, queue]);
  },
  destroy,
});

bellContract({
  name: 'in-process',
  create: () => {
    const bell = new InProcessBell();
    return Promise.resolve([bell, bell]);
  },
  destroy,
});

hotStoreContract({
  name: 'in-process',
  create: () => {
    const clock = new ManualClock();
    return Promise.resolve({
      hot: new InProcessHotStore(clock),
      advance: (ms) => {
        clock.advance(ms);
      },
    });
  },
  destroy,
});

rateStoreContract({
  name: 'in-process',
  create: () => {
    const clock = new ManualClock();
    return Promise.resolve({
      stores: [new InProcessRateStore(clock)],
      advance: (ms) => {
        clock.advance(ms);
      },
    });
  },
  destroy,
});
