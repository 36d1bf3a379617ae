import { LABEL_NAME, selectVersion, type LabelMark, type VersionSelector } from './versions.js';

const mark = (label: string, version: number): LabelMark => ({
  label,
  version,
  movedBy: 'key_1',
  movedAt: 1,
});

describe('selectVersion', () => {
  const plain = { name: 'a', latest: 3, labels: [mark('staging', 2)] };
  const labelled = { ...plain, labels: [mark('production', 1), mark('staging', 2)] };

  it.each<readonly [VersionSelector, typeof plain, object]>([
    [{}, plain, { version: 3, label: 'latest' }],
    [{}, labelled, { version: 1, label: 'production' }],
    [{ label: 'latest' }, labelled, { version: 3, label: 'latest' }],
    [{ label: 'staging' }, labelled, { version: 2, label: 'staging' }],
    [{ version: 3 }, labelled, { version: 3 }],
  ])('takes %j', (selector, head, value) => {
    expect(selectVersion(head, selector)).toEqual({ ok: true, value });
  });

  it.each<readonly [VersionSelector, 'version' | 'label', string]>([
    [{ version: 4 }, 'version', 'a has 3 versions, not a version 4'],
    [{ label: 'production' }, 'label', 'no version of a carries the label "production"'],
  ])('finds nothing by %j', (selector, missing, message) => {
    expect(selectVersion(plain, selector)).toEqual({ ok: false, failure: { missing, message } });
  });
});

describe('LABEL_NAME', () => {
  it.each([
    ['production', true],
    ['v1.2_x-y', true],
    ['1', false],
    ['A', false],
    ['', false],
    ['a'.repeat(65), false],
  ])('takes %j: %s', (label, isTaken) => {
    expect(LABEL_NAME.test(label)).toBe(isTaken);
  });
});
