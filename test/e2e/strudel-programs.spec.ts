/** What programs mean: every event and every error is worked out by hand. */
import { Test, type TestingModule } from '@nestjs/testing';
import { Midi } from '@tonejs/midi';

import type { AgentOutcome } from '../../src/agents/agent.provider.js';
import { StrudelModule } from '../../src/agents/providers/strudel/strudel.module.js';
import { StrudelProvider } from '../../src/agents/providers/strudel/strudel.provider.js';
import type { Json } from '../../src/kernel/json.js';
import { invokeProvider } from '../support/strudel.js';

let application: TestingModule;
let provider: StrudelProvider;

beforeAll(async () => {
  application = await Test.createTestingModule({ imports: [StrudelModule] }).compile();
  provider = application.get(StrudelProvider);
});

afterAll(() => application.close());

/** Time is not what these tests are about. */
const PATIENT = { timeLimitMs: 25_000 };

type Row = readonly [begin: number, end: number, value: Json];

/** From 1. */
type Place = readonly [line: number | null, column: number | null];

interface Output {
  readonly valid: boolean;
  readonly errors: readonly {
    readonly message: string;
    readonly line: number | null;
    readonly column: number | null;
  }[];
  readonly events: readonly { readonly begin: number; readonly end: number; readonly value: Json }[];
  readonly cycles: number;
}

type Completed = Extract<AgentOutcome, { status: 'completed' }>;

async function complete(code: string, cycles = 1): Promise<Completed & { readonly output: Output }> {
  const outcome = await invokeProvider(provider, { code, cycles }, PATIENT);
  if (outcome.status === 'failed') throw new Error(outcome.failure.message);
  return outcome as unknown as Completed & { readonly output: Output };
}

const bd = { s: 'bd' };
const hh = { s: 'hh' };

