/**
 * Counting the whole log again, for figures that were lost or that are doubted.
 *
 * Decided here: that everything is forgotten first, and counted page by page to the present end. A service that counts
 * at the same time takes part: each page is kept once, whoever has read it, so the figures come out the same.
 */
import type { LogPage, RunLog } from '../runs/run.log.js';
import { MetricCounter, PageRefused, type CountedRecord } from './metric-counter.js';

/** Events in a page, about. */
const PAGE_SIZE = 10_000;

/**
 * Forgets all figures and counts what the log holds. What retention has removed from the log is gone from the figures
 * as well.
 *
 * @returns how many events were counted here
 */
export async function rebuildFigures(record: CountedRecord, log: RunLog): Promise<number> {
  await record.metrics.reset();
  const counter = new MetricCounter(record);
  for (let counted = 0; ;) {
    const from = await counter.cursor();
    const page = await log.readAfter(from, PAGE_SIZE);
    if (page.entries.length > 0 && (await isTaken(counter, from, page))) counted += page.entries.length;
    if (!page.more) return counted;
  }
}

/** False when another counter was quicker, which then has counted the page. */
async function isTaken(counter: MetricCounter, from: string, page: LogPage): Promise<boolean> {
  try {
    await counter.take(from, page);
    return true;
  } catch (error) {
    if (error instanceof PageRefused) return false;
    throw error;
  }
}
