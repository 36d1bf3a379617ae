/** Steps that run last and compensations, as a definition says them. */
import { compileDefinition } from './compile-definition.js';
import { referencesIn } from './definition-references.js';

const step = (id: string, more: object = {}): object => ({ id, agent: 'echo', ...more });
const last = (id: string, more: object = {}): object => step(id, { finally: true, ...more });

function issuesOf(definition: object): readonly string[] {
  const result = compileDefinition(definition, { maxSteps: 100 });
  return result.ok ? [] : result.failure.map(({ pointer, code }) => `${pointer} ${code}`);
}

describe('a step that runs last', () => {
  it('waits for its like only, whatever it reads', () => {
    const steps = [
      last('z', { input: '{{ steps.a.output }} {{ steps.y.output }}', dependsOn: ['a'] }),
      step('a'),
      last('y'),
    ];
    const result = compileDefinition({ steps }, { maxSteps: 100 });

    expect(result).toMatchObject({
      ok: true,
      value: {
        graph: {
          lastSteps: [0, 2],
          steps: [{ dependencies: [2], reads: { own: [1, 2] } }, { dependents: [] }, { dependents: [0] }],
        },
      },
    });
  });

  it.each<readonly [string, object, string]>([
    [
      'by dependsOn',
      { steps: [last('z'), step('a', { dependsOn: ['z'] })] },
      '/steps/1 step.finally-depended-on',
    ],
    [
      'by an expression',
      { steps: [last('z'), step('a', { input: '{{ steps.z.output }}' })] },
      '/steps/1 step.finally-depended-on',
    ],
    [
      'to catch a failure',
      { steps: [last('z'), step('a', { catch: 'z' })] },
      '/steps/1 step.finally-depended-on',
    ],
    [
      'by the output',
      { steps: [last('z')], output: '{{ steps.z.output }}' },
      '/output step.finally-depended-on',
    ],
  ])('is waited for by nothing: %s', (_, definition, expected) => {
    expect(issuesOf(definition)).toEqual([expected]);
  });

  it('stands in no body', () => {
    const body = { steps: [last('z')] };

    expect(issuesOf({ steps: [{ id: 'l', kind: 'loop', repeat: { body } }] })).toEqual([
      '/steps/0/repeat/body/steps/0/finally field.invalid',
    ]);
  });
});

describe('a compensation', () => {
  it('is a reference to its agent', () => {
    const steps = [step('a', { compensate: { agent: { key: 'undoer', version: 1 } } })];

    expect(referencesIn({ steps })).toContainEqual({
      kind: 'agent',
      stepKey: 'a~compensate',
      pointer: '/steps/0/compensate/agent',
      target: 'undoer',
      targetField: 'key',
      version: 1,
    });
  });

  it.each<readonly [string, object, string]>([
    [
      'reads a step that is none',
      { agent: 'echo', input: '{{ steps.x.output }}' },
      'input reference.unknown-step',
    ],
    ['has a field that is none', { agent: 'echo', template: {} }, 'template field.unknown'],
    ['calls nobody', {}, 'agent field.required'],
  ])('is refused that %s', (_, compensate, expected) => {
    expect(issuesOf({ steps: [step('a', { compensate })] })).toEqual([`/steps/0/compensate/${expected}`]);
  });
});
