import { Midi } from '@tonejs/midi';

import { bpmOf, midiFileOf } from './midi-file.js';
import { scoreOf } from './score.js';
import type { PatternEvent } from './strudel.schema.js';

/** Read by a parser that is not ours; it gives the tempo track as the header. */
function readBack(events: readonly PatternEvent[], cycles = 2, cps = 0.5): Midi {
  return new Midi(midiFileOf(scoreOf(events, { cycles, cps })));
}

const DRUMS: readonly PatternEvent[] = [
  { begin: 0, end: 0.25, value: { s: 'bd', gain: 1 } },
  { begin: 0.5, end: 0.75, value: { s: 'bd', gain: 0.5 } },
  { begin: 0.5, end: 1, value: { s: 'sd' } },
  { begin: 1, end: 1.25, value: { s: 'hh' } },
];

describe('midiFileOf', () => {
  it('is format 1 with a tempo track first and 480 ticks a quarter', () => {
    const bytes = Buffer.from(midiFileOf(scoreOf(DRUMS, { cycles: 2, cps: 0.5 })));

    expect(bytes.subarray(0, 14).toString('hex')).toBe('4d546864000000060001000401e0');
  });

  it.each([
    [0.5, 120],
    [0.4, 96],
    [140 / 4 / 60, 140],
  ])('plays a cycle as a bar of four quarters: %d cycles a second are %d bpm', (cps, bpm) => {
    expect(bpmOf(cps)).toBeCloseTo(bpm, 9);
    expect(readBack(DRUMS, 2, cps).header.tempos[0]?.bpm).toBeCloseTo(bpm, 3);
    expect(readBack(DRUMS, 2, cps).header.timeSignatures[0]?.timeSignature).toEqual([4, 4]);
  });

  it('puts drums on the percussion channel, on the keys of General MIDI', () => {
    const { tracks } = readBack(DRUMS);

    expect(tracks.map(({ name, channel, notes }) => [name, channel, notes.map(({ midi }) => midi)])).toEqual([
      ['bd', 9, [36, 36]],
      ['sd', 9, [38]],
      ['hh', 9, [42]],
    ]);
  });

  it('gives pitched voices channels of their own with a program', () => {
    const { tracks } = readBack([
      { begin: 0, end: 1, value: { note: 'c4', s: 'piano' } },
      { begin: 0, end: 1, value: { note: 'c2', s: 'gm_acoustic_bass' } },
      { begin: 0, end: 1, value: { s: 'casio' } },
    ]);

    expect(tracks.map(({ channel, instrument }) => [channel, instrument.number])).toEqual([
      [0, 0],
      [1, 32],
      [2, 0],
    ]);
    expect(tracks.map(({ notes }) => notes[0]?.midi)).toEqual([60, 36, 60]);
  });

  it('never gives a pitched voice the percussion channel', () => {
    const events = Array.from({ length: 40 }, (_, at) => ({
      begin: 0,
      end: 1,
      value: { note: 60, s: `synth${at}` },
    }));
    const channels = readBack(events).tracks.map(({ channel }) => channel);

    expect(channels).toHaveLength(40);
    expect(channels).not.toContain(9);
  });

  it('keeps begin, length and velocity', () => {
    const [track] = readBack([{ begin: 0.375, end: 0.5, value: { note: 'e3', gain: 0.5 } }]).tracks;

    expect(track?.notes).toMatchObject([{ midi: 52, ticks: 720, durationTicks: 240 }]);
    expect(track?.notes[0]?.velocity).toBeCloseTo(64 / 127, 9);
  });

  it('ends a key that is struck again while it sounds', () => {
    const [track] = readBack([
      { begin: 0, end: 2, value: { note: 60 } },
      { begin: 0.5, end: 1, value: { note: 60 } },
    ]).tracks;

    expect(track?.notes.map(({ ticks, durationTicks }) => [ticks, durationTicks])).toEqual([
      [0, 960],
      [960, 960],
    ]);
  });

  it('keeps every note of a dense pattern', () => {
    const events = Array.from({ length: 5000 }, (_, at) => ({
      begin: at / 2500,
      end: (at + 1) / 2500,
      value: { note: 40 + (at % 40), s: at % 2 === 0 ? 'piano' : 'square' },
    }));

    expect(readBack(events).tracks.map(({ notes }) => notes.length)).toEqual([2500, 2500]);
  });

  it('ends with the last bar', () => {
    expect(readBack(DRUMS).tracks.map(({ endOfTrackTicks }) => endOfTrackTicks)).toEqual([3840, 3840, 3840]);
  });

  it('is a file without notes for an empty pattern', () => {
    expect(readBack([]).tracks.flatMap(({ notes }) => notes)).toEqual([]);
  });
});
