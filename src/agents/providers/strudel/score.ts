/**
 * A score: the events of a pattern as notes of voices, which is what both pictures and MIDI files are made from.
 *
 * Follows what Strudel plays: `clip` and `duration` change a note's length, gain is 0.8 where nothing is said, a
 * sound without a name is a triangle wave, an instrument without a note plays C2.
 */
import { getOwn, isJsonObject, type Json, type JsonObject } from '../../../kernel/json.js';
import { drumKeyOf, isInstrument } from './sounds.js';
import type { PatternEvent } from './strudel.schema.js';

/** Times in cycles; a note ends at the end of the score at the latest. */
export interface ScoreNote {
  readonly begin: number;
  readonly end: number;
  /** MIDI note number, with a fraction between the keys; only in pitched voices. */
  readonly pitch: number;
  /** 0 to 1, more than 0. */
  readonly velocity: number;
}

/** `drum` and `sample` have no pitch. */
export interface Voice {
  readonly name: string;
  readonly kind: 'pitched' | 'drum' | 'sample';
  /** In order of begin. */
  readonly notes: readonly ScoreNote[];
}

export interface Score {
  readonly cycles: number;
  /** Cycles per second. */
  readonly cps: number;
  /** In order of their first note. */
  readonly voices: readonly Voice[];
}

/** Sounds beyond this many share one voice of their kind. */
const MAX_VOICES = 64;
const OTHERS = 'others';
const DEFAULT_GAIN = 0.8;
const DEFAULT_SOUND = 'triangle';
const DEFAULT_PITCH = 36;
const DEFAULT_OCTAVE = 3;
const CHROMA: Readonly<Record<string, number>> = { c: 0, d: 2, e: 4, f: 5, g: 7, a: 9, b: 11 };
const ACCIDENTALS: Readonly<Record<string, number>> = { '#': 1, s: 1, b: -1, f: -1 };

/** The score of events that are in order of begin. Silent ones and those that are no sound are left out. */
export function scoreOf(events: readonly PatternEvent[], span: Pick<Score, 'cycles' | 'cps'>): Score {
  const voices = new Map<string, { name: string; kind: Voice['kind']; notes: ScoreNote[] }>();
  for (const event of events) {
    if (!isJsonObject(event.value)) continue;
    const note = noteOf(event, event.value, span.cycles);
    if (note.velocity <= 0) continue;
    const sound = soundOf(event.value);
    const kind = kindOf(sound, event.value);
    const name = voices.size < MAX_VOICES || voices.has(`${kind} ${sound}`) ? sound : OTHERS;
    const voice = voices.get(`${kind} ${name}`) ?? { name, kind, notes: [] };
    voices.set(`${kind} ${name}`, voice);
    voice.notes.push(note);
  }
  return { ...span, voices: [...voices.values()] };
}

/** The MIDI note number of a note's name, such as `c`, `Eb4` or `f#2`; the octave is 3 where none is said. */
export function pitchOfName(name: string): number | undefined {
  const [, letter, accidentals = '', octave] = /^([a-g])([#bsf]*)(-?\d*)$/.exec(name.toLowerCase()) ?? [];
  if (letter === undefined) return undefined;
  const shift = Array.from(accidentals).reduce((sum, sign) => sum + (ACCIDENTALS[sign] ?? 0), 0);
  return (Number(octave === '' ? DEFAULT_OCTAVE : octave) + 1) * 12 + (CHROMA[letter] ?? 0) + shift;
}

function noteOf(event: PatternEvent, value: JsonObject, cycles: number): ScoreNote {
  const length = numberOf(value, 'duration') ?? event.end - event.begin;
  const end = event.begin + length * (numberOf(value, 'clip') ?? 1);
  const velocity = (numberOf(value, 'gain') ?? DEFAULT_GAIN) * (numberOf(value, 'velocity') ?? 1);
  return {
    begin: event.begin,
    end: Math.max(event.begin, Math.min(end, cycles)),
    pitch: pitchOf(value) ?? DEFAULT_PITCH,
    velocity: Math.min(1, velocity),
  };
}

function kindOf(sound: string, value: JsonObject): Voice['kind'] {
  if (pitchOf(value) !== undefined) return 'pitched';
  if (drumKeyOf(sound) !== undefined) return 'drum';
  return isInstrument(sound) ? 'pitched' : 'sample';
}

function soundOf(value: JsonObject): string {
  const sound = getOwn(value, 's');
  return typeof sound === 'string' && sound !== '' ? sound : DEFAULT_SOUND;
}

/** Kept within the keys that MIDI has. */
function pitchOf(value: JsonObject): number | undefined {
  const freq = numberOf(value, 'freq');
  const pitch = freq === undefined ? pitchOfNote(getOwn(value, 'note')) : 69 + 12 * Math.log2(freq / 440);
  return pitch === undefined || !Number.isFinite(pitch) ? undefined : Math.max(0, Math.min(127, pitch));
}

function pitchOfNote(note: Json | undefined): number | undefined {
  if (typeof note === 'number') return note;
  if (typeof note !== 'string' || note.trim() === '') return undefined;
  return pitchOfName(note) ?? Number(note);
}

function numberOf(value: JsonObject, key: string): number | undefined {
  const found = getOwn(value, key);
  const number = typeof found === 'string' && found.trim() !== '' ? Number(found) : found;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}
