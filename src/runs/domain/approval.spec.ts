/** Units that wait for an approval. */
import { SimulatedRun } from '../../../test/support/simulated-run.js';
import type { Json } from '../../kernel/json.js';
import { alsoRowsOf } from '../engine/also-rows.js';
import { replay } from './evolve.js';
import { findRecord, liveUnit } from './run.state.js';
import type { Decision } from './approval.js';

function begun(...steps: readonly object[]): SimulatedRun {
  const run = SimulatedRun.of({ steps });
  run.takeUp();
  return run;
}

const ask = (more: object = {}): object => ({ id: 'ask', kind: 'approval', ...more });

function answer(
  run: SimulatedRun,
  decision: Decision,
  more: { readonly path?: string; readonly data?: Json; readonly approval?: string } = {},
): readonly string[] {
  const { path = 'ask', data = null } = more;
  const { approval = liveUnit(run.state, path)?.approval?.id ?? '' } = more;
  const command = { type: 'answer', at: run.now, path, approval, decision, data, by: 'key_1' } as const;
  return run.turn([command]).map(({ type, path: at, stepId }) => `${type} ${at ?? stepId ?? ''}`.trim());
}

it('asks with everything evaluated, and the run waits', () => {
  const run = begun(
    { id: 'a', kind: 'transform', expression: '{"who": "ada", "what": "the track"}' },
    ask({
      prompt: 'Publish {{ steps.a.output.what }}?',
      assignees: ['{{ steps.a.output.who }}'],
      form: { type: 'object' },
      timeoutMs: 5_000,
      onTimeout: { output: { by: '{{ steps.a.output.who }}' } },
    }),
  );

  const requested = run.events.find(({ type }) => type === 'approval.requested');
  expect(requested).toMatchObject({
    stepId: 'ask',
    data: {
      prompt: 'Publish the track?',
      assignees: ['ada'],
      form: { type: 'object' },
      onTimeout: { output: { by: 'ada' } },
      onReject: 'fail',
      until: '1970-01-01T00:00:05.000Z',
    },
  });
  const id = (requested?.data as { readonly id: string }).id;
  expect(id).toMatch(new RegExp(`^apr_[a-z0-9]+_${String(requested?.seq)}$`));
  expect(run.events.find(({ type }) => type === 'step.waiting')).toMatchObject({
    data: { for: 'approval', ref: id, until: '1970-01-01T00:00:05.000Z' },
  });
  expect(run.state.status).toBe('waiting');
});

it.each([
  [['{{ input.nobody }}'], 'template.variable-missing'],
  [['{{ input }}'], 'approval.invalid'],
])('fails when its assignees are %j', (assignees, code) => {
  expect(begun(ask({ assignees })).state.failure).toMatchObject({ code });
});

it('completes with the decision, what was filled in, who and when', () => {
  const run = begun(ask());
  run.now = 7_000;

  expect(answer(run, 'approve', { data: { note: 'ok' } })).toEqual([
    'approval.resolved ask',
    'step.completed ask',
    'run.resumed',
    'run.completed',
  ]);
  expect(run.state.output).toEqual({
    ask: { decision: 'approve', data: { note: 'ok' }, by: 'key_1', at: '1970-01-01T00:00:07.000Z' },
  });
});

it('fails when it is rejected, unless it goes on with that', () => {
  const failed = begun(ask());
  answer(failed, 'reject', { data: 'no' });
  const goesOn = begun(ask({ onReject: 'continue' }));
  answer(goesOn, 'reject', { data: 'no' });

  expect(failed.state.failure).toMatchObject({
    code: 'approval.rejected',
    details: { stepId: 'ask', data: 'no', by: 'key_1' },
  });
  expect(goesOn.state.output).toMatchObject({ ask: { decision: 'reject', data: 'no' } });
});

