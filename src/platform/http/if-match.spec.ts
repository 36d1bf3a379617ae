import { acceptedVersionsOf, entityTagOf, requireVersion } from './if-match.js';

const accepted = (header?: string): readonly number[] | undefined =>
  acceptedVersionsOf({ headers: header === undefined ? {} : { 'if-match': header } });

describe('acceptedVersionsOf', () => {
  it.each([
    ['no header', undefined, undefined],
    ['any', ' * ', undefined],
    ['one version', '"3"', [3]],
    ['a number without quotes', '3', [3]],
    ['several', '"3", "14"', [3, 14]],
    ['a weak tag', 'W/"3"', []],
    ['a tag that is no version', '"abc", "0"', []],
  ])('reads %s', (_, header, versions) => {
    expect(accepted(header)).toEqual(versions);
  });

  it.each(['"3', 'three', '', '"3" "4"', '"3",'])('refuses %j', (header) => {
    expect(() => accepted(header)).toThrow('Expected If-Match');
  });
});

describe('requireVersion', () => {
  it.each([
    [undefined, 7],
    [[6, 7], 7],
  ])('lets %j pass at %i', (versions, present) => {
    expect(() => {
      requireVersion(versions, present);
    }).not.toThrow();
  });

  it.each([[[6]], [[]]])('refuses %j at 7', (versions) => {
    expect(() => {
      requireVersion(versions, 7);
    }).toThrow(
      expect.objectContaining({ failure: expect.objectContaining({ code: 'version.stale' }) }) as Error,
    );
  });
});

it('an entity tag is accepted as its version', () => {
  expect(accepted(entityTagOf(12))).toEqual([12]);
});
