import { pianoRollOf } from './piano-roll.js';
import { scoreOf } from './score.js';
import type { PatternEvent } from './strudel.schema.js';

function draw(events: readonly PatternEvent[], cycles = 4): string {
  return pianoRollOf(scoreOf(events, { cycles, cps: 0.5 }));
}

const MIXED: readonly PatternEvent[] = [
  { begin: 0, end: 1, value: { s: 'bd' } },
  { begin: 0, end: 1, value: { note: 'a2', s: 'sawtooth' } },
  { begin: 0.5, end: 1, value: { s: 'hh' } },
  { begin: 1, end: 2, value: { note: 'c5', s: 'piano', gain: 0.3 } },
];

const TOKEN = /<(\/?)([A-Za-z]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/gy;
const REFERENCE = /&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[\da-f]+);)/;

/** What keeps a text from being well-formed XML; nothing when it is. */
function flawOf(xml: string): string | undefined {
  const open: string[] = [];
  let at = 0;
  for (const [whole, end, name, attributes = '', empty] of xml.matchAll(TOKEN)) {
    at += whole.length;
    const names = [...attributes.matchAll(/\s([\w:-]+)=/g)].map(([, attribute]) => attribute);
    if (new Set(names).size < names.length) return `attribute twice in ${whole}`;
    if (REFERENCE.test(whole)) return `bare ampersand in ${whole}`;
    if (end === '/' && open.pop() !== name) return `wrong end ${whole}`;
    if (name !== undefined && end === '' && empty === '') open.push(name);
  }
  if (at < xml.length) return `no markup at ${xml.slice(at, at + 40)}`;
  return open.length > 0 ? `open ${open.join(' ')}` : undefined;
}

function textsOf(svg: string): readonly string[] {
  return [...svg.matchAll(/<text [^>]*>([^<]*)<\/text>/g)].map(([, content = '']) => content);
}

describe('pianoRollOf', () => {
  it.each<[string, readonly PatternEvent[], number]>([
    ['notes and drums', MIXED, 4],
    ['drums alone', MIXED.slice(0, 1), 1],
    ['nothing', [], 64],
  ])('is well-formed for %s', (_, events, cycles) => {
    expect(flawOf(draw(events, cycles))).toBeUndefined();
  });

  it.each([
    '<svg>',
    'a & b',
    '"quoted"',
    "'",
    ']]>',
    '\u0000\u0007\ufffe',
    '\ud800',
    '🥁🥁🥁🥁🥁🥁🥁🥁🥁🥁🥁🥁',
  ])('is well-formed with a sound named %j', (name) => {
    const svg = draw([{ begin: 0, end: 1, value: { s: name } }]);

    expect(flawOf(svg)).toBeUndefined();
    expect(svg.isWellFormed()).toBe(true);
    expect(svg).not.toMatch(/[\u0000-\u0008\ufffe]/);
  });

  it('stands alone: no script, no style sheet, no reference', () => {
    expect(draw(MIXED)).not.toMatch(/<(script|style|image|use|foreignObject|a)\b|href|url\(|\son\w+=/i);
  });

  it('draws one rectangle for every note within the group of its voice', () => {
    const counts = [...draw(MIXED).matchAll(/<g [^>]*aria-label="([^"]*)">(.*?)<\/g>/g)].map(
      ([, name, notes = '']) => [name, notes.split('<rect').length - 1],
    );

    expect(Object.fromEntries(counts)).toEqual({ bd: 1, sawtooth: 1, hh: 1, piano: 1 });
  });

  it('names the keys that are played, and the lanes from the top of the kit', () => {
    const texts = textsOf(draw(MIXED));

    expect(texts).toEqual(expect.arrayContaining(['A2', 'C5', 'C4']));
    expect(texts.indexOf('hh')).toBeLessThan(texts.indexOf('bd'));
  });

  it('says cycles, tempo and notes, and numbers every bar', () => {
    const texts = textsOf(draw(MIXED));

    expect(texts).toEqual(expect.arrayContaining(['4 cycles · 120 bpm · 4 notes', '1', '2', '3', '4']));
  });

  it('gives every voice a colour of its own', () => {
    const colours = [...draw(MIXED).matchAll(/<g fill="(#[0-9a-f]{6})"/g)].map(([, colour]) => colour);

    expect(new Set(colours).size).toBe(4);
  });

  it('places a note by its time: the third bar of four begins in the middle', () => {
    const [, x] = /<g [^>]*><rect x="([\d.]+)"/.exec(draw([{ begin: 2, end: 3, value: { s: 'bd' } }])) ?? [];
    const [, left, width] =
      /<rect x="([\d.]+)" y="[\d.]+" width="(880)"/.exec(draw([{ begin: 0, end: 1, value: { s: 'bd' } }])) ??
      [];

    expect(Number(x)).toBeCloseTo(Number(left) + Number(width) / 2 + 0.5, 2);
  });
});
