import { diffLines, diffVersions, type LineDiff } from './diff.js';
import type { TemplateBody, TemplateVersion } from './template.js';

const shown = (lines: readonly LineDiff[]): string =>
  lines.map(({ op, text }) => ({ same: ' ', removed: '-', added: '+' })[op] + text).join('|');

const linesOf = (text: string): readonly string[] => (text === '' ? [] : text.split(''));

describe('diffLines', () => {
  it.each([
    ['', '', ''],
    ['abc', 'abc', ' a| b| c'],
    ['', 'ab', '+a|+b'],
    ['ab', '', '-a|-b'],
    ['abc', 'axc', ' a|-b|+x| c'],
    ['abcabba', 'cbabac', '-a|-b| c|+b| a| b|-b| a|+c'],
    ['abcd', 'acbd', ' a|-b| c|+b| d'],
    ['aaa', 'aa', ' a| a|-a'],
  ])('from %j to %j', (before, after, expected) => {
    expect(shown(diffLines(linesOf(before), linesOf(after)))).toBe(expected);
  });

  it('says the number of each line in both lists', () => {
    expect(diffLines(['a', 'b'], ['b', 'c'])).toEqual([
      { op: 'removed', from: 1, text: 'a' },
      { op: 'same', from: 2, to: 1, text: 'b' },
      { op: 'added', to: 2, text: 'c' },
    ]);
  });

  it('leads from any list to any other, with no more edits than lines', () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const [before, after] = [letters(seed, 23), letters(seed * 7 + 1, 19)];
      const lines = diffLines(before, after);

      expect(lines.filter(({ op }) => op !== 'added').map(({ text }) => text)).toEqual(before);
      expect(lines.filter(({ op }) => op !== 'removed').map(({ text }) => text)).toEqual(after);
    }
  });

  it('tells lists that have little in common as one block', () => {
    const before = Array.from({ length: 100_000 }, (_, index) => `a${String(index)}`);
    const after = Array.from({ length: 100_000 }, (_, index) => `b${String(index)}`);

    const lines = diffLines(['same', ...before], ['same', ...after]);

    expect(lines).toHaveLength(200_001);
    expect(lines[100_001]).toEqual({ op: 'added', to: 2, text: 'b0' });
  });
});

describe('diffVersions', () => {
  it('shows messages with their roles, and placeholders', () => {
    const before = aVersion(1, { kind: 'text', content: 'hi', variables: [], tags: [] });
    const after = aVersion(2, {
      kind: 'chat',
      messages: [{ role: 'system', content: 'hi\nyou' }, { placeholder: 'history' }],
      variables: [],
      tags: [],
    });

    const { from, to, lines } = diffVersions(before, after);

    expect([from, to]).toEqual([1, 2]);
    expect(shown(lines)).toBe('+[system]| hi|+you|+[messages: history]');
  });
});

function aVersion(version: number, body: TemplateBody): TemplateVersion {
  return { version, body, undeclared: [], author: 'key_1', createdAt: 0 };
}

/** A list of few different letters, the same for the same seed. */
function letters(seed: number, length: number): readonly string[] {
  let state = seed;
  return Array.from({ length: 1 + (seed % length) }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return 'abcd'.charAt(state % 4);
  });
}
