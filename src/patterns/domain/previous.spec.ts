import type { Json } from '../../kernel/json.js';
import { withPrevious } from './previous.js';

describe('previous', () => {
  it.each<readonly [string, Json, Json]>([
    ['the output', 'a {{ previous.output.text }} b', 'a {{ steps.s1.output.text }} b'],
    ['another field', '{{ previous.status }}', '{{ steps.s1.status }}'],
    ['in a tag', '{% if previous.output %}x{% endif %}', '{% if steps.s1.output %}x{% endif %}'],
    ['deep inside', { a: [{ b: '{{previous.output}}' }] }, { a: [{ b: '{{steps.s1.output}}' }] }],
    ['not outside of braces', 'previous.output', 'previous.output'],
    [
      'not in quotes',
      '{{ "previous.output" | append: previous.output }}',
      '{{ "previous.output" | append: steps.s1.output }}',
    ],
    ['not after a dot', '{{ input.previous.output }}', '{{ input.previous.output }}'],
    ['not in a longer word', '{{ my-previous.output }}', '{{ my-previous.output }}'],
  ])('is the step before: %s', (_, json, expected) => {
    expect(withPrevious(json, 's1')).toEqual(expected);
  });

  it.each([
    ['{{ previous.output.mood }}', '{{ input.mood }}'],
    ['{{ previous . output }}', '{{ input }}'],
    ['{{ previous.status }}', '{{ previous.status }}'],
  ])('is the input of the run for the first: %s', (text, expected) => {
    expect(withPrevious(text, undefined)).toBe(expected);
  });

  it('leaves keys of any name as they are', () => {
    const json = JSON.parse('{"__proto__": "{{ previous.output }}", "constructor": 1}') as Json;

    expect(JSON.stringify(withPrevious(json, 'a'))).toBe(
      '{"__proto__":"{{ steps.a.output }}","constructor":1}',
    );
  });
});
