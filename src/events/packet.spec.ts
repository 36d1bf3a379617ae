import { anEvent } from '../../test/support/a-run.js';
import type { Delta } from '../runs/run.feed.js';
import { acknowledgementPacket, packetOf, packetOfDelta, packetOfEvent } from './packet.js';

const DELTA: Delta = {
  type: 'step.delta',
  runId: 'run_a',
  stepId: 'write',
  attempt: 1,
  n: 1,
  afterSeq: 3,
  data: { text: 'Hel' },
};

describe('packets', () => {
  it('carry an event with the text of the log, under its type', () => {
    const encoded = anEvent('run_a', 1);

    expect(packetOfEvent(encoded).text).toBe(`2["step.started",${encoded.text}]`);
  });

  it('are made once for all clients', () => {
    const encoded = anEvent('run_a', 1);

    expect(packetOfEvent(encoded)).toBe(packetOfEvent(encoded));
    expect(packetOfEvent(encoded).frame).toBe(packetOfEvent(encoded).frame);
    expect(packetOfDelta(DELTA)).toBe(packetOfDelta(DELTA));
    expect(packetOfEvent(anEvent('run_a', 1))).not.toBe(packetOfEvent(encoded));
  });

  it('carry what is said to one client', () => {
    const progress = { runId: 'run_a', completed: 1, total: 2, percent: 50 };

    expect(packetOf('run.progress', progress).text).toBe(`2["run.progress",${JSON.stringify(progress)}]`);
    expect(acknowledgementPacket(12, { ok: true, data: { a: 1 } }).text).toBe(
      '312[{"ok":true,"data":{"a":1}}]',
    );
  });

  it('are framed as messages of Engine.IO', () => {
    const { text, frame } = acknowledgementPacket(1, { ok: true, data: null });

    expect(frame.subarray(2).toString()).toBe(`4${text}`);
  });
});
