/**
 * A picture of a score: pitched notes on a roll of keys, drums and recordings on lanes below, bars from left to right.
 *
 * The SVG stands alone: no script, no style sheet, no font, no link; it brings its own background, so it can be read
 * on a light page and on a dark one.
 */
import { bpmOf } from './midi-file.js';
import type { Score, ScoreNote, Voice } from './score.js';
import { kitPosition } from './sounds.js';

const COLOURS = [
  ...[
    '#5eb1ff',
    '#ffb454',
    '#7fd962',
    '#f07178',
    '#c792ea',
    '#4fd6be',
    '#ffd866',
    '#ff8ac4',
    '#9aa5ff',
    '#b8d977',
  ],
] as const;
const INK = {
  panel: '#12151c',
  key: '#1b202b',
  blackKey: '#161a23',
  line: '#313a4d',
  bar: '#57637f',
} as const;
const TEXT = { strong: '#eef2f8', normal: '#aab4c5' } as const;
const FONT = 'ui-sans-serif, system-ui, -apple-system, Segoe UI, sans-serif';

const MARGIN = 20;
const LABELS = 84;
const HEADER = 62;
const LEGEND_ROW = 20;
const RULER = 22;
const LANE = 24;
const GAP = 12;
const CYCLE_WIDTH = 220;
const MIN_ROLL_WIDTH = 640;
const MAX_ROLL_WIDTH = 1760;
const MIN_KEYS = 12;
const MAX_ROLL_HEIGHT = 420;
const MAX_KEY_HEIGHT = 12;
const LABEL_DISTANCE = 11;
const MAX_LEGEND = 24;
const MAX_LABEL = 11;
const CHARACTER_WIDTH = 7;
const BLACK_KEYS: readonly number[] = [1, 3, 6, 8, 10];
const KEY_NAMES = ['C', 'C♯', 'D', 'E♭', 'E', 'F', 'F♯', 'G', 'A♭', 'A', 'B♭', 'B'] as const;

interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface Layout {
  readonly width: number;
  readonly height: number;
  /** The roll of keys; its height is 0 without pitched voices. */
  readonly roll: Rectangle;
  /** The lanes, one for each voice in `laned`. */
  readonly lanes: Rectangle;
  readonly highKey: number;
  readonly lowKey: number;
  readonly keyHeight: number;
  readonly legend: readonly LegendEntry[];
  readonly pitched: readonly Voice[];
  readonly laned: readonly Voice[];
}

interface LegendEntry {
  readonly text: string;
  readonly colour: string | undefined;
  readonly x: number;
  readonly row: number;
}

/** The picture as SVG text. */
export function pianoRollOf(score: Score): string {
  const layout = layoutOf(score);
  const colours = coloursOf(score.voices);
  const summary = summaryOf(score);
  const { width, height } = layout;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escape(`Strudel pattern: ${summary}`)}" font-family="${FONT}" font-size="12">`,
    rectangle({ x: 0, y: 0, width, height }, `rx="12" fill="${INK.panel}"`),
    text('Strudel pattern', MARGIN, 30, `font-size="18" font-weight="600" fill="${TEXT.strong}"`),
    text(summary, MARGIN, 50, `fill="${TEXT.normal}"`),
    ...layout.legend.map(legendEntry),
    ...keyRows(layout),
    ...laneRows(layout),
    ...barLines(score, layout),
    ...layout.pitched.map((voice) => rollNotes(voice, colours.get(voice) ?? '', score, layout)),
    ...layout.laned.map((voice) => laneNotes(voice, colours.get(voice) ?? '', score, layout)),
    '</svg>\n',
  ].join('\n');
}

function layoutOf(score: Score): Layout {
  const pitched = score.voices.filter(({ kind }) => kind === 'pitched');
  const laned = score.voices.filter(({ kind }) => kind !== 'pitched').toSorted(topOfKitFirst);
  const rollWidth = Math.max(MIN_ROLL_WIDTH, Math.min(MAX_ROLL_WIDTH, score.cycles * CYCLE_WIDTH));
  const width = MARGIN + LABELS + rollWidth + MARGIN;
  const legend = legendOf(pitched, coloursOf(score.voices), width);
  const keys = keysOf(pitched);
  const top = HEADER + ((legend.at(-1)?.row ?? -1) + 1) * LEGEND_ROW + RULER;
  const x = MARGIN + LABELS;
  const roll = { x, y: top, width: rollWidth, height: keys.count * keys.height };
  const laneTop = top + (roll.height > 0 ? roll.height + GAP : 0);
  const lanes = { x, y: laneTop, width: rollWidth, height: laned.length * LANE };
  const bottom = laned.length > 0 ? lanes.y + lanes.height : laneTop;
  return {
    ...keys,
    width,
    height: bottom + MARGIN,
    roll,
    lanes,
    keyHeight: keys.height,
    legend,
    pitched,
    laned,
  };
}

