import type { JsonObject } from '../../kernel/json.js';
import { diffDefinitions } from './definition-diff.js';

const step = (id: string, more: JsonObject = {}): JsonObject => ({ id, agent: 'echo', ...more });

describe('diffDefinitions', () => {
  it('finds nothing between equal definitions, whatever the order of keys', () => {
    expect(
      diffDefinitions({ name: 'x', steps: [step('a')] }, { steps: [{ agent: 'echo', id: 'a' }], name: 'x' }),
    ).toEqual({ steps: { added: [], removed: [], changed: [], isReordered: false }, fields: [] });
  });

  it('tells steps apart by their ids and everything else by its place', () => {
    const before = {
      timeoutMs: 5,
      context: { 'a/b': 1 },
      steps: [step('a'), step('gone'), step('b', { input: { list: [1, 2, 3], x: 1 }, when: 'true' })],
    };
    const after = {
      context: { 'a/b': 2 },
      output: 1,
      steps: [step('b', { input: { list: [1, 5], x: 1 }, join: 'all_settled' }), step('a'), step('new')],
    };

    expect(diffDefinitions(before, after)).toEqual({
      steps: {
        added: [{ id: 'new', pointer: '/steps/2' }],
        removed: [{ id: 'gone', pointer: '/steps/1' }],
        changed: [
          {
            ...{ id: 'b', pointer: '/steps/0' },
            changes: [
              { op: 'changed', pointer: '/steps/0/input/list/1', from: 2, to: 5 },
              { op: 'removed', pointer: '/steps/0/input/list/2', from: 3 },
              { op: 'removed', pointer: '/steps/0/when', from: 'true' },
              { op: 'added', pointer: '/steps/0/join', to: 'all_settled' },
            ],
          },
        ],
        isReordered: true,
      },
      fields: [
        { op: 'removed', pointer: '/timeoutMs', from: 5 },
        { op: 'changed', pointer: '/context/a~1b', from: 1, to: 2 },
        { op: 'added', pointer: '/output', to: 1 },
      ],
    });
  });

  it('treats the names of prototypes as plain keys', () => {
    const before = JSON.parse('{"steps":[],"context":{"__proto__":1}}') as JsonObject;
    const after = JSON.parse('{"steps":[],"context":{"__proto__":2,"constructor":3}}') as JsonObject;

    expect(diffDefinitions(before, after).fields).toEqual([
      { op: 'changed', pointer: '/context/__proto__', from: 1, to: 2 },
      { op: 'added', pointer: '/context/constructor', to: 3 },
    ]);
  });
});
