/**
 * Standard MIDI File, format 1: a tempo track and one track per voice (the MIDI Association's SMF 1.0, GM 1).
 *
 * One cycle is one bar of four quarters. Drums share the percussion channel; every other voice has a channel of its
 * own as long as there are any.
 */
import type { Score, ScoreNote, Voice } from './score.js';
import { drumKeyOf, programOf } from './sounds.js';

const TICKS_PER_QUARTER = 480;
const TICKS_PER_CYCLE = 4 * TICKS_PER_QUARTER;
const MICROSECONDS_PER_MINUTE = 60_000_000;
const SLOWEST_TEMPO = 0xffffff;
/** Channels count from 0 in the file. */
const DRUM_CHANNEL = 9;
const MELODIC_CHANNELS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15] as const;
/** A recording has no pitch of its own; middle C plays it as it is. */
const SAMPLE_KEY = 60;
const NOTE_OFF = 0x80;
const NOTE_ON = 0x90;
const PROGRAM_CHANGE = 0xc0;

interface MidiEvent {
  readonly tick: number;
  readonly bytes: readonly number[];
}

/** One played key. */
interface Key {
  readonly on: number;
  readonly off: number;
  readonly key: number;
  readonly velocity: number;
}

/** The bytes of the file. Every note of the score is one note of the file; the file ends with the last bar. */
export function midiFileOf(score: Score): Uint8Array {
  const length = score.cycles * TICKS_PER_CYCLE;
  const melodic = score.voices.filter(({ kind }) => kind !== 'drum');
  const tracks = score.voices.map((voice) => voiceTrack(voice, channelOf(voice, melodic), length));
  const header = [...uint(1, 2), ...uint(tracks.length + 1, 2), ...uint(TICKS_PER_QUARTER, 2)];
  return Uint8Array.from([
    ...chunk('MThd', header),
    ...[tempoTrack(score.cps, length), ...tracks].flatMap((track) => chunk('MTrk', track)),
  ]);
}

/** The tempo at which a cycle is a bar of four quarters. */
export function bpmOf(cps: number): number {
  return cps * 240;
}

function channelOf(voice: Voice, melodic: readonly Voice[]): number {
  if (voice.kind === 'drum') return DRUM_CHANNEL;
  return MELODIC_CHANNELS[melodic.indexOf(voice) % MELODIC_CHANNELS.length] ?? 0;
}

function tempoTrack(cps: number, length: number): readonly number[] {
  const tempo = Math.round(MICROSECONDS_PER_MINUTE / bpmOf(cps));
  const setTempo = [0xff, 0x51, 3, ...uint(Math.max(1, Math.min(SLOWEST_TEMPO, tempo)), 3)];
  const fourQuarters = [0xff, 0x58, 4, 4, 2, 24, 8];
  return trackOf(
    [nameOf('Strudel pattern'), setTempo, fourQuarters].map((bytes) => ({ tick: 0, bytes })),
    length,
  );
}

function voiceTrack(voice: Voice, channel: number, length: number): readonly number[] {
  const program = voice.kind === 'pitched' ? [[PROGRAM_CHANGE | channel, programOf(voice.name)]] : [];
  const head = [nameOf(voice.name), ...program].map((bytes) => ({ tick: 0, bytes }));
  const keys = withoutOverlap(voice.notes.map((note) => keyOf(note, voice)));
  const notes = keys.flatMap(({ on, off, key, velocity }) => [
    { tick: on, bytes: [NOTE_ON | channel, key, velocity] },
    { tick: off, bytes: [NOTE_OFF | channel, key, 0] },
  ]);
  return trackOf([...head, ...notes.toSorted(offBeforeOn)], length);
}

function keyOf(note: ScoreNote, voice: Voice): Key {
  const on = Math.round(note.begin * TICKS_PER_CYCLE);
  const off = Math.max(on + 1, Math.round(note.end * TICKS_PER_CYCLE));
  const key = voice.kind === 'drum' ? drumKeyOf(voice.name) : undefined;
  const pitch = voice.kind === 'pitched' ? Math.round(note.pitch) : SAMPLE_KEY;
  return { on, off, key: key ?? pitch, velocity: Math.max(1, Math.round(note.velocity * 127)) };
}

/** A key that is struck again while it sounds ends first, or its first end would silence the second note. */
function withoutOverlap(keys: readonly Key[]): readonly Key[] {
  const nextOn = new Map<number, number>();
  return keys
    .toReversed()
    .map((played) => {
      const next = nextOn.get(played.key);
      nextOn.set(played.key, played.on);
      return next === undefined || next <= played.on
        ? played
        : { ...played, off: Math.min(played.off, next) };
    })
    .toReversed();
}

function offBeforeOn(a: MidiEvent, b: MidiEvent): number {
  return a.tick - b.tick || (a.bytes[0] ?? 0) - (b.bytes[0] ?? 0);
}

function trackOf(events: readonly MidiEvent[], length: number): readonly number[] {
  const end = { tick: Math.max(length, events.at(-1)?.tick ?? 0), bytes: [0xff, 0x2f, 0] };
  let tick = 0;
  return [...events, end].flatMap((event) => {
    const delta = variableLength(event.tick - tick);
    tick = event.tick;
    return [...delta, ...event.bytes];
  });
}

function nameOf(text: string): readonly number[] {
  const bytes = [...Buffer.from(text, 'utf8').subarray(0, 127)];
  return [0xff, 0x03, ...variableLength(bytes.length), ...bytes];
}

function chunk(type: string, content: readonly number[]): readonly number[] {
  return [...Buffer.from(type, 'latin1'), ...uint(content.length, 4), ...content];
}

function uint(value: number, bytes: number): readonly number[] {
  return Array.from({ length: bytes }, (_, at) => (value >>> (8 * (bytes - 1 - at))) & 0xff);
}

/** Seven bits a byte, the highest first; every byte but the last has its eighth bit set. */
function variableLength(value: number): readonly number[] {
  const bytes = [value & 0x7f];
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes.unshift((rest & 0x7f) | 0x80);
  return bytes;
}
