import { setImmediate } from 'node:timers/promises';

import { ManualClock } from '../../test/support/manual-clock.js';
import { Outbox, type Wire } from './outbox.js';
import type { Packet } from './packet.js';

const LIMITS = { maxQueuedBytes: 100, maxBatchBytes: 40, stallMs: 1_000, minBytesPerSecond: 10 };

/** A client that takes a batch when the test says so. */
class ManualWire implements Wire {
  readonly batches: (readonly string[])[] = [];
  private taken: (() => void) | undefined;

  write(packets: readonly Packet[], taken: () => void): void {
    this.batches.push(packets.map(({ text }) => text));
    this.taken = taken;
  }

  take(): void {
    this.taken?.();
  }
}

function aPacket(text: string, bytes = 10): Packet {
  return { text, frame: Buffer.alloc(bytes) };
}

describe('Outbox', () => {
  let wire: ManualWire;
  let clock: ManualClock;
  let outbox: Outbox;

  beforeEach(() => {
    wire = new ManualWire();
    clock = new ManualClock();
    outbox = new Outbox(wire, clock, LIMITS);
  });

  it('sends what is said in one tick at once, in order', async () => {
    for (const text of ['a', 'b', 'c']) outbox.push(aPacket(text));
    expect(wire.batches).toEqual([]);
    await setImmediate();

    expect(wire.batches).toEqual([['a', 'b', 'c']]);
  });

  it('has one batch under way at a time, of a bounded size', async () => {
    for (const text of ['a', 'b', 'c', 'd', 'e', 'f']) outbox.push(aPacket(text));
    await setImmediate();
    expect(wire.batches).toEqual([['a', 'b', 'c', 'd']]);
    expect(outbox.bytes).toBe(60);
    wire.take();

    expect(wire.batches).toEqual([
      ['a', 'b', 'c', 'd'],
      ['e', 'f'],
    ]);
    expect(outbox.bytes).toBe(20);
  });

  it('sends a packet that is larger than a batch alone', async () => {
    outbox.push(aPacket('large', 1_000));
    outbox.push(aPacket('small'));
    await setImmediate();
    wire.take();

    expect(wire.batches).toEqual([['large'], ['small']]);
  });

  it('makes producers wait while it is full', async () => {
    outbox.push(aPacket('a', 60));
    expect(await outbox.room()).toBe(true);
    outbox.push(aPacket('b', 60));
    const hasRoom = jest.fn();
    const waiting = outbox.room().then(hasRoom);
    await setImmediate();
    expect(hasRoom).not.toHaveBeenCalled();
    wire.take();
    await waiting;

    expect(hasRoom).toHaveBeenCalledWith(true);
  });

  it.each([
    [
      'closed',
      (box: Outbox) => {
        box.close();
      },
    ],
    [
      'ended',
      (box: Outbox) => {
        box.end(aPacket('last'));
      },
    ],
  ])('lets nobody wait when it is %s', async (_, end) => {
    outbox.push(aPacket('a', 200));
    const waiting = outbox.room();
    end(outbox);

    expect(await waiting).toBe(false);
    expect(outbox.bytes).toBe(0);
  });

  it('lets nobody wait for a subscription that is stopped', async () => {
    const stopped = new AbortController();
    outbox.push(aPacket('a', 200));
    const waiting = outbox.room(stopped.signal);
    stopped.abort();
    outbox.takeBack({});

    expect(await waiting).toBe(false);
  });

  it('takes back what a sender put in and has not gone out', async () => {
    const [one, other] = [{}, {}];
    outbox.push(aPacket('a', 40), one);
    outbox.push(aPacket('b', 40), other);
    await setImmediate();
    outbox.push(aPacket('c'), one);
    outbox.takeBack(one);
    wire.take();

    expect(wire.batches).toEqual([['a'], ['b']]);
    expect(outbox.bytes).toBe(40);
  });

  it('ends with one last packet instead of all that waits', async () => {
    outbox.push(aPacket('a', 40));
    outbox.push(aPacket('b', 40));
    await setImmediate();
    outbox.end(aPacket('last'));
    outbox.push(aPacket('late'));
    wire.take();
    await setImmediate();

    expect(wire.batches).toEqual([['a'], ['last']]);
  });

  it('is stalled when a batch takes longer than its size allows', async () => {
    expect(outbox.isStalled()).toBe(false);
    outbox.push(aPacket('a', 20));
    await setImmediate();
    clock.advance(3_000);
    expect(outbox.isStalled()).toBe(false);
    clock.advance(1);

    expect(outbox.isStalled()).toBe(true);
    wire.take();
    expect(outbox.isStalled()).toBe(false);
  });
});
