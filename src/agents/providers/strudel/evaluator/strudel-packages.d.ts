// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * The part of the Strudel packages that the evaluator uses. They ship no types, and declared here the compiler does
 * not need them to be installed.
 */
declare module '@strudel/core' {
  export interface Fraction {
    valueOf(): number;
  }
  export class TimeSpan {
    constructor(begin: number, end: number);
    readonly begin: Fraction;
    readonly end: Fraction;
  }
  export class State {
    constructor(span: TimeSpan, controls?: Readonly<Record<string, unknown>>);
    setControls(controls: Readonly<Record<string, unknown>>): State;
  }
  export interface Hap {
    /** Absent for a value that changes continuously. */
    readonly whole?: TimeSpan;
    readonly value: unknown;
    readonly context: { readonly locations?: readonly { readonly start: number; readonly end: number }[] };
    hasOnset(): boolean;
  }
  export class Pattern {
    [method: string]: unknown;
    query(state: State): Hap[];
    fmap(change: (value: unknown) => unknown): Pattern;
    set(other: Pattern): Pattern;
    withState(change: (state: State) => State): Pattern;
    _fast(factor: number): Pattern;
  }
  export const silence: Pattern;
  export function pure(value: unknown): Pattern;
  export function s(sound: string): Pattern;
  export function release(seconds: number): Pattern;
  export function stack(...patterns: readonly unknown[]): Pattern;
  export function isPattern(value: unknown): value is Pattern;
  export function isNote(name: string): boolean;
  export function register(name: string, method: (amount: number, pattern: Pattern) => Pattern): unknown;
  export function setCpsFunc(cps: () => number): void;
  export function setTime(time: () => number): void;
}

declare module '@strudel/mini' {
  export function parse(code: string): unknown;
}

declare module '@strudel/tonal' {}

declare module '@strudel/transpiler' {
  export interface MiniLanguage {
    readonly name: string;
    getLocations(bracketed: string, offset: number): readonly (readonly number[])[];
  }
  export function registerLanguage(type: 'minilang', language: MiniLanguage): void;
  export function registerWidgetType(method: string): void;
  export function transpiler(
    code: string,
    options: { readonly wrapAsync: boolean },
  ): { readonly output: string };
}

declare module 'escodegen' {
  interface SourceMapped {
    readonly code: string;
    readonly map: { toString(): string };
  }
  const escodegen: {
    generate(tree: unknown): string;
    generate(
      tree: unknown,
      options: { readonly sourceMap: string; readonly sourceMapWithCode: true },
    ): SourceMapped;
  };
  export default escodegen;
}

declare module 'source-map' {
  interface Position {
    readonly line: number;
    /** From 0. */
    readonly column: number;
  }
  export class SourceMapConsumer {
    static readonly LEAST_UPPER_BOUND: number;
    constructor(map: string);
    originalPositionFor(generated: Position): {
      readonly line: number | null;
      readonly column: number | null;
    };
  }
}