it('takes the first answer only, and only to the approval that is meant', () => {
  const run = begun(ask(), { id: 'other', kind: 'signal', signal: 'never' });
  const { id } = liveUnit(run.state, 'ask')?.approval ?? { id: '' };

  expect(answer(run, 'approve', { approval: 'apr_other_3' })).toEqual([]);
  const command = { type: 'answer', at: 0, path: 'ask', approval: id, data: null } as const;
  run.turn([
    { ...command, decision: 'approve' },
    { ...command, decision: 'reject' },
  ]);
  expect(answer(run, 'reject', { approval: id })).toEqual([]);

  expect(findRecord(run.state, 'ask')?.output).toMatchObject({ decision: 'approve' });
  expect(run.events.filter(({ type }) => type === 'approval.resolved')).toHaveLength(1);
});

it.each([
  ['fail', undefined, 'approval.timed-out'],
  ['approve', { decision: 'approve', data: null, by: null }, undefined],
  ['reject', undefined, 'approval.rejected'],
  [{ output: { skipped: true } }, { skipped: true }, undefined],
])('goes its way when nobody answers in time: %j', (onTimeout, output, code) => {
  const run = begun(ask({ timeoutMs: 50, onTimeout }));
  run.now = 50;
  run.turn([]);

  const resolved = run.events.find(({ type }) => type === 'approval.resolved');
  expect(resolved?.data).toMatchObject({ data: null, timedOut: true });
  expect(run.state.failure?.code).toBe(code);
  if (output === undefined) expect(run.state.status).toBe('failed');
  else expect(run.state.output).toMatchObject({ ask: output });
});

it('is a part of a loop like any other step: the condition reads what was decided', () => {
  const run = begun(ask({ onReject: 'continue', repeat: { until: 'output.decision == "approve"' } }));
  const first = liveUnit(run.state, 'ask[0]')?.approval?.id;
  answer(run, 'reject', { path: 'ask[0]' });
  const second = liveUnit(run.state, 'ask[1]')?.approval?.id;
  answer(run, 'approve', { path: 'ask[1]' });

  expect(first).not.toBe(second);
  expect(run.state.output).toMatchObject({ ask: { decision: 'approve' } });
});

it('is cancelled with its run, and an answer comes too late', () => {
  const run = begun(ask());
  const { id } = liveUnit(run.state, 'ask')?.approval ?? { id: '' };
  run.turn([{ type: 'cancel', at: 1 }]);

  expect(run.state.status).toBe('cancelled');
  expect(answer(run, 'approve', { approval: id })).toEqual([]);
});

it('can be answered while the run is paused', () => {
  const run = begun(ask());
  run.turn([{ type: 'pause', at: 1 }]);
  answer(run, 'approve');
  expect(run.state.status).toBe('paused');
  run.turn([{ type: 'resume', at: 2 }]);

  expect(run.state.status).toBe('completed');
});

it('folds to the same state', () => {
  const run = begun(ask({ timeoutMs: 50 }), { id: 'b', kind: 'approval', dependsOn: ['ask'] });
  answer(run, 'approve');

  expect(liveUnit(replay(run.events, run.state.root.graph), 'b')?.approval).toEqual(
    liveUnit(run.state, 'b')?.approval,
  );
});

it('is in the inbox from its request to its end, whatever that is', () => {
  const run = begun(ask({ forEach: { items: [1, 2, 3] } }));
  const rows = (): readonly unknown[] =>
    alsoRowsOf(run, 'default', run.events).map((row) =>
      row.kind === 'approval-end'
        ? `${row.end.path} ${row.end.status}`
        : row.kind === 'approval' && `${row.row.path} open`,
    );

  expect(rows()).toEqual(['ask[0] open', 'ask[1] open', 'ask[2] open']);
  answer(run, 'approve', { path: 'ask[1]' });
  run.turn([{ type: 'cancel', at: 1 }]);
  expect(rows().slice(3)).toEqual(['ask[1] approved', 'ask[0] cancelled', 'ask[2] cancelled']);
});
