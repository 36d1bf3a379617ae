import { given, runFact, stepFact } from '../../../test/support/given.js';
import { mermaidOfRun, runGraphOf } from './run-graph.js';

const definition = {
  steps: [
    { id: 'parts', agent: 'echo', forEach: { items: '[1, 2, 3]' } },
    {
      id: 'polish',
      kind: 'loop',
      repeat: { maxIterations: 3, body: { steps: [{ id: 'check', agent: 'echo' }] } },
    },
    { id: 'last', agent: 'echo', dependsOn: ['parts', 'polish'] },
  ],
};

const facts = [
  runFact('run.started', {}),
  stepFact('step.started', 'parts#1', { input: [1, 2, 3], items: 3 }),
  stepFact('item.started', 'parts[0]#1', { input: 1 }),
  stepFact('item.completed', 'parts[0]#1', { output: 1 }),
  stepFact('item.started', 'parts[1]#1', { input: 2 }),
  stepFact('step.started', 'polish#1', {}),
  stepFact('iteration.started', 'polish[0]#1', {}),
  stepFact('step.started', 'polish[0]/check#1', { input: null }),
  stepFact('step.completed', 'polish[0]/check#1', { output: 1 }),
  stepFact('iteration.completed', 'polish[0]#1', { output: null, next: 'iteration' }),
  stepFact('iteration.started', 'polish[1]#1', {}),
  stepFact('step.started', 'polish[1]/check#1', { input: null }),
];

it('says how far each step is, and counts items, iterations and what stands in bodies', () => {
  expect(runGraphOf(given(definition, facts).state).nodes).toEqual([
    {
      ...{ id: 'parts', kind: 'agent', agent: 'echo', layers: ['items'], status: 'running' },
      holds: { completed: 1, running: 1, ready: 1 },
    },
    {
      ...{ id: 'polish', kind: 'loop', layers: ['iterations'], status: 'running' },
      holds: { completed: 1, running: 1 },
    },
    {
      ...{ id: 'polish/check', kind: 'agent', agent: 'echo', parent: 'polish', status: 'running' },
      times: { completed: 1, running: 1 },
    },
    { id: 'last', kind: 'agent', agent: 'echo', status: 'pending' },
  ]);
});

it('shows what a run that has ended left undone as cancelled', () => {
  const ended = runFact('run.cancelled', {});
  const { status, nodes } = runGraphOf(
    given(definition, [...facts, runFact('run.cancelling', { graceMs: 1 }), ended]).state,
  );

  expect(status).toBe('cancelled');
  expect(nodes.map((node) => node.status)).toEqual(['cancelled', 'cancelled', 'cancelled', 'cancelled']);
});

it('is drawn with its statuses', () => {
  const text = mermaidOfRun(runGraphOf(given(definition, facts).state));

  expect(text).toContain('n0["parts<br/>agent echo<br/>for each item<br/>running - 1 completed');
  expect(text).toContain('class n3 pending');
  expect(text).toContain('n0 --> n3');
});
