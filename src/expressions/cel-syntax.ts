/**
 * What a parsed CEL expression reads, and what of CEL is refused.
 *
 * Every path is found here, wherever it stands. Decided elsewhere: which names may be read (references.ts), what an
 * evaluation costs (cel-cost.ts).
 */
import type { ASTNode } from '@marcbachmann/cel-js';

import { FUNCTIONS, isLoop, TYPE_NAMES } from './cel-environment.js';
import { positionOf, type ExpressionProblem } from './problem.js';
import type { ReferenceCollector, Segment } from './references.js';

/** How deep macros over lists may nest. */
const MAX_LOOP_DEPTH = 3;
/** The longest text that `duration` takes. */
const MAX_DURATION_LENGTH = 64;
/** How long a text in quotes is when searching for it costs no more than reading. */
const MAX_PATTERN_LENGTH = 64;
/** How many times whole values may be looked at before that has to be counted. */
const MAX_PASSES = 16;
/** Keys that the library drops from a map without a word. */
const DROPPED_KEYS = ['__proto__', 'constructor', 'prototype'];

/** A path as it is written: where it starts, and its parts. */
export interface CelPath {
  /** The name that it starts at, or the expression whose value it starts at. */
  readonly start: ASTNode;
  /** The name where it starts at one, then names and indexes; `undefined` where computed. */
  readonly segments: readonly Segment[];
  /** The expressions that compute an index. */
  readonly indexes: readonly ASTNode[];
}

/** Variables of macros around a place, and how many loops those are. */
interface Surroundings {
  readonly variables: ReadonlySet<string>;
  readonly loops: number;
}

/** Finds what one expression reads. Use once. */
export class CelSyntax {
  /** What is wrong, in the order of the text. */
  readonly problems: ExpressionProblem[] = [];
  /** Whether something may take longer than reading what is read: loops, comparisons, searches. */
  #hasLongWork = false;
  /** Operators and functions that may look at a whole value. */
  #passes = 0;
  /** Whether a missing value may be taken for an absent one: `.?`, `[?…]`. */
  hasOptionals = false;

  constructor(private readonly references: ReferenceCollector) {}

  /** Whether the cost is to be bounded before each evaluation. */
  get isCostly(): boolean {
    return this.#hasLongWork || this.#passes > MAX_PASSES;
  }

  /** Finds what the expression reads. */
  visit(node: ASTNode): void {
    this.#visit(node, { variables: new Set(), loops: 0 });
  }

