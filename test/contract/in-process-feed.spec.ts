import { InProcessRunFeed } from '../../src/storage/memory/in-process-run.feed.js';
import { runFeedContract } from './run-feed.contract.js';
import { describeOnSqlite } from './sql-engines.js';

// Over a record whose answers take their time, appends, reads and what is published really race.
describeOnSqlite((engine) => {
  runFeedContract({
    name: 'in-process',
    create: async () => {
      const stores = await engine.create();
      return { ...stores, feed: new InProcessRunFeed(stores.runs) };
    },
    destroy: () => engine.destroy(),
  });
});
