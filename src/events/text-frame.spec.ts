import { textFrame } from './text-frame.js';

describe('textFrame', () => {
  it.each([
    ['nothing', '', [0x81, 0]],
    ['125 bytes', 'a'.repeat(125), [0x81, 125]],
    ['126 bytes', 'a'.repeat(126), [0x81, 126, 0, 126]],
    ['65,535 bytes', 'a'.repeat(65_535), [0x81, 126, 255, 255]],
    ['65,536 bytes', 'a'.repeat(65_536), [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]],
  ])('puts the length of %s in the header', (_, text, header) => {
    const frame = textFrame(text);

    expect([...frame.subarray(0, header.length)]).toEqual(header);
    expect(frame.subarray(header.length).toString()).toBe(text);
  });

  it('counts bytes, not letters', () => {
    expect([...textFrame('é\u{1F600}').subarray(0, 2)]).toEqual([0x81, 6]);
  });
});
