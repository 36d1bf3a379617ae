import { CommandLane } from './command-lane.js';

/** Work that ends when the test says so, and a record of what has begun. */
class Works {
  readonly begun: string[] = [];
  private readonly ends = new Map<string, () => void>();

  make(name: string): () => Promise<void> {
    return () => {
      this.begun.push(name);
      return new Promise((resolve) => this.ends.set(name, resolve));
    };
  }

  async end(name: string): Promise<void> {
    this.ends.get(name)?.();
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  }
}

describe('CommandLane', () => {
  it('keeps the order of what has the same key', async () => {
    const works = new Works();
    const lane = new CommandLane(8);
    for (const name of ['a1', 'a2', 'b1', 'a3']) lane.submit(name.charAt(0), works.make(name));

    expect(works.begun).toEqual(['a1', 'b1']);
    await works.end('a1');
    expect(works.begun).toEqual(['a1', 'b1', 'a2']);
    await works.end('a2');
    expect(works.begun).toEqual(['a1', 'b1', 'a2', 'a3']);
  });

  it('does a bounded number at once, with or without keys', async () => {
    const works = new Works();
    const lane = new CommandLane(2);
    for (const name of ['1', '2', '3', '4']) lane.submit(undefined, works.make(name));

    expect(works.begun).toEqual(['1', '2']);
    await works.end('2');
    expect(works.begun).toEqual(['1', '2', '3']);
  });

  it('begins nothing that waited when it is cleared', async () => {
    const works = new Works();
    const lane = new CommandLane(1);
    for (const name of ['1', '2']) lane.submit(undefined, works.make(name));
    lane.clear();
    await works.end('1');

    expect(works.begun).toEqual(['1']);
  });
});
