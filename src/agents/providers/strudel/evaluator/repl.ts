// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * What a Strudel program finds beside the packages: tempo, labelled patterns, and the names of the web page that
 * make no sound here. Follows `repl.mjs` of @strudel/core, without a scheduler.
 */
import * as strudel from '@strudel/core';

const { Pattern, register, silence, stack } = strudel;

type Transform = (pattern: strudel.Pattern) => strudel.Pattern;

/** Methods that draw or send; the pattern goes through them unchanged. */
const SILENT_METHODS = [
  ...[
    'pianoroll',
    'punchcard',
    'spiral',
    'scope',
    'tscope',
    'fscope',
    'spectrum',
    'pitchwheel',
    'wordfall',
  ].flatMap((name) => [name, `_${name}`]),
  ...['draw', 'animate', 'onPaint', 'webaudio', 'dough', 'midi', 'osc', 'serial', 'mqtt', 'csound'],
];

/** Functions that load or set up sound. */
const SILENT_FUNCTIONS = [
  ...['samples', 'aliasBank', 'soundAlias', 'initHydra', 'registerSynthSounds', 'registerSoundfonts'],
  ...['setGainCurve', 'setMaxPolyphony', 'tables'],
];

const DEFAULT_CPS = 0.5;

/** As on the web page: notes on a piano, held for their whole length. */
function playOnPiano(pattern: strudel.Pattern): strudel.Pattern {
  const held = pattern.fmap((value) => (typeof value === 'object' ? { clip: 1, ...value } : value));
  return held.set(strudel.s('piano')).set(strudel.release(0.1));
}

/** Collects what one program sets and registers. */
export class Repl {
  cps = DEFAULT_CPS;
  private readonly patterns = new Map<string, strudel.Pattern>();
  private transforms: Transform[] = [];
  private eachTransform: Transform | undefined;
  private anonymous = 0;

  /** Makes the packages' exports and the functions of the page global, and gives patterns their methods. */
  install(...packages: readonly object[]): void {
    strudel.setCpsFunc(() => this.cps);
    strudel.setTime(() => 0);
    Object.assign(globalThis, ...packages, this.functions());
    for (const name of SILENT_FUNCTIONS) Object.assign(globalThis, { [name]: () => Promise.resolve() });
    this.installMethods(Pattern.prototype);
  }

  /**
   * The pattern that plays: the labelled ones together, else what the program's last statement gave.
   *
   * A label that starts with `S` plays alone.
   */
  patternOf(last: unknown): unknown {
    const labelled = this.listLabelled();
    const played = labelled.length > 0 ? stack(...labelled) : this.applyEach(last);
    return this.transforms.reduce<unknown>(
      (pattern, transform) => transform(pattern as strudel.Pattern),
      played,
    );
  }

  private listLabelled(): readonly strudel.Pattern[] {
    const all = [...this.patterns];
    const solo = all.filter(([id]) => id.length > 1 && id.startsWith('S'));
    return (solo.length > 0 ? solo : all).map(([id, pattern]) =>
      this.applyEach(pattern.withState((state) => state.setControls({ id }))),
    );
  }

  private applyEach<T>(pattern: T): T {
    const transform = this.eachTransform as ((pattern: T) => T) | undefined;
    return transform === undefined ? pattern : transform(pattern);
  }

  private functions(): Record<string, unknown> {
    const setCps = (cps: unknown): strudel.Pattern => this.setCps(cps, 1);
    const setCpm = (cpm: unknown): strudel.Pattern => this.setCps(cpm, 60);
    return {
      ...{ setCps, setcps: setCps, setCpm, setcpm: setCpm },
      all: (transform: Transform) => (this.transforms.push(transform), silence),
      each: (transform: Transform) => ((this.eachTransform = transform), silence),
      hush: () => this.hush(),
      cpm: register('cpm', (cpm, pattern) => pattern._fast(cpm / 60 / this.cps)),
      sliderWithID: (_id: string, value: unknown) => strudel.pure(value),
    };
  }

  private setCps(value: unknown, divisor: number): strudel.Pattern {
    const cps = Number(strudel.isPattern(value) ? value['__pure'] : value) / divisor;
    if (!(cps > 0 && cps < Infinity)) throw new Error('The tempo must be a number above 0');
    this.cps = cps;
    return silence;
  }

  private hush(): strudel.Pattern {
    this.patterns.clear();
    this.transforms = [];
    this.eachTransform = undefined;
    return silence;
  }

  private installMethods(methods: Record<string, unknown>): void {
    const label = (id: unknown, pattern: strudel.Pattern): strudel.Pattern => this.label(String(id), pattern);
    methods['p'] = function (this: strudel.Pattern, id: unknown) {
      return label(id, this);
    };
    methods['q'] = () => silence;
    for (const name of SILENT_METHODS) {
      methods[name] = function (this: strudel.Pattern) {
        return this;
      };
    }
    methods['piano'] = function (this: strudel.Pattern) {
      return playOnPiano(this);
    };
    for (const id of [1, 2, 3, 4, 5, 6, 7, 8, 9]) {
      const get = function (this: strudel.Pattern): strudel.Pattern {
        return label(id, this);
      };
      Object.defineProperties(methods, { [`d${id}`]: { get }, [`p${id}`]: { get } });
      methods[`q${id}`] = silence;
    }
  }

  private label(id: string, pattern: strudel.Pattern): strudel.Pattern {
    if (id.startsWith('_') || id.endsWith('_')) return silence;
    this.patterns.set(id.includes('$') ? `${id}${this.anonymous++}` : id, pattern);
    return pattern;
  }
}