  #visit(node: ASTNode, around: Surroundings): void {
    if (isAccess(node) || node.op === 'id') {
      this.#visitPath(node, around);
      return;
    }
    switch (node.op) {
      case 'call':
        this.#visitCall(node, node.args[0], node.args[1], around);
        return;
      case 'rcall':
        this.#visitMethod(node, around);
        return;
      case 'map':
        this.#visitMap(node.args, around);
        return;
      case '+':
        this.#passes += 1;
        break;
      case '==':
      case '!=':
      case 'in':
        this.#passes += 1;
        this.#hasLongWork ||= node.args.every((operand) => !isLiteral(operand));
        break;
      default:
    }
    for (const child of childrenOf(node)) this.#visit(child, around);
  }

  #visitPath(node: ASTNode, around: Surroundings): void {
    const { start, segments, indexes } = pathOf(node);
    this.hasOptionals ||= usesOptionals(node);
    for (const index of indexes) this.#visit(index, around);
    if (start.op !== 'id') {
      this.#visit(start, around);
      return;
    }
    if (around.variables.has(start.args)) return;
    if (segments.length === 1 && TYPE_NAMES.has(start.args)) return;
    const problem = this.references.add(segments);
    if (problem !== undefined) this.#refuse(node, problem.message, problem.code);
  }

  #visitCall(node: ASTNode, name: string, args: readonly ASTNode[], around: Surroundings): void {
    if (!FUNCTIONS.has(name)) this.#refuse(node, `there is no function "${name}"`);
    this.#passes += 1;
    if (name === 'duration' && !isShortText(args[0], MAX_DURATION_LENGTH)) {
      this.#refuse(node, `duration takes a text in quotes of at most ${MAX_DURATION_LENGTH} characters`);
    }
    for (const arg of args) this.#visit(arg, around);
  }

  #visitMethod(node: ASTNode & { op: 'rcall' }, around: Surroundings): void {
    const [name, receiver, args] = node.args;
    if (isLoop(name, args.length)) {
      this.#visit(receiver, around);
      this.#visitLoop(node, args, around);
    } else if (isNamespace(receiver, 'cel') && name === 'bind') {
      this.#visitBinding(args, around);
    } else if (name === 'bind') {
      this.#refuse(node, 'bind is a function of cel: cel.bind(name, value, expression)');
    } else {
      const isOptional = isNamespace(receiver, 'optional') && (name === 'of' || name === 'none');
      if (!isOptional) this.#visit(receiver, around);
      this.#hasLongWork ||= isSearch(name) && !args.every((arg) => isShortText(arg, MAX_PATTERN_LENGTH));
      this.#visitCall(node, name, args, around);
    }
  }

  #visitLoop(node: ASTNode, args: readonly ASTNode[], around: Surroundings): void {
    this.#hasLongWork = true;
    const loops = around.loops + 1;
    if (loops === MAX_LOOP_DEPTH + 1) {
      this.#refuse(node, `macros over lists nest at most ${MAX_LOOP_DEPTH} deep`);
    }
    const [variable, ...bodies] = args;
    const inside = { variables: this.#withVariable(around.variables, variable), loops };
    for (const body of bodies) this.#visit(body, inside);
  }

  #visitBinding([variable, value, body]: readonly ASTNode[], around: Surroundings): void {
    this.#hasLongWork = true;
    if (value !== undefined) this.#visit(value, around);
    const inside = { ...around, variables: this.#withVariable(around.variables, variable) };
    if (body !== undefined) this.#visit(body, inside);
  }

  #visitMap(entries: readonly (readonly [ASTNode, ASTNode])[], around: Surroundings): void {
    for (const [key, value] of entries) {
      if (key.op !== 'value' || typeof key.args !== 'string') {
        this.#refuse(key, 'a key of a map is a text in quotes');
      } else if (DROPPED_KEYS.includes(key.args)) {
        this.#refuse(key, `"${key.args}" cannot be a key here`);
      }
      this.#visit(value, around);
    }
  }

  #withVariable(variables: ReadonlySet<string>, node: ASTNode | undefined): ReadonlySet<string> {
    if (node?.op !== 'id') return variables;
    if (this.references.isReserved(node.args)) {
      this.#refuse(node, `"${node.args}" has a meaning here; take another name`);
    }
    return new Set([...variables, node.args]);
  }

  #refuse(node: ASTNode, message: string, code: ExpressionProblem['code'] = 'expression.invalid'): void {
    this.problems.push({ code, message, ...positionOf(node.input, node.start) });
  }
}

/** The path that a node is the end of; a node that is no path starts one without parts. */
export function pathOf(node: ASTNode): CelPath {
  const segments: Segment[] = [];
  const indexes: ASTNode[] = [];
  let start = node;
  while (isAccess(start)) {
    const [inner, key] = start.args;
    const segment = typeof key === 'string' ? key : writtenKey(key);
    segments.push(segment);
    if (segment === undefined && typeof key !== 'string') indexes.push(key);
    start = inner;
  }
  if (start.op === 'id') segments.push(start.args);
  return { start, segments: segments.reverse(), indexes };
}

/** The direct parts of a node, whatever it is. */
export function childrenOf(node: ASTNode): readonly ASTNode[] {
  switch (node.op) {
    case 'value':
    case 'id':
      return [];
    case '.':
    case '.?':
      return [node.args[0]];
    case 'call':
      return node.args[1];
    case 'rcall':
      return [node.args[1], ...node.args[2]];
    case 'map':
      return node.args.flat();
    case '!_':
    case '-_':
      return [node.args];
    default:
      return node.args;
  }
}

/** True for a receiver that is a name of the language and no value. */
export function isNamespace(node: ASTNode, name: string): boolean {
  return node.op === 'id' && node.args === name;
}

/** Methods that compare or search, where both texts may be long. */
function isSearch(name: string): boolean {
  return ['contains', 'indexOf', 'lastIndexOf', 'split', 'join'].includes(name);
}

/** True for the reading of a part of a value. */
function isAccess(node: ASTNode): node is ASTNode & { op: '.' | '.?' | '[]' | '[?]' } {
  return node.op === '.' || node.op === '.?' || node.op === '[]' || node.op === '[?]';
}

function usesOptionals(node: ASTNode): boolean {
  return isAccess(node) && (node.op === '.?' || node.op === '[?]' || usesOptionals(node.args[0]));
}

function isLiteral(node: ASTNode): boolean {
  return node.op === 'value' || (node.op === 'list' && node.args.every(isLiteral));
}

function isShortText(node: ASTNode | undefined, maxLength: number): boolean {
  return node?.op === 'value' && typeof node.args === 'string' && node.args.length <= maxLength;
}

function writtenKey(node: ASTNode): Segment {
  if (node.op !== 'value') return undefined;
  if (typeof node.args === 'bigint') return Number(node.args);
  return typeof node.args === 'string' || typeof node.args === 'number' ? node.args : undefined;
}
