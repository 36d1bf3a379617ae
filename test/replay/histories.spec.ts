/** Logs that were recorded by earlier versions still fold, and to the same end. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Json } from '../../src/kernel/json.js';
import { replay } from '../../src/runs/domain/evolve.js';
import type { RunEvent } from '../../src/runs/domain/run.events.js';
import type { RunState } from '../../src/runs/domain/run.state.js';
import type { Unit, UnitRecord } from '../../src/runs/domain/unit.js';
import { graphOf } from '../support/simulated-run.js';
import { unitsOf } from '../support/status-changes.js';

interface History {
  /** Of a fork: the events before its own. */
  readonly before?: readonly RunEvent[];
  readonly events: readonly RunEvent[];
  readonly status: string;
  readonly output?: Json;
  /** What the log came to when it was recorded; histories of the first release have only status and output. */
  readonly fold?: Json;
}

const FOLDER = 'test/replay/histories';

/** What nothing may ever change about the meaning of a log. */
function foldOf({ context, costMicros, root, compensations }: RunState): unknown {
  const units = [...unitsOf(root), ...compensations.values()];
  return { context, costMicros, units: Object.fromEntries(units.map((unit) => [unit.path, unitFold(unit)])) };
}

function unitFold(unit: UnitRecord): unknown {
  const { status, attempt, output, failure } = unit;
  const { skipReason } = unit as Partial<Pick<Unit, 'skipReason'>>;
  return {
    status,
    attempt,
    ...(output !== undefined && { output }),
    ...(failure && { failure: failure.code }),
    ...(skipReason && { skipReason }),
  };
}

it.each(readdirSync(FOLDER))('folds %s', (file) => {
  const history = JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as History;
  const { before, events, status, output, fold } = history;
  const [first] = events;
  if (first?.type !== 'run.queued' && first?.type !== 'run.forked')
    throw new Error(`${file} does not begin with the first event of a run`);
  const state = replay(events, graphOf(first.data.definition), before);

  expect({ status: state.status, output: state.output }).toEqual({ status, output });
  expect(state.lastSeq).toBe(events.length);
  if (fold !== undefined) expect(JSON.parse(JSON.stringify(foldOf(state)))).toEqual(fold);
  // of the steps of the definition; what they hold, and what undoes them, has a path
  const completed = events.filter(({ type, path }) => type === 'step.completed' && path === undefined);
  const last = new Map(completed.map(({ stepId, data }) => [stepId, data as { readonly output: Json }]));
  for (const [stepId, { output: made }] of last) {
    const unit = state.root.units.find(({ step }) => step.id === stepId);
    expect(unit).toMatchObject({ status: 'completed', output: made });
  }
});