function keysOf(voices: readonly Voice[]): {
  lowKey: number;
  highKey: number;
  count: number;
  height: number;
} {
  const keys = voices.flatMap(({ notes }) => notes.map(({ pitch }) => Math.round(pitch)));
  if (keys.length === 0) return { lowKey: 0, highKey: 0, count: 0, height: 0 };
  const lowest = keys.reduce((a, b) => Math.min(a, b));
  const highest = keys.reduce((a, b) => Math.max(a, b));
  const spare = Math.max(2, MIN_KEYS - (highest - lowest + 1));
  const lowKey = lowest - Math.floor(spare / 2);
  const highKey = highest + Math.ceil(spare / 2);
  const count = highKey - lowKey + 1;
  return { lowKey, highKey, count, height: Math.min(MAX_KEY_HEIGHT, MAX_ROLL_HEIGHT / count) };
}

function keyRows(layout: Layout): readonly string[] {
  const { roll, lowKey, highKey, keyHeight } = layout;
  if (roll.height === 0) return [];
  const rows = Array.from({ length: highKey - lowKey + 1 }, (_, row) => {
    const key = highKey - row;
    const y = roll.y + row * keyHeight;
    const fill = BLACK_KEYS.includes(chromaOf(key)) ? INK.blackKey : INK.key;
    const back = rectangle({ x: roll.x, y, width: roll.width, height: keyHeight }, `fill="${fill}"`);
    return chromaOf(key) === 0 ? back + horizontal(roll, y + keyHeight) : back;
  });
  return [...rows, ...keyLabels(layout)];
}

/** The names of the keys that are played, then of every C, as far as there is room. */
function keyLabels({ pitched, roll, lowKey, highKey, keyHeight }: Layout): readonly string[] {
  const played = new Set(pitched.flatMap(({ notes }) => notes.map(({ pitch }) => Math.round(pitch))));
  const keys = Array.from({ length: highKey - lowKey + 1 }, (_, above) => lowKey + above);
  const candidates = [...keys.filter((key) => played.has(key)), ...keys.filter((key) => chromaOf(key) === 0)];
  const named = candidates.reduce<readonly number[]>((chosen, key) => {
    const isFree = chosen.every((other) => Math.abs(other - key) * keyHeight >= LABEL_DISTANCE);
    return isFree ? [...chosen, key] : chosen;
  }, []);
  return named.map((key) => {
    const name = `${KEY_NAMES[chromaOf(key)] ?? ''}${Math.floor(key / 12) - 1}`;
    const middle = roll.y + (highKey - key + 0.5) * keyHeight;
    const colour = played.has(key) ? TEXT.strong : TEXT.normal;
    return text(name, roll.x - 8, middle + 3.5, `font-size="10" text-anchor="end" fill="${colour}"`);
  });
}

function laneRows({ lanes, laned }: Layout): readonly string[] {
  return laned.map(({ name }, row) => {
    const y = lanes.y + row * LANE;
    const fill = row % 2 === 0 ? INK.key : INK.blackKey;
    const label = text(cut(name), lanes.x - 8, y + LANE / 2 + 4, `text-anchor="end" fill="${TEXT.strong}"`);
    return rectangle({ ...lanes, y, height: LANE }, `fill="${fill}"`) + label;
  });
}

/** Bars are strong and numbered, beats are faint; numbers thin out where bars are narrow. */
function barLines({ cycles }: Score, { roll, lanes }: Layout): readonly string[] {
  const parts = [roll, lanes].filter(({ height }) => height > 0);
  const barWidth = roll.width / cycles;
  const everyBar = Math.ceil(28 / barWidth);
  const lines = Array.from({ length: cycles * 4 + 1 }, (_, beat) => {
    const isBar = beat % 4 === 0;
    if (!isBar && barWidth < 60) return '';
    const x = roll.x + (beat * barWidth) / 4;
    return parts.map((part) => vertical(part, x, isBar ? INK.bar : INK.line)).join('');
  });
  const numbers = Array.from({ length: cycles }, (_, bar) =>
    bar % everyBar === 0
      ? text(String(bar + 1), roll.x + bar * barWidth + 4, roll.y - 7, `font-size="11" fill="${TEXT.normal}"`)
      : '',
  );
  return [...lines, ...numbers].filter((line) => line !== '');
}