describe('a program that is valid', () => {
  it.each<[string, string, number, readonly Row[]]>([
    [
      'mini-notation: a group shares its step',
      'note("c [e g]").s("piano")',
      1,
      [
        [0, 0.5, { note: 'c', s: 'piano' }],
        [0.5, 0.75, { note: 'e', s: 'piano' }],
        [0.75, 1, { note: 'g', s: 'piano' }],
      ],
    ],
    [
      'mini-notation over lines, in backticks',
      's(`bd ~\n   hh bd`)',
      1,
      [
        [0, 0.25, bd],
        [0.5, 0.75, hh],
        [0.75, 1, bd],
      ],
    ],
    [
      'alternation: one of each cycle',
      'note("<c e>")',
      3,
      [
        [0, 1, { note: 'c' }],
        [1, 2, { note: 'e' }],
        [2, 3, { note: 'c' }],
      ],
    ],
    [
      'a euclidean rhythm: 3 of 8 fall on 0, 3 and 6',
      's("bd(3,8)")',
      1,
      [
        [0, 0.125, bd],
        [0.375, 0.5, bd],
        [0.75, 0.875, bd],
      ],
    ],
    [
      'a stack, ordered by begin, then end',
      'stack(s("bd"), s("hh*2"))',
      1,
      [
        [0, 0.5, hh],
        [0, 1, bd],
        [0.5, 1, hh],
      ],
    ],
    [
      'events at the same time, ordered by value',
      's("hh, bd").gain("0.5, 0.25")',
      1,
      [
        [0, 1, { s: 'bd', gain: 0.25 }],
        [0, 1, { s: 'bd', gain: 0.5 }],
        [0, 1, { s: 'hh', gain: 0.25 }],
        [0, 1, { s: 'hh', gain: 0.5 }],
      ],
    ],
    [
      'faster',
      's("bd hh").fast(2)',
      1,
      [
        [0, 0.25, bd],
        [0.25, 0.5, hh],
        [0.5, 0.75, bd],
        [0.75, 1, hh],
      ],
    ],
    [
      'slower: an event may end after the cycles that are asked for, and starts once',
      's("bd hh").slow(4)',
      3,
      [
        [0, 2, bd],
        [2, 4, hh],
      ],
    ],
    [
      'labels: all of them play together',
      '$: s("bd*2")\n$: s("hh")\ntop: s("cp")',
      1,
      [
        [0, 0.5, bd],
        [0, 1, { s: 'cp' }],
        [0, 1, hh],
        [0.5, 1, bd],
      ],
    ],
    ['labels: with _ they are silent', '_$: s("bd*2")\ntop_: s("cp")\n$: s("hh")', 1, [[0, 1, hh]]],
    ['labels: with S they play alone', 'S$: s("bd")\n$: s("hh*4")', 1, [[0, 1, bd]]],
    [
      'patterns that are named by a method',
      's("bd").p("kick")\ns("hh").d2',
      1,
      [
        [0, 1, bd],
        [0, 1, hh],
      ],
    ],
    [
      'what all patterns go through',
      'all(x => x.fast(2))\n$: s("bd")',
      1,
      [
        [0, 0.5, bd],
        [0.5, 1, bd],
      ],
    ],
    [
      'a scale: degrees 0, 2 and 4 of C minor',
      'n("0 2 4").scale("C:minor")',
      1,
      [
        [0, 1 / 3, { note: 'C3' }],
        [1 / 3, 2 / 3, { note: 'Eb3' }],
        [2 / 3, 1, { note: 'G3' }],
      ],
    ],
    [
      'a chord: A minor as it is voiced, below C5',
      'chord("Am").voicing()',
      1,
      ['A3', 'A4', 'C4', 'C5', 'E4'].map((note) => [0, 1, { note }] as const),
    ],
    [
      'a chord: its root',
      'chord("<Am F>").rootNotes(2)',
      2,
      [
        [0, 1, { note: 'A2' }],
        [1, 2, { note: 'F2' }],
      ],
    ],
    [
      'the number of a sample, and a bank',
      's("bd:3 hh").bank("RolandTR909")',
      1,
      [
        [0, 0.5, { s: 'bd', n: 3, bank: 'RolandTR909' }],
        [0.5, 1, { s: 'hh', bank: 'RolandTR909' }],
      ],
    ],
    [
      'a polymeter: two steps and three, four to the cycle',
      's("{bd hh, cp cp sd}%4")',
      1,
      [
        [0, 0.25, bd],
        [0, 0.25, { s: 'cp' }],
        [0.25, 0.5, { s: 'cp' }],
        [0.25, 0.5, hh],
        [0.5, 0.75, bd],
        [0.5, 0.75, { s: 'sd' }],
        [0.75, 1, { s: 'cp' }],
        [0.75, 1, hh],
      ],
    ],
    [
      'a continuous signal, read where events begin',
      's("bd bd").gain(saw)',
      1,
      [
        [0, 0.5, { s: 'bd', gain: 0 }],
        [0.5, 1, { s: 'bd', gain: 0.5 }],
      ],
    ],
    [
      'names of the web page that make no sound',
      'samples("github:a")\ns("bd").lpf(slider(500))._scope()',
      1,
      [[0, 1, { s: 'bd', cutoff: 500 }]],
    ],
    [
      'a tempo of its own: twice the half cycle a second',
      's("bd").cpm(60)',
      1,
      [
        [0, 0.5, bd],
        [0.5, 1, bd],
      ],
    ],
    ['a promise that settles', 'const p = await Promise.resolve(s("bd"))\np', 1, [[0, 1, bd]]],
    ['a comment alone: silence', '// nothing yet', 1, []],
    ['a fence of Markdown around it', '```js\ns("bd")\n```', 1, [[0, 1, bd]]],
  ])('%s', async (_, code, cycles, rows) => {
    const { output } = await complete(code, cycles);

    expect(output.errors).toEqual([]);
    expect(output.events.map(({ begin, end, value }) => [begin, end, value])).toEqual(rows);
    expect(output).toMatchObject({ valid: true, cycles });
  });

  it('has a piano roll and a MIDI file with as many notes as it has events', async () => {
    const { output, artifacts } = await complete(
      'setcpm(96/4)\n$: s("bd(3,8), hh*8")\n$: note("<c e>(5,8)").s("piano")',
      2,
    );
    const midi = new Midi(artifacts?.[1]?.content ?? []);

    expect(artifacts?.map(({ name, mediaType }) => [name, mediaType])).toEqual([
      ['pattern.svg', 'image/svg+xml'],
      ['pattern.mid', 'audio/midi'],
    ]);
    expect(output.events).toHaveLength(32);
    expect(midi.tracks.flatMap(({ notes }) => notes)).toHaveLength(32);
    expect(midi.header.tempos[0]?.bpm).toBeCloseTo(96, 3);
    expect(Buffer.from(artifacts?.[0]?.content ?? []).toString()).toContain('2 cycles · 96 bpm · 32 notes');
  });
});

