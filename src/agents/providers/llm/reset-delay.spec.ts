import { resetDelayMs } from './reset-delay.js';

const NOW = Date.parse('2026-11-23T10:00:00Z');
const LIMIT = 'anthropic-ratelimit';

describe('resetDelayMs', () => {
  it.each<[string, Record<string, string>, number | undefined]>([
    ['seconds', { 'retry-after': '30' }, 30_000],
    ['parts of a second', { 'retry-after': '0.5' }, 500],
    ['no wait', { 'retry-after': '0' }, 0],
    ['an HTTP date', { 'retry-after': 'Mon, 23 Nov 2026 10:01:30 GMT' }, 90_000],
    ['a date that has passed', { 'retry-after': 'Mon, 23 Nov 2026 09:00:00 GMT' }, 0],
    ['neither', { 'retry-after': 'soon' }, undefined],
    ['no header', {}, undefined],
    ['one reset', { [`${LIMIT}-requests-reset`]: '2026-11-23T10:00:05Z' }, 5_000],
    [
      'the latest of several resets',
      {
        [`${LIMIT}-input-tokens-reset`]: '2026-11-23T10:00:05Z',
        [`${LIMIT}-output-tokens-reset`]: '2026-11-23T10:00:09Z',
      },
      9_000,
    ],
    [
      'the reset of what is used up',
      {
        [`${LIMIT}-tokens-remaining`]: '0',
        [`${LIMIT}-tokens-reset`]: '2026-11-23T10:00:05Z',
        [`${LIMIT}-requests-remaining`]: '3',
        [`${LIMIT}-requests-reset`]: '2026-11-23T10:09:00Z',
      },
      5_000,
    ],
    ['a span', { 'x-ratelimit-reset-requests': '1m30.5s' }, 90_500],
    ['a short span', { 'x-ratelimit-reset-tokens': '20ms' }, 20],
    [
      'the span of what is used up',
      {
        'x-ratelimit-remaining-tokens': '0',
        'x-ratelimit-reset-tokens': '2s',
        'x-ratelimit-remaining-requests': '9',
        'x-ratelimit-reset-requests': '1h',
      },
      2_000,
    ],
    ['a span that is none', { 'x-ratelimit-reset-tokens': '5 apples' }, undefined],
    ['a reset that is no date', { [`${LIMIT}-tokens-reset`]: 'later' }, undefined],
    [
      'retry-after before a reset',
      { 'retry-after': '2', [`${LIMIT}-tokens-reset`]: '2026-11-23T10:09:00Z' },
      2_000,
    ],
    [
      'a reset where retry-after says nothing',
      { 'retry-after': 'soon', [`${LIMIT}-tokens-reset`]: '2026-11-23T10:00:01Z' },
      1_000,
    ],
  ])('reads %s', (_what, headers, expected) => {
    expect(resetDelayMs(headers, NOW)).toBe(expected);
  });
});
