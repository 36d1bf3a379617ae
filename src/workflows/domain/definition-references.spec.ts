import { referencesIn } from './definition-references.js';

describe('referencesIn', () => {
  it('finds agents, templates and workflows with their places, in bodies of loops too', () => {
    const definition = {
      steps: [
        { id: 'a', agent: 'echo', template: { name: 'greeting', label: 'staging', variables: { x: 1 } } },
        { id: 'b', kind: 'workflow', workflow: { id: 'wf_1', version: 2 } },
        {
          id: 'c',
          kind: 'loop',
          repeat: { body: { steps: [{ id: 'd', agent: { key: 'judge', version: 3 } }] } },
        },
      ],
    };

    expect(referencesIn(definition)).toEqual([
      { kind: 'agent', stepKey: 'a', pointer: '/steps/0/agent', target: 'echo', targetField: '' },
      {
        ...{ kind: 'template', stepKey: 'a', pointer: '/steps/0/template', target: 'greeting' },
        ...{ targetField: 'name', label: 'staging', variables: { x: 1 } },
      },
      {
        ...{ kind: 'workflow', stepKey: 'b', pointer: '/steps/1/workflow', target: 'wf_1' },
        ...{ targetField: 'id', version: 2 },
      },
      {
        ...{ kind: 'agent', stepKey: 'c/d', pointer: '/steps/2/repeat/body/steps/0/agent', target: 'judge' },
        ...{ targetField: 'key', version: 3 },
      },
    ]);
  });

  it.each([
    ['nothing', undefined],
    ['a text', 'steps'],
    ['steps that are no list', { steps: { agent: 'echo' } }],
    ['steps that are no objects', { steps: [null, 'echo', ['echo'], 7] }],
    ['references of another type', { steps: [{ agent: 5, template: null, workflow: [] }] }],
    ['references without a name', { steps: [{ agent: {}, template: { label: 'x' } }] }],
    ['names of prototypes', { steps: [JSON.parse('{"__proto__":{"agent":"echo"}}')] }],
  ])('finds none in %s', (_what, json) => {
    expect(referencesIn(json)).toEqual([]);
  });
});
