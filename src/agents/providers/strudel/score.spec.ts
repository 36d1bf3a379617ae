import type { Json } from '../../../kernel/json.js';
import { pitchOfName, scoreOf, type Score } from './score.js';

const SPAN = { cycles: 4, cps: 0.5 };

function scoreOfValues(...values: readonly Json[]): Score {
  return scoreOf(
    values.map((value) => ({ begin: 0, end: 1, value })),
    SPAN,
  );
}

describe('pitchOfName', () => {
  it.each([
    ['c4', 60],
    ['C4', 60],
    ['a4', 69],
    ['c', 48],
    ['eb3', 51],
    ['ef3', 51],
    ['f#2', 42],
    ['fs2', 42],
    ['bb3', 58],
    ['c-1', 0],
    ['cb4', 59],
  ])('gives %s the number %i', (name, pitch) => {
    expect(pitchOfName(name)).toBe(pitch);
  });

  it.each(['', 'h4', 'bd', '60', 'c4x'])('finds no pitch in "%s"', (name) => {
    expect(pitchOfName(name)).toBeUndefined();
  });
});

describe('scoreOf', () => {
  it.each<[string, Json, string, string]>([
    ['a note without a sound', { note: 'c4' }, 'triangle', 'pitched'],
    ['a note of a sound', { note: 'c4', s: 'piano' }, 'piano', 'pitched'],
    ['a drum', { s: 'bd' }, 'bd', 'drum'],
    ['a drum of a bank', { s: 'RolandTR909_hh' }, 'RolandTR909_hh', 'drum'],
    ['a drum that is given a note', { s: 'bd', note: 40 }, 'bd', 'pitched'],
    ['an instrument without a note', { s: 'sawtooth' }, 'sawtooth', 'pitched'],
    ['a recording', { s: 'casio' }, 'casio', 'sample'],
  ])('takes %s for what it is', (_, value, name, kind) => {
    expect(scoreOfValues(value).voices).toEqual([{ name, kind, notes: [expect.anything()] }]);
  });

  it.each<[string, Json, number]>([
    ['a name', { note: 'a4' }, 69],
    ['a number', { note: 62.5 }, 62.5],
    ['a number as text', { note: '62' }, 62],
    ['a frequency', { freq: 440 }, 69],
    ['nothing', { s: 'sawtooth' }, 36],
    ['a number beyond the keys', { note: 500 }, 127],
  ])('reads the pitch from %s', (_, value, pitch) => {
    expect(scoreOfValues(value).voices[0]?.notes[0]?.pitch).toBeCloseTo(pitch, 9);
  });

  it.each<[string, Json, number]>([
    ['nothing', {}, 0.8],
    ['gain', { gain: 0.5 }, 0.5],
    ['gain and velocity', { gain: 0.5, velocity: 0.5 }, 0.25],
    ['a gain as text', { gain: '0.3' }, 0.3],
    ['a gain beyond 1', { gain: 3 }, 1],
  ])('reads the velocity from %s', (_, value, velocity) => {
    expect(scoreOfValues(value).voices[0]?.notes[0]?.velocity).toBeCloseTo(velocity, 9);
  });

  it.each<[string, Json, number]>([
    ['the event', {}, 1],
    ['clip', { clip: 0.25 }, 0.25],
    ['duration', { duration: 2 }, 2],
    ['duration and clip', { duration: 2, clip: 0.25 }, 0.5],
    ['the end of the score', { duration: 100 }, 4],
  ])('takes the end from %s', (_, value, end) => {
    expect(scoreOfValues(value).voices[0]?.notes[0]?.end).toBe(end);
  });

  it('leaves out what is silent and what is no sound', () => {
    expect(scoreOfValues({ s: 'bd', gain: 0 }, 'c', 3, null, []).voices).toEqual([]);
  });

  it('gives 64 sounds a voice of their own and the rest one together', () => {
    const sounds = Array.from({ length: 100 }, (_, at) => ({ s: `sound${at}` }));
    const { voices } = scoreOfValues(...sounds);

    expect(voices).toHaveLength(65);
    expect(voices.at(-1)).toMatchObject({ name: 'others', notes: { length: 36 } });
  });

  it.each(['__proto__', 'constructor', 'toString'])('takes a sound named %s for a name', (name) => {
    expect(scoreOfValues({ s: name }).voices).toMatchObject([{ name, kind: 'sample' }]);
  });
});
