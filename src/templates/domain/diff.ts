/**
 * What changed between two versions: lines of the text, and variables.
 *
 * Decided here: Myers' algorithm ("An O(ND) Difference Algorithm and Its Variations", 1986) over lines, bounded: texts
 * that differ in more than `MAX_EDITS` lines are told as one block removed and one added.
 */
import { canonicalJson } from '../../kernel/json.js';
import {
  isPlaceholder,
  type TemplateText,
  type TemplateVersion,
  type VariableDeclaration,
} from './template.js';

/** How many lines may be added and removed before the shortest difference is not sought any more. */
const MAX_EDITS = 1_000;

/** One line; `from` and `to` are its numbers in the two versions, from 1. */
export type LineDiff =
  | { readonly op: 'same'; readonly from: number; readonly to: number; readonly text: string }
  | { readonly op: 'removed'; readonly from: number; readonly text: string }
  | { readonly op: 'added'; readonly to: number; readonly text: string };

/** A variable of a version; only its name where nobody declared it. */
export type DiffedVariable = Pick<VariableDeclaration, 'name'> & Partial<VariableDeclaration>;

/** What changed about variables, by name. */
export interface VariableDiff {
  readonly added: readonly DiffedVariable[];
  readonly removed: readonly DiffedVariable[];
  readonly changed: readonly {
    readonly name: string;
    readonly from: DiffedVariable;
    readonly to: DiffedVariable;
  }[];
}

export interface TemplateDiff {
  /** Numbers of the two versions. */
  readonly from: number;
  readonly to: number;
  /** All lines in order. A message begins with a line `[role]`. */
  readonly lines: readonly LineDiff[];
  readonly variables: VariableDiff;
}

/** The way from one version to another. */
export function diffVersions(from: TemplateVersion, to: TemplateVersion): TemplateDiff {
  return {
    from: from.version,
    to: to.version,
    lines: diffLines(linesOf(from.body), linesOf(to.body)),
    variables: diffVariables(variablesOf(from), variablesOf(to)),
  };
}

function linesOf(text: TemplateText): readonly string[] {
  if (text.kind === 'text') return text.content.split('\n');
  return text.messages.flatMap((message) =>
    isPlaceholder(message)
      ? [`[messages: ${message.placeholder}]`]
      : [`[${message.role}]`, ...message.content.split('\n')],
  );
}

function variablesOf({ body, undeclared }: TemplateVersion): ReadonlyMap<string, DiffedVariable> {
  const all: readonly DiffedVariable[] = [...body.variables, ...undeclared.map((name) => ({ name }))];
  return new Map(all.map((variable) => [variable.name, variable]));
}

function diffVariables(
  before: ReadonlyMap<string, DiffedVariable>,
  after: ReadonlyMap<string, DiffedVariable>,
): VariableDiff {
  const changed = [...before].flatMap(([name, from]) => {
    const to = after.get(name);
    return to === undefined || textOf(from) === textOf(to) ? [] : [{ name, from, to }];
  });
  return {
    added: [...after.values()].filter(({ name }) => !before.has(name)),
    removed: [...before.values()].filter(({ name }) => !after.has(name)),
    changed,
  };
}

function textOf(variable: DiffedVariable): string {
  return canonicalJson(variable);
}

/** The shortest way from one list of lines to another. */
export function diffLines(before: readonly string[], after: readonly string[]): readonly LineDiff[] {
  const start = commonStart(before, after);
  const end = commonEnd(before.slice(start), after.slice(start));
  const writer = new DiffWriter(before, after);
  writer.keep(start);
  const [removed, added] = [before.length - start - end, after.length - start - end];
  const edits = shortestEdits(before.slice(start, start + removed), after.slice(start, start + added));
  if (edits === undefined) {
    writer.remove(removed);
    writer.add(added);
  } else for (const edit of edits) writer[edit](1);
  writer.keep(end);
  return writer.lines;
}