function rollNotes(voice: Voice, colour: string, { cycles }: Score, layout: Layout): string {
  const { roll, highKey, keyHeight } = layout;
  const notes = voice.notes.map((note) => {
    const y = roll.y + (highKey - note.pitch) * keyHeight + 0.5;
    return noteRectangle(note, { y, height: keyHeight - 1, roll, cycles });
  });
  return group(voice, colour, notes);
}

function laneNotes(voice: Voice, colour: string, { cycles }: Score, layout: Layout): string {
  const { lanes, laned } = layout;
  const y = lanes.y + laned.indexOf(voice) * LANE + 4;
  const notes = voice.notes.map((note) => noteRectangle(note, { y, height: LANE - 8, roll: lanes, cycles }));
  return group(voice, colour, notes);
}

interface Place {
  readonly y: number;
  readonly height: number;
  readonly roll: Rectangle;
  readonly cycles: number;
}

/** Loud notes are solid, soft ones let the keys shine through. */
function noteRectangle(note: ScoreNote, { y, height, roll, cycles }: Place): string {
  const x = roll.x + (note.begin / cycles) * roll.width;
  const width = Math.max(2, ((note.end - note.begin) / cycles) * roll.width - 1);
  const opacity = round(0.4 + 0.6 * note.velocity);
  return rectangle({ x: x + 0.5, y, width, height }, `rx="2" opacity="${opacity}"`);
}

function group({ name }: Voice, colour: string, notes: readonly string[]): string {
  return `<g fill="${colour}" aria-label="${escape(cut(name))}">${notes.join('')}</g>`;
}

function legendOf(
  voices: readonly Voice[],
  colours: ReadonlyMap<Voice, string>,
  width: number,
): LegendEntry[] {
  const shown = voices
    .slice(0, MAX_LEGEND)
    .map((voice) => ({ text: cut(voice.name), colour: colours.get(voice) }));
  const rest = voices.length - shown.length;
  const texts = rest > 0 ? [...shown, { text: `and ${rest} more`, colour: undefined }] : shown;
  const entries: LegendEntry[] = [];
  let x = MARGIN;
  let row = 0;
  for (const entry of texts) {
    const entryWidth = entry.text.length * CHARACTER_WIDTH + 34;
    if (x + entryWidth > width - MARGIN) [x, row] = [MARGIN, row + 1];
    entries.push({ ...entry, x, row });
    x += entryWidth;
  }
  return entries;
}

function legendEntry({ text: label, colour, x, row }: LegendEntry): string {
  const y = HEADER + row * LEGEND_ROW;
  const swatch =
    colour === undefined ? '' : rectangle({ x, y: y + 1, width: 12, height: 12 }, `rx="3" fill="${colour}"`);
  return swatch + text(label, x + 18, y + 11, `fill="${TEXT.strong}"`);
}

function summaryOf({ cycles, cps, voices }: Score): string {
  const notes = voices.reduce((sum, voice) => sum + voice.notes.length, 0);
  return [
    `${cycles} ${cycles === 1 ? 'cycle' : 'cycles'}`,
    `${round(bpmOf(cps))} bpm`,
    `${notes} ${notes === 1 ? 'note' : 'notes'}`,
  ].join(' · ');
}

function coloursOf(voices: readonly Voice[]): ReadonlyMap<Voice, string> {
  return new Map(voices.map((voice, at) => [voice, COLOURS[at % COLOURS.length] ?? COLOURS[0]]));
}

function topOfKitFirst(a: Voice, b: Voice): number {
  return kitPosition(a.name) - kitPosition(b.name);
}

function chromaOf(key: number): number {
  return ((key % 12) + 12) % 12;
}

function cut(name: string): string {
  const characters = Array.from(name);
  return characters.length > MAX_LABEL ? `${characters.slice(0, MAX_LABEL - 1).join('')}…` : name;
}

function rectangle({ x, y, width, height }: Rectangle, look: string): string {
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" ${look}/>`;
}

function horizontal({ x, width }: Rectangle, y: number): string {
  return `<path d="M${round(x)} ${round(y)}h${round(width)}" stroke="${INK.line}"/>`;
}

function vertical({ y, height }: Rectangle, x: number, colour: string): string {
  return `<path d="M${round(x)} ${round(y)}v${round(height)}" stroke="${colour}"/>`;
}

function text(content: string, x: number, y: number, look: string): string {
  return `<text x="${round(x)}" y="${round(y)}" ${look}>${escape(content)}</text>`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** XML text, without the characters that XML 1.0 does not have (§2.2). */
function escape(content: string): string {
  return content
    .toWellFormed()
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
