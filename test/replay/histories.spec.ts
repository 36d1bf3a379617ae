/** Logs that were recorded by earlier versions still fold, and to the same end. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Json } from '../../src/kernel/json.js';
import { replay } from '../../src/runs/domain/evolve.js';
import type { RunEvent } from '../../src/runs/domain/run.events.js';
import { graphOf } from '../support/simulated-run.js';

interface History {
  readonly events: readonly RunEvent[];
  readonly status: string;
  readonly output: Json;
}

const FOLDER = 'test/replay/histories';

it.each(readdirSync(FOLDER))('folds %s', (file) => {
  const history = JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as History;
  const { events, status, output } = history;
  const [first] = events;
  if (first?.type !== 'run.queued') throw new Error(`${file} does not begin with run.queued`);
  const state = replay(events, graphOf(first.data.definition));

  expect({ status: state.status, output: state.output }).toEqual({ status, output });
  expect(state.lastSeq).toBe(events.length);
  for (const { type, stepId, data } of events) {
    if (type !== 'step.completed') continue;
    const unit = state.root.units.find(({ step }) => step.id === stepId);
    expect(unit).toMatchObject({ status: 'completed', output: (data as { output: Json }).output });
  }
});