type Edit = 'keep' | 'remove' | 'add';

class DiffWriter {
  readonly lines: LineDiff[] = [];
  #from = 0;
  #to = 0;

  constructor(
    private readonly before: readonly string[],
    private readonly after: readonly string[],
  ) {}

  keep(count: number): void {
    for (let left = count; left > 0; left -= 1) {
      const text = this.before[this.#from] ?? '';
      this.lines.push({ op: 'same', from: ++this.#from, to: ++this.#to, text });
    }
  }

  remove(count: number): void {
    for (let left = count; left > 0; left -= 1) {
      const text = this.before[this.#from] ?? '';
      this.lines.push({ op: 'removed', from: ++this.#from, text });
    }
  }

  add(count: number): void {
    for (let left = count; left > 0; left -= 1) {
      const text = this.after[this.#to] ?? '';
      this.lines.push({ op: 'added', to: ++this.#to, text });
    }
  }
}

function commonStart(before: readonly string[], after: readonly string[]): number {
  const most = Math.min(before.length, after.length);
  let length = 0;
  while (length < most && before[length] === after[length]) length += 1;
  return length;
}

function commonEnd(before: readonly string[], after: readonly string[]): number {
  const most = Math.min(before.length, after.length);
  let length = 0;
  while (length < most && before.at(-1 - length) === after.at(-1 - length)) length += 1;
  return length;
}

/** One edit a line, in order; undefined when there would be more than `MAX_EDITS` beside those that keep a line. */
function shortestEdits(before: readonly string[], after: readonly string[]): readonly Edit[] | undefined {
  /** How far into `before` each diagonal reaches, after 0, 1, 2, … edits. */
  const reached: ReadonlyMap<number, number>[] = [];
  let last = new Map<number, number>([[1, 0]]);
  for (let edits = 0; edits <= Math.min(MAX_EDITS, before.length + after.length); edits += 1) {
    reached.push(last);
    const next = new Map<number, number>();
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      let x = stepFrom(last, diagonal, edits);
      while (x < before.length && x - diagonal < after.length && before[x] === after[x - diagonal]) x += 1;
      next.set(diagonal, x);
      if (x >= before.length && x - diagonal >= after.length)
        return editsBack(reached, before.length, after.length);
    }
    last = next;
  }
  return undefined;
}

/** Down, which adds a line, or right, which removes one: whichever is further along. */
function stepFrom(last: ReadonlyMap<number, number>, diagonal: number, edits: number): number {
  return isDown(last, diagonal, edits) ? (last.get(diagonal + 1) ?? 0) : (last.get(diagonal - 1) ?? 0) + 1;
}

function isDown(last: ReadonlyMap<number, number>, diagonal: number, edits: number): boolean {
  const [above = -1, left = -1] = [last.get(diagonal + 1), last.get(diagonal - 1)];
  return diagonal === -edits || (diagonal !== edits && left < above);
}

/** Walks from the end of both lists to their start. */
function editsBack(
  reached: readonly ReadonlyMap<number, number>[],
  fromEnd: number,
  toEnd: number,
): readonly Edit[] {
  const edits: Edit[] = [];
  let [x, y] = [fromEnd, toEnd];
  for (let count = reached.length - 1; count >= 0; count -= 1) {
    const last = reached[count] ?? new Map<number, number>();
    const diagonal = x - y;
    const down = isDown(last, diagonal, count);
    const startX = last.get(down ? diagonal + 1 : diagonal - 1) ?? 0;
    const startY = startX - (down ? diagonal + 1 : diagonal - 1);
    const keptFrom = Math.max(down ? startX : startX + 1, 0);
    for (; x > keptFrom && y > 0; x -= 1, y -= 1) edits.push('keep');
    if (count > 0) edits.push(down ? 'add' : 'remove');
    [x, y] = [startX, startY];
  }
  return edits.reverse();
}
