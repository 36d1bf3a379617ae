import { aRunId, anEvent, someEvents } from '../../../test/support/a-run.js';
import type { Delta } from '../../runs/run.feed.js';
import { noteOfDelta, noteOfEvents, readRunNotes, topicOfRun } from './feed-notes.js';

const aDelta = (runId: string): Delta => ({
  type: 'step.delta',
  runId,
  stepId: 'a',
  attempt: 1,
  n: 1,
  afterSeq: 1,
  data: { text: 'one\ntwo E D' },
});

const linesOf = (...texts: readonly string[]): readonly string[] => texts.join('\n').split('\n');

describe('notes of runs', () => {
  it('come back as they were told, in order', () => {
    const [first, second] = [aRunId(), aRunId()];
    const events = [...someEvents(first, 4, 2), anEvent(first, 6, 'line\nE D \u2028')];
    const delta = aDelta(second);

    const lines = linesOf(
      noteOfEvents(first, events).text(),
      noteOfDelta(delta).text(),
      noteOfEvents(second, someEvents(second, 2, 1)).text(),
    );

    expect(readRunNotes(lines, () => true)).toEqual([
      { kind: 'events', runId: first, events },
      { kind: 'delta', delta },
      { kind: 'events', runId: second, events: someEvents(second, 2, 1) },
    ]);
  });

  it('of runs that are not wanted are passed over', () => {
    const [wanted, other] = [aRunId(), aRunId()];
    const lines = linesOf(
      noteOfEvents(other, someEvents(other, 1, 3)).text(),
      noteOfDelta(aDelta(other)).text(),
      noteOfEvents(wanted, someEvents(wanted, 1, 1)).text(),
    );

    const notes = readRunNotes(lines, (runId) => runId === wanted);

    expect(notes).toEqual([{ kind: 'events', runId: wanted, events: someEvents(wanted, 1, 1) }]);
  });

  it('send readers to the record where events are large, and where only a reminder is left', () => {
    const runId = aRunId();
    const large = noteOfEvents(runId, [anEvent(runId, 7, 'x'.repeat(40_000))]);
    const small = noteOfEvents(runId, someEvents(runId, 8, 2));

    const notes = readRunNotes(linesOf(large.text(), small.reminder ?? ''), () => true);

    expect(notes).toEqual([
      { kind: 'look', runId, lastSeq: 7 },
      { kind: 'look', runId, lastSeq: 9 },
    ]);
  });

  it('of runs are spread over all topics', () => {
    const topics = new Set(Array.from({ length: 2_000 }, () => topicOfRun(aRunId())));

    expect(topics.size).toBe(64);
  });
});