describe('a program that is wrong', () => {
  it.each<[string, string, string, Place]>([
    ['a function that does not exist', 's("bd")\n\n  .fast(2)\nfoo(3)', "'foo' is not defined", [4, 1]],
    ['a method that does not exist', 's("bd")\n  .fast(2)\n  .wobble(3)', 'wobble is not a function', [3, 4]],
    ['a method of nothing', 's("bd").fast(null.x)', "cannot read property 'x' of null", [1, 19]],
    ['a bracket too few', '\ns("bd"', 'Unexpected token', [2, 7]],
    ['a bracket too many', 's("bd"))', 'Unexpected token', [1, 8]],
    ['a name twice', 'let a = 1\nlet a = 2', "Identifier 'a' has already been declared", [2, 5]],
    ['mini-notation that is left open', 's("hh")\nnote("c [e g")', '[mini] parse error at line 2', [2, 13]],
    ['a chord that does not exist', 'chord("Qzz").voicing()', '[voicing]: unknown chord "Qzz"', [null, null]],
    ['a note that is none', 'note("c h4")', '"h4" is not a note', [1, 9]],
    ['values that make no sound', '"c"', 'append .note() or .s()', [1, 2]],
    ['a tempo that is none', 'setcpm("x")', 'The tempo must be a number above 0', [1, 1]],
    ['no code', '', 'The program is empty', [1, 1]],
    ['blank code', ' \n ', 'The program is empty', [1, 1]],
    ['no pattern', '1 + 1', 'ends with 2, which is not a pattern', [1, 1]],
    ['no expression at its end', 's("bd")\nconst x = 1', 'The last statement must be an expression', [2, 1]],
    [
      'a promise that never settles',
      'await new Promise(() => {})',
      'awaits something that never comes',
      [null, null],
    ],
    ['what it throws itself', "const f = () => { throw new Error('enough') }\nf()", 'enough', [1, 29]],
    ['more than 20,000 events', 's("bd*30000")', 'more than 20000 events in 1 cycles', [null, null]],
    [
      'more than 2 MiB of events',
      "note('c').fast(3000).s('x'.repeat(1000))",
      'more than 2097152 bytes',
      [null, null],
    ],
  ])('says where: %s', async (_, code, message, [line, column]) => {
    const { output, artifacts } = await complete(code);

    expect(output.errors[0]?.message).toContain(message);
    expect(output).toMatchObject({ valid: false, errors: [{ line, column }] });
    expect(artifacts).toBeUndefined();
  });

  it('names every mistake in the mini-notation at once', async () => {
    const { output } = await complete('$: s("bd [")\n$: s("hh*4")\n$: note("c <e")');

    expect(output.errors.map(({ line, column }) => [line, column])).toEqual([
      [1, 11],
      [3, 14],
    ]);
  });
});

describe('a hostile program', () => {
  it.each([
    ['process', 'process.exit(1)', "'process' is not defined"],
    ['require', "require('node:fs')", "'require' is not defined"],
    ['a function constructor', "constructor.constructor('return process')()", "'process' is not defined"],
    [
      'the constructor of async functions',
      "await (async () => {}).constructor('return process')()",
      "'process' is not defined",
    ],
    [
      'the constructor of generators',
      "(function* () {}).constructor('yield process')().next()",
      "'process' is not defined",
    ],
    ['import', "await import('node:fs')", 'could not load module'],
    ['the network', "await fetch('http://127.0.0.1')", "'fetch' is not defined"],
    ['WebAssembly', 'new WebAssembly.Memory({ initial: 1 })', "'WebAssembly' is not defined"],
    ['timers', 'setTimeout(() => {}, 1)', "'setTimeout' is not defined"],
  ])('does not reach %s', async (_, code, message) => {
    const { output } = await complete(code);

    expect(output).toMatchObject({ valid: false });
    expect(output.errors[0]?.message).toContain(message);
  });

  it.each([
    ['globals', "globalThis.s = undefined; Pattern.prototype.fast = undefined; note('c')"],
    ['prototypes', "Array.prototype.map = () => []; Object.prototype.polluted = 1; s('bd')"],
    ['JSON', "JSON.stringify = JSON.parse = () => 'x'; Object.prototype.toJSON = () => 'y'; s('bd')"],
    ['what evaluates it', "delete globalThis.silence; mini = m = stack = undefined; s('bd')"],
  ])('leaves nothing behind that changes %s for the next', async (_, code) => {
    await complete(code);

    const { output } = await complete(
      `$: s('bd').fast(2)\n$: s(typeof polluted === 'undefined' ? 'ok' : 'bad')`,
    );
    expect(output.errors).toEqual([]);
    expect(output.events.map(({ value }) => value)).toEqual([bd, { s: 'ok' }, bd]);
  });
});
