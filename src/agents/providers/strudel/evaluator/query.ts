// SPDX-License-Identifier: AGPL-3.0-or-later
/** The events of a pattern: what starts within the asked cycles, as plain JSON, in a fixed order. */
import * as strudel from '@strudel/core';

import { errorAt, MAX_ERRORS, type ProgramError } from './program-error.js';
import { NOWHERE, positionOf, type Position } from './source-position.js';

const { State, TimeSpan, isNote } = strudel;

interface Query {
  readonly pattern: strudel.Pattern;
  readonly code: string;
  readonly cycles: number;
  readonly maxEvents: number;
  readonly cps: number;
}

/** Times in cycles. */
interface PatternEvent {
  readonly begin: number;
  readonly end: number;
  readonly value: unknown;
}

interface Evaluated {
  readonly cps: number;
  readonly errors: readonly ProgramError[];
  readonly events: readonly PatternEvent[];
}

const FIRST_WINDOW = 1 / 64;
const SMALLEST_WINDOW = 1 / 4096;
/** More than this in one window: the next one is half as long. */
const DENSE = 512;
const MAX_DEPTH = 8;

/** The events in order of begin, end, and the JSON text of their value; with what a listener would miss as errors. */
export function queryEvents(query: Query): Evaluated {
  const errors = new Map<string, ProgramError>();
  const logged = listenToLog();
  const events: PatternEvent[] = [];
  for (const hap of onsets(query)) {
    if (events.length === query.maxEvents) return tooMany(query);
    const error = mistakeIn(hap, query.code);
    if (error !== undefined && errors.size < MAX_ERRORS) errors.set(error.message, error);
    events.push({
      begin: hap.whole.begin.valueOf(),
      end: hap.whole.end.valueOf(),
      value: toJson(hap.value, 0),
    });
  }
  for (const message of logged) errors.set(message, errorAt(message, NOWHERE));
  return { cps: query.cps, errors: [...errors.values()].slice(0, MAX_ERRORS), events: inOrder(events) };
}

type Onset = strudel.Hap & { readonly whole: strudel.TimeSpan };

/** Asks in windows that shrink where events are dense, so that too many are noticed before they fill the memory. */
function* onsets({ pattern, cycles, cps }: Query): Generator<Onset> {
  let window = FIRST_WINDOW;
  for (let begin = 0; begin < cycles;) {
    const end = Math.min(begin + window, Math.floor(begin) + 1);
    const haps = pattern.query(new State(new TimeSpan(begin, end), { _cps: cps, cyclist: 'cyclist' }));
    for (const hap of haps) if (hap.whole !== undefined && hap.hasOnset()) yield hap as Onset;
    window = haps.length > DENSE ? Math.max(window / 2, SMALLEST_WINDOW) : Math.min(window * 2, 1);
    begin = end;
  }
}

function tooMany({ cps, cycles, maxEvents }: Query): Evaluated {
  const message = `The pattern makes more than ${maxEvents} events in ${cycles} cycles; make it slower or ask for fewer cycles`;
  return { cps, errors: [errorAt(message, NOWHERE)], events: [] };
}

function mistakeIn(hap: Onset, code: string): ProgramError | undefined {
  const { value } = hap;
  if (typeof value !== 'object' || value === null) {
    return errorAt(
      `${quote(value)} makes no sound: append .note() or .s() to the pattern`,
      placeOf(hap, code),
    );
  }
  const { note } = value as { readonly note?: unknown };
  if (typeof note !== 'string' || isNote(note) || isNumeral(note)) return undefined;
  return errorAt(`${quote(note)} is not a note`, placeOf(hap, code));
}

function isNumeral(text: string): boolean {
  return text.trim() !== '' && Number.isFinite(Number(text));
}

function quote(value: unknown): string {
  return typeof value === 'string' ? `"${value.slice(0, 40)}"` : String(value).slice(0, 40);
}

function placeOf(hap: Onset, code: string): Position {
  const place = hap.context.locations?.[0];
  return place === undefined ? NOWHERE : positionOf(code, place.start);
}

/** Strudel tells of unknown chords and of degrees that no scale has on the console only, and plays nothing. */
function listenToLog(): ReadonlySet<string> {
  const heard = new Set<string>();
  console.log = (text: unknown) => {
    const message = /^%c(\[(?:voicing|tonal)\].*)/s.exec(String(text))?.[1];
    if (message !== undefined && heard.size < MAX_ERRORS) heard.add(message);
  };
  return heard;
}

function inOrder(events: readonly PatternEvent[]): readonly PatternEvent[] {
  return events
    .map((event) => ({ event, text: JSON.stringify(event.value) }))
    .sort(
      (a, b) =>
        compare(a.event.begin, b.event.begin) || compare(a.event.end, b.event.end) || compare(a.text, b.text),
    )
    .map(({ event }) => event);
}

function compare<T extends number | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Plain JSON of a value: fractions become numbers, functions and patterns go, what is deeper than a control is null. */
function toJson(value: unknown, depth: number): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value !== 'object' || value === null || depth === MAX_DEPTH) return null;
  if (isFraction(value)) return value.valueOf();
  if (Array.isArray(value)) return value.map((item) => toJson(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined && typeof item !== 'function' && !strudel.isPattern(item))
      .map(([key, item]) => [key, toJson(item, depth + 1)]),
  );
}

function isFraction(value: object): boolean {
  const { n, d } = value as { readonly n?: unknown; readonly d?: unknown };
  return typeof n === 'bigint' && typeof d === 'bigint';
}
