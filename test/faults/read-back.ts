/** What the service answers of runs that are over, by each way of reading them, as captures for the checker. */
import type { RunEvent } from '../../src/runs/domain/run.events.js';
import { eventsOf } from '../support/api.js';
import type { CaptureEvidence } from '../support/invariants/evidence.js';
import type { SeededRandom } from '../simulation/seeded-random.js';

interface Page {
  readonly items: readonly RunEvent[];
  readonly more: boolean;
}

/** Reads each run as JSON in pages, as lines, and as a stream after any of its events. */
export async function readBack(
  url: string,
  runIds: Iterable<string>,
  random: SeededRandom,
): Promise<readonly CaptureEvidence[]> {
  const captures: CaptureEvidence[] = [];
  for (const runId of runIds) {
    const address = `${url}/api/v1/runs/${runId}/events`;
    const whole = { runId, afterSeq: 0, isWhole: true };
    const events = await pagesOf(address, 1 + random.below(20));
    captures.push({ ...whole, from: 'rest', events });
    captures.push({ ...whole, from: 'lines', events: await linesOf(address) });
    const afterSeq = random.below(events.length + 1);
    captures.push({ ...whole, from: 'sse at the end', afterSeq, events: await streamOf(address, afterSeq) });
  }
  return captures;
}

async function pagesOf(address: string, limit: number): Promise<readonly RunEvent[]> {
  const events: RunEvent[] = [];
  for (let more = true; more;) {
    const answer = await fetch(`${address}?limit=${limit}&afterSeq=${events.length}`);
    const page = (await answer.json()) as Page;
    events.push(...page.items);
    more = page.more && page.items.length > 0;
  }
  return events;
}

async function linesOf(address: string): Promise<readonly RunEvent[]> {
  const answer = await fetch(address, { headers: { accept: 'application/x-ndjson' } });
  const lines = (await answer.text()).split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as RunEvent);
}

async function streamOf(address: string, afterSeq: number): Promise<readonly RunEvent[]> {
  const headers = { accept: 'text/event-stream', 'last-event-id': String(afterSeq) };
  return Array.fromAsync(eventsOf(await fetch(address, { headers })));
}
