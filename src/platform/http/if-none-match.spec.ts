import { hasContent } from './if-none-match.js';

it.each([
  [undefined, false],
  ['"a"', true],
  ['W/"a"', true],
  ['"b", "a"', true],
  ['"b"', false],
  ['a', false],
  ['*', true],
  ['', false],
])('%j and the tag "a": %j', (header, expected) => {
  expect(hasContent(header, '"a"')).toBe(expected);
});
