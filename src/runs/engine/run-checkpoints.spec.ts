/** Checkpoints: when they are saved, and that a run is loaded with them. */
import { Logger } from '@nestjs/common';

import { aRun } from '../../../test/support/a-run.js';
import { EngineScene } from '../../../test/support/engine-scene.js';
import { ManualClock } from '../../../test/support/manual-clock.js';
import { memoryStores } from '../../../test/support/memory-stores.js';
import type { queuedEvent } from '../../../test/support/simulated-run.js';
import { essenceOf, RUN_ID, SimulatedRun } from '../../../test/support/simulated-run.js';
import { until } from '../../../test/support/until.js';
import { JsonSchemaService } from '../../platform/json-schema/json-schema.service.js';
import { evolve, replay } from '../domain/evolve.js';
import { FOLD_VERSION, textOfState } from '../domain/fold-text.js';
import { encodeEvent, type RunEvent } from '../domain/run.events.js';
import { initialState } from '../domain/run.state.js';
import type { RunStore } from '../run.store.js';
import { ForkHistory } from './fork-history.js';
import { EVENTS_WITHOUT_CHECKPOINT, RunCheckpoints } from './run-checkpoints.js';
import { RunLoader } from './run.loader.js';

Logger.overrideLogger(false);

/** A log of 100,000 events is made in some seconds on a loaded machine. */
jest.setTimeout(120_000);

const body = { steps: Array.from({ length: 5 }, (_, at) => ({ id: `a${String(at)}`, agent: 'scripted' })) };

/** Rounds of a loop whose body calls five agents: twelve events each. */
const rounds = (maxIterations: number): object => ({
  steps: [{ id: 'round', kind: 'loop', repeat: { maxIterations, body } }],
});

/** The log of a run of that many rounds. */
function played(maxIterations: number): SimulatedRun {
  const run = SimulatedRun.of(rounds(maxIterations));
  run.takeUp();
  for (let [open] = run.open.values(); open !== undefined; [open] = run.open.values())
    run.report(open, { output: open.path });
  return run;
}

function loaderOf(runs: RunStore): RunLoader {
  const clock = new ManualClock();
  return new RunLoader(runs, new JsonSchemaService(), new ForkHistory(memoryStores(clock).blobs, clock));
}

interface Watch {
  readonly read: { readonly afterSeq: number; readonly limit: number; readonly events: number }[];
  readonly saved: number[];
}

/** Counts what is read of logs, and notes the checkpoints that are saved. */
function watched(store: RunStore): Watch {
  const watch: Watch = { read: [], saved: [] };
  const read = store.read.bind(store);
  const save = store.saveCheckpoint.bind(store);
  store.read = async (...args) => {
    const page = await read(...args);
    watch.read.push({ ...args[2], events: page?.events.length ?? 0 });
    return page;
  };
  store.saveCheckpoint = (runId, checkpoint) => {
    watch.saved.push(checkpoint.seq);
    return save(runId, checkpoint);
  };
  return watch;
}

const total = ({ read }: Watch): number => read.reduce((sum, { events }) => sum + events, 0);

async function recorded(events: readonly RunEvent[]): Promise<RunStore> {
  const { runs } = memoryStores();
  await runs.create({ run: aRun({ id: RUN_ID, events: events.map(encodeEvent) }) });
  return runs;
}

describe('a run of 100,000 events', () => {
  it('is loaded from its last checkpoint, and there are few of them', async () => {
    const run = played(8_500);
    const { events, graph } = run;
    expect(events.length).toBeGreaterThan(100_000);
    const runs = await recorded(events);
    const watch = watched(runs);
    const checkpoints = new RunCheckpoints(runs, 0);
    const [first, ...rest] = events;
    let state = initialState(first as ReturnType<typeof queuedEvent>, graph);
    for (const event of rest) {
      state = evolve(state, event);
      checkpoints.passed(state);
    }
    const loaded = await loaderOf(runs).load('default', RUN_ID);

    expect(watch.saved.length).toBeGreaterThan(3);
    expect(watch.saved.length).toBeLessThan(40);
    expect(loaded?.checkpointSeq).toBe(watch.saved.at(-1));
    expect(total(watch)).toBe(EVENTS_WITHOUT_CHECKPOINT + events.length - (watch.saved.at(-1) ?? 0));
    expect(total(watch)).toBeLessThan(0.65 * events.length);
    expect(loaded?.state.status).toBe('completed');
    expect(loaded?.state.lastSeq).toBe(events.length);
  });
});

describe('a checkpoint', () => {
  const run = played(200);
  const half = run.events.slice(0, 400);
  const text = textOfState(replay(half, run.graph));

  it.each([
    ['of another version', { seq: 400, foldVersion: FOLD_VERSION + 1, state: text }, 0],
    ['that is no text of a state', { seq: 400, foldVersion: FOLD_VERSION, state: '{"runId":1}' }, 0],
    ['that was cut', { seq: 400, foldVersion: FOLD_VERSION, state: text.slice(0, -100) }, 0],
    ['of another event than it says', { seq: 401, foldVersion: FOLD_VERSION, state: text }, 0],
    ['as it was saved', { seq: 400, foldVersion: FOLD_VERSION, state: text }, 400],
  ])('%s leads to the same state', async (_, checkpoint, seq) => {
    const runs = await recorded(run.events);
    await runs.saveCheckpoint(RUN_ID, checkpoint);
    const loaded = await loaderOf(runs).load('default', RUN_ID);

    expect(loaded?.checkpointSeq).toBe(seq);
    expect(loaded && essenceOf(loaded.state)).toEqual(essenceOf(run.state));
  });
});

describe('a run that is parked', () => {
  it('is taken up from its checkpoint, and comes to its end', async () => {
    let scene = await EngineScene.start();
    const id = await scene.run({
      steps: [
        {
          id: 'many',
          kind: 'transform',
          expression: 'index',
          forEach: { items: Array.from({ length: 300 }, () => 0) },
        },
        { id: 'w', kind: 'signal', signal: 'go', dependsOn: ['many'] },
      ],
      output: { last: '{{ steps.many.output[299] }}', signal: '{{ steps.w.output }}' },
    });
    await scene.logged(id, 'run.waiting');
    await until(() => scene.engine.find(id) === undefined, 'the run is parked');
    const { lastSeq } = await scene.read(id);
    await scene.stop();
    const watch = watched(scene.stores.runs);
    scene = await EngineScene.start({ on: scene });
    await scene.control.send('default', id, { type: 'signal', name: 'go', data: 'on' });
    await scene.logged(id, 'run.completed');

    const ranges = watch.read.map(({ afterSeq, limit }) => `${String(limit)} after ${String(afterSeq)}`);
    expect(ranges).toContain(`2000 after ${String(lastSeq)}`);
    expect(ranges).not.toContain(`2000 after ${String(EVENTS_WITHOUT_CHECKPOINT)}`);
    expect(await scene.stores.runs.findCheckpoint(id, FOLD_VERSION)).toMatchObject({ seq: lastSeq });
    expect((await scene.read(id)).output).toEqual({ last: 299, signal: 'on' });
    await scene.stop();
  });
});
