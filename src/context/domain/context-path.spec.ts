import type { Json } from '../../kernel/json.js';
import { valueAt } from './context-path.js';

const context = JSON.parse(
  '{"review":{"score":0.9,"none":null},"list":[{"a":1},"b"],"__proto__":{"x":2},"text":"abc"}',
) as Json;

it.each<[string, Json | undefined]>([
  ['review.score', 0.9],
  ['review.none', null],
  ['review', { score: 0.9, none: null }],
  ['list.0.a', 1],
  ['list.1', 'b'],
  ['__proto__.x', 2],
  ['list.2', undefined],
  ['list.-1', undefined],
  ['list.length', undefined],
  ['text.0', undefined],
  ['constructor', undefined],
  ['review.none.deeper', undefined],
  ['', undefined],
])('reads "%s"', (path, expected) => {
  expect(valueAt(context, path)).toEqual(expected);
});
