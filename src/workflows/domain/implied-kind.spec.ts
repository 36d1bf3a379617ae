import { listShapeIssues } from './definition-issues.js';
import { kindOf, withKinds } from './implied-kind.js';

const workflow = { name: 'other' };

describe('the kind of a step', () => {
  it.each([
    ['an agent', { id: 'a', agent: 'echo' }, 'agent'],
    ['nothing', { id: 'a' }, 'agent'],
    ['a workflow', { id: 'a', workflow }, 'workflow'],
    ['both', { id: 'a', agent: 'echo', workflow }, 'agent'],
    ['a kind', { id: 'a', kind: 'wait', workflow }, 'wait'],
    ['a kind that is none', { id: 'a', kind: 'wat' }, 'wat'],
  ])('follows from %s', (_what, step, kind) => {
    expect(kindOf(step)).toBe(kind);
  });

  it('is put on steps of bodies too, and nothing else is changed', () => {
    const loop = (inner: object): object => ({ id: 'l', kind: 'loop', repeat: { body: { steps: [inner] } } });
    const agent = { id: 'a', agent: 'echo' };
    const definition = { steps: [agent, { id: 'b', workflow }, loop({ id: 'c', workflow })] };

    expect(withKinds(definition)).toEqual({
      steps: [agent, { id: 'b', workflow, kind: 'workflow' }, loop({ id: 'c', workflow, kind: 'workflow' })],
    });
    expect(withKinds({ steps: [agent] })).toEqual({ steps: [agent] });
  });

  it.each([undefined, null, 7, [], {}, { steps: 5 }, { steps: [null, 7] }, { steps: [{ repeat: 1 }] }])(
    'leaves %j as it is',
    (json) => {
      expect(withKinds(json)).toBe(json);
    },
  );
});

describe('the shape of a step that runs a workflow', () => {
  it.each<[what: string, step: object, pointers: readonly string[]]>([
    ['an implied kind', { workflow }, []],
    ['its kind', { kind: 'workflow', workflow: { id: 'wf_1', version: 2 }, input: {}, timeoutMs: 5 }, []],
    ['no workflow', { kind: 'workflow' }, ['/steps/0/workflow']],
    ['a workflow as text', { workflow: 'other' }, ['/steps/0/workflow']],
    ['an agent, too', { kind: 'workflow', workflow, agent: 'echo' }, ['/steps/0/agent']],
    ['a time of attempts that it has not', { workflow, idleTimeoutMs: 5 }, ['/steps/0/idleTimeoutMs']],
    ['an unknown field', { workflow: { ...workflow, colour: 1 } }, ['/steps/0/workflow/colour']],
  ])('with %s has its problems at their places', (_what, step, pointers) => {
    const issues = listShapeIssues({ steps: [{ id: 'a', ...step }] });

    expect(issues.map(({ pointer }) => pointer)).toEqual(pointers);
  });
});
