import { compileDefinition } from './compile-definition.js';
import { listUnreachableSteps } from './reachability.js';

type Step = Record<string, unknown> & { readonly id: string };

function warningsOf(...steps: readonly Step[]): readonly string[] {
  const definition = { steps: steps.map((step) => ('kind' in step ? step : { agent: 'echo', ...step })) };
  const result = compileDefinition(definition, { maxSteps: 100 });
  if (!result.ok) throw new Error(JSON.stringify(result.failure));
  return listUnreachableSteps(result.value.graph).map(({ pointer, code, severity, message }) => {
    expect([code, severity]).toEqual(['step.unreachable', 'warning']);
    return `${pointer} ${message}`;
  });
}

const NEVER = { when: '1 > 2' };

describe('listUnreachableSteps', () => {
  it.each<[what: string, steps: readonly Step[], warnings: readonly string[]]>([
    ['nothing of plain steps', [{ id: 'a' }, { id: 'b', dependsOn: ['a'] }], []],
    ['nothing of a condition that reads', [{ id: 'a', when: 'input.go' }], []],
    ['nothing of a condition that is always true', [{ id: 'a', when: 'true' }], []],
    ['nothing of a condition that fails', [{ id: 'a', when: '[1][5] == 1' }], []],
    [
      'a condition that is always false',
      [{ id: 'a', ...NEVER }],
      ['/steps/0 step "a" never runs: its condition is always false'],
    ],
    [
      'what waits for it alone, however far',
      [
        { id: 'c', dependsOn: ['b'] },
        { id: 'a', ...NEVER },
        { id: 'b', dependsOn: ['a'] },
      ],
      [
        '/steps/0 step "c" never runs: it waits for b, which never runs',
        '/steps/1 step "a" never runs: its condition is always false',
        '/steps/2 step "b" never runs: it waits for a, which never runs',
      ],
    ],
    [
      'nothing of a join that another branch satisfies',
      [
        { id: 'a', ...NEVER },
        { id: 'b' },
        { id: 'c', dependsOn: ['a', 'b'] },
        { id: 'd', dependsOn: ['a'], join: 'all_settled' },
        { id: 'e', dependsOn: ['a', 'b'], join: 'any_completed' },
      ],
      ['/steps/0 step "a" never runs: its condition is always false'],
    ],
    [
      'a step in the body of a loop',
      [
        {
          id: 'a',
          kind: 'loop',
          repeat: { maxIterations: 2, body: { steps: [{ id: 'b', agent: 'echo', ...NEVER }] } },
        },
      ],
      ['/steps/0/repeat/body/steps/0 step "b" never runs: its condition is always false'],
    ],
    [
      'a join that needs every branch',
      [{ id: 'a', ...NEVER }, { id: 'b' }, { id: 'c', dependsOn: ['a', 'b'], join: 'all_completed' }],
      [
        '/steps/0 step "a" never runs: its condition is always false',
        '/steps/2 step "c" never runs: it waits for a, which never runs',
      ],
    ],
  ])('tells %s', (_what, steps, warnings) => {
    expect(warningsOf(...steps)).toEqual(warnings);
  });
});
