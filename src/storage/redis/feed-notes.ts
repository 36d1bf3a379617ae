/**
 * What processes tell each other of runs, as lines of text.
 *
 * Events: a line `E runId lastSeq count`, and `count` lines, each an event as it is stored; without any, the record is
 * to be read. Deltas: a line `D`, a blank and JSON.
 */
import type { EncodedEvent, RunEvent } from '../../runs/domain/run.events.js';
import type { Delta } from '../../runs/run.feed.js';
import type { Note } from './note-outbox.js';

/** Runs are told of on so many topics. A process listens to those of the runs that are followed in it (ADR 22). */
const SHARDS = 64;

/** Events that take more are read from the record by those who want them. UTF-16 units. */
const MAX_TOLD_CHARS = 32_768;

/** What is told of a run. */
export type RunNote =
  | { readonly kind: 'events'; readonly runId: string; readonly events: readonly EncodedEvent[] }
  | { readonly kind: 'look'; readonly runId: string; readonly lastSeq: number }
  | { readonly kind: 'delta'; readonly delta: Delta };

/** The topic on which is told of a run. */
export function topicOfRun(runId: string): string {
  let hash = 0;
  for (let index = 0; index < runId.length; index += 1) hash = (hash * 31 + runId.charCodeAt(index)) | 0;
  return `runs:{${String((hash >>> 0) % SHARDS)}}`;
}

/** The topic on which is told which runs of a namespace change. */
export function topicOfChanges(namespace: string): string {
  return `changes:{${namespace}}`;
}

/** Events of an append, at least one. */
export function noteOfEvents(runId: string, events: readonly EncodedEvent[]): Note {
  const lastSeq = events.at(-1)?.event.seq ?? 0;
  const reminder = `E ${runId} ${String(lastSeq)} 0`;
  const chars = events.reduce((sum, { text }) => sum + text.length, 0);
  if (chars > MAX_TOLD_CHARS) return { key: runId, reminder, text: () => reminder };
  const head = `E ${runId} ${String(lastSeq)} ${String(events.length)}`;
  return { key: runId, reminder, text: () => [head, ...events.map(({ text }) => text)].join('\n') };
}

/** A delta: dropped where there is no room for it. */
export function noteOfDelta(delta: Delta): Note {
  return { key: delta.runId, text: () => `D ${JSON.stringify(delta)}` };
}

/** A run that changed. */
export function noteOfChange(runId: string): Note {
  return { key: runId, reminder: runId, text: () => runId };
}

/** What lines say of the runs that are wanted, in order. What is not understood is left out. @throws SyntaxError */
export function readRunNotes(
  lines: readonly string[],
  isWanted: (runId: string) => boolean,
): readonly RunNote[] {
  const notes: RunNote[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    if (line.startsWith('D ')) {
      const delta = JSON.parse(line.slice(2)) as Delta;
      if (isWanted(delta.runId)) notes.push({ kind: 'delta', delta });
    }
    if (!line.startsWith('E ')) continue;
    const [, runId = '', lastSeq = '0', count = '0'] = line.split(' ');
    const end = at + 1 + Number(count);
    if (isWanted(runId)) notes.push(eventsOf(runId, Number(lastSeq), lines.slice(at + 1, end)));
    at = end - 1;
  }
  return notes;
}

function eventsOf(runId: string, lastSeq: number, texts: readonly string[]): RunNote {
  if (texts.length === 0) return { kind: 'look', runId, lastSeq };
  return {
    kind: 'events',
    runId,
    events: texts.map((text) => ({ event: JSON.parse(text) as RunEvent, text })),
  };
}
