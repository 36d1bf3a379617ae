import { LineSplitter } from './line-splitter.js';

describe('LineSplitter', () => {
  it('gives the lines that end in a chunk and keeps the rest for the next', () => {
    const splitter = new LineSplitter(100);

    expect(splitter.push(Buffer.from('one\ntw'))).toEqual(['one']);
    expect(splitter.push(Buffer.from('o'))).toEqual([]);
    expect(splitter.push(Buffer.from('\n\nthree\n'))).toEqual(['two', '', 'three']);
  });

  it('keeps a character whole that two chunks share', () => {
    const splitter = new LineSplitter(100);
    const bytes = Buffer.from('é♯\n');

    expect([...bytes].flatMap((byte) => splitter.push(Buffer.from([byte])))).toEqual(['é♯']);
  });

  it('refuses a line beyond its bound, however it comes', () => {
    const splitter = new LineSplitter(4);

    expect(splitter.push(Buffer.from('1234\n123'))).toEqual(['1234']);
    expect(() => splitter.push(Buffer.from('45'))).toThrow('more than 4 bytes');
  });
});
