/** Clients that are cut off while runs go on and the process that answers is killed and restarted. */
import type { Member } from '../support/cluster.js';
import type { CaptureEvidence } from '../support/invariants/evidence.js';
import { until } from '../support/until.js';
import { DropTally } from './drop-tally.js';
import { Droppers } from './droppers.js';
import { report } from './fault-report.js';
import type { Load } from './load.js';
import { readBack } from './read-back.js';
import type { RunStands } from './run-stands.js';
import { seededRandom } from './seed.js';

export interface Dropping {
  /** How it is called in the report. */
  readonly name: string;
  /** The process that answers. */
  readonly front: Member;
  /** Whose runs are followed. */
  readonly load: Load;
  readonly stands: RunStands;
  /** How often clients are cut off. */
  readonly drops: number;
}

type Fault = 'killed' | 'restarted';

const CLIENTS = 24;
/** One fault of the process that answers for so many drops, and one of each kind at least. */
const DROPS_PER_FAULT = 50;
const DEADLINE_MS = 120_000;
const PACE_MS = 20;
/** The matrix has none: what people who look at a page hardly notice. */
const LEVEL_BAR_MS = 1_000;

/**
 * Cuts clients off until they have dropped often enough, with faults of the process that answers in between, and ends
 * the load. Answers all that clients have received, and what is read of their runs in the end.
 */
export async function dropUnderLoad(dropping: Dropping): Promise<readonly CaptureEvidence[]> {
  const { front, load, stands, drops } = dropping;
  const tally = new DropTally(drops, seededRandom(91));
  const { url } = front.process;
  const nextRun = (after: string | undefined): string | undefined => {
    const newest = load.accepted.at(-1)?.runId;
    return newest === after ? undefined : newest;
  };
  const crowd = new Droppers({ url, nextRun, stands, tally, random: seededRandom(92) }, CLIENTS);
  try {
    const faults = Math.max(2, Math.floor(drops / DROPS_PER_FAULT));
    for (let n = 0; n < faults; n += 1) {
      await untilDropped(tally, Math.floor((drops * (n + 1)) / (faults + 1)));
      await breakDown(front, crowd, n % 2 === 0 ? 'killed' : 'restarted');
    }
    await untilDropped(tally, drops);
    await load.stop();
    crowd.stop();
    await until(() => crowd.areDone, 'all clients have everything', DEADLINE_MS, PACE_MS);
  } finally {
    await crowd.leave();
  }
  expect(tally.surprises).toEqual([]);
  tell(dropping, tally);
  const captures = crowd.captured();
  const runIds = new Set(captures.map(({ runId }) => runId));
  return [...captures, ...(await readBack(url, runIds, seededRandom(93)))];
}

async function untilDropped(tally: DropTally, drops: number): Promise<void> {
  await until(() => tally.drops >= drops, `clients have dropped ${drops} times`, DEADLINE_MS, PACE_MS);
}

/** Ends the process that answers, lets clients find nobody, and starts it again. Every second one was cut off before. */
async function breakDown(front: Member, crowd: Droppers, fault: Fault): Promise<void> {
  const { tally } = crowd;
  const refused = tally.countOf('refused');
  crowd.cutHalf();
  if (fault === 'killed') await front.kill();
  else expect((await front.stop()).code).toBe(0);
  await until(() => tally.countOf('refused') > refused, 'a client finds nobody', DEADLINE_MS, PACE_MS);
  await front.start();
  tally.count(fault);
}

function tell({ name, drops }: Dropping, tally: DropTally): void {
  process.stderr.write(`F9, ${name}: ${JSON.stringify(tally.table())}\n`);
  const what = `drops, ${name}`;
  report([
    { fault: 'F9', what, unit: 'drops', bar: drops, isFloor: true, values: [tally.drops] },
    { fault: 'F9', what: `back to level with the log, ${name}`, bar: LEVEL_BAR_MS, values: tally.levelMs },
  ]);
}
