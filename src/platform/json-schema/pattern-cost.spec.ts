import fc from 'fast-check';

import { isCostly, stepsOf } from './pattern-cost.js';

describe('patterns that are accepted', () => {
  it.each([
    '',
    'abc',
    '^[a-z]+$',
    '^run_[0-9a-f]{32}$',
    '^[A-Za-z][A-Za-z0-9_-]{0,63}$',
    '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}(:\\d{2}(\\.\\d{1,9})?)?Z$',
    '^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$',
    '^(\\d{1,3}\\.){3}\\d{1,3}$',
    '^(?:red|green|blue)$',
    '^(?<year>\\d{4})-(?:0[1-9]|1[0-2])$',
    '^https?://[^\\s/]+(/\\S*)?$',
    '^(ab){3}$',
    '^(ab)*$',
    '^(?=.{8,64}$)(?=.*\\d).*$',
    '(?<!a)b',
    '^[()*+|{}\\]?]+$',
    '^\\(\\(\\+\\+\\)\\)\\*$',
    '^a+?b*?$',
    '^\\p{Lu}\\p{Ll}+$',
    '^.{1,2000}$',
    'a{0}',
  ])('%s', (pattern) => {
    expect(new RegExp(pattern, 'u')).toBeInstanceOf(RegExp);
    expect(isCostly(pattern)).toBe(false);
  });
});

describe('patterns that are refused', () => {
  it.each([
    ['a repetition within a repetition', '^(a+)+$'],
    ['the same with another sign', '^(a*)*$'],
    ['the same from a number on', '^(a+){2,}$'],
    ['the same further within', '^((x(a+)y))*$'],
    ['the same without capture', '^(?:a+)+$'],
    ['the same by name', '^(?<name>a+)+$'],
    ['the same after an escaped bracket', '^\\((a+)+$'],
    ['the same after a class with a bracket', '^[(](a+)+$'],
    ['the same after a class with an escaped end', '^[\\](](a+)+$'],
    ['the same within an alternative', '^(?:x|(a+)+)$'],
    ['an alternative within a repetition', '^(a|a)*$'],
    ['an option within a repetition', '^(a?)*$'],
    ['an option a number of times', '^(a?){30}a{30}$'],
    ['a span a number of times', '^(a{1,2}){30}$'],
    ['a repetition a number of times', '^(a+){10}$'],
    ['many options one after another', `^${'a?'.repeat(25)}${'a'.repeat(25)}$`],
    ['many repetitions one after another', '^.*.*.*.*.*x$'],
    ['a lookahead that repeats', '^(?=(a+))+$'],
    ['a back reference', '^(a)\\1$'],
    ['a named back reference', '^(?<x>a)\\k<x>$'],
    ['more than 256 characters', 'a'.repeat(257)],
    ['a bound beyond counting', '^(a{0,100}){100}$'],
  ])('%s: %s', (_, pattern) => {
    expect(isCostly(pattern)).toBe(true);
  });

  it.each(['^[a-z0-9]+(-[a-z0-9]+)*$', '^(a|b)+$'])('though they would be harmless: %s', (pattern) => {
    expect(isCostly(pattern)).toBe(true);
  });
});

it('answers for any text, also for one that is no pattern', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'a()[]{}*+?|\\^$,1=!<>:'.split('')) }), (text) => {
      expect(typeof isCostly(text)).toBe('boolean');
    }),
    { numRuns: 2_000 },
  );
});

it('accepts nothing that takes long on a short text', () => {
  const part = fc.constantFrom('a', 'a?', 'a*', 'a+', '(a|b)', '(a)', 'a{1,3}', '(aa?){2}', '.', '.*');
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      const pattern = `^${parts.join('')}x$`;
      fc.pre(!isCostly(pattern));
      const started = performance.now();
      expect(new RegExp(pattern, 'u').test('a'.repeat(24))).toBe(false);
      expect(performance.now() - started).toBeLessThan(2_000);
    }),
    { numRuns: 300 },
  );
});

describe('the steps of a pattern', () => {
  it.each<readonly [string, number]>([
    ['^abc$', 1],
    ['abc', 1_001],
    ['^a+$', 1_001],
    ['a+', 501_501],
    ['^a*b*$', 501_501],
    ['^a|b', 2_002],
    ['^(a?){3}$', 8],
    ['^.*.*.*$', 167_668_501],
  ])('%s, with a text of 1,000 characters: %d', (pattern, steps) => {
    expect(Math.round(stepsOf(pattern)(1_000))).toBe(steps);
  });

  it('are no more than there are ways through a short text', () => {
    expect(stepsOf('^a{0,1000}b{0,900}$')(3)).toBe(8);
  });
});
