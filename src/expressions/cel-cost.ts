/**
 * What an evaluation of a CEL expression may cost, bounded before it starts.
 *
 * A bound of the size of every value follows from the sizes of what the expression reads. The unit is one step of a
 * loop: nested loops multiply, comparisons and searches add what they look at. The bound is never too low, and
 * generous where a size depends on the members of a list.
 */
import type { ASTNode } from '@marcbachmann/cel-js';

import { isJsonObject, type Json } from '../kernel/json.js';
import { isLoop } from './cel-environment.js';
import { childrenOf, isNamespace, pathOf } from './cel-syntax.js';
import type { Scope, Segment } from './references.js';

/** What one evaluation may cost: the product of the sizes of nested lists is at most this. */
export const MAX_COST = 1_000_000;

/** The weight of one value beside its text: comparing two numbers costs about as much as 64 characters. */
const NODE_WEIGHT = 64;
/** What a function of a time in a named zone costs. */
const TIME_ZONE_COST = 1_000;

/** Upper bounds of the size of a value. */
interface Extent {
  /** Members of the value itself; 0 when it is no list or map. */
  readonly items: number;
  /** Members of the largest list or map inside it. */
  readonly innerItems: number;
  /** All values in it, and all characters; at least that of one value. */
  readonly weight: number;
  /** The weight of its heaviest member. */
  readonly innerWeight: number;
}

interface Estimate {
  readonly cost: number;
  readonly extent: Extent;
}

/** Extents of the variables of macros. */
type Variables = ReadonlyMap<string, Extent>;

const SCALAR: Extent = { items: 0, innerItems: 0, weight: NODE_WEIGHT, innerWeight: 0 };

/** An upper bound of the cost of evaluating an expression over a scope. Reads each value of the scope once. */
export function estimateCost(node: ASTNode, scope: Scope): number {
  return new Estimator(scope).estimate(node, new Map()).cost;
}

/** Measures values of one scope, each once. */
class Estimator {
  readonly #measured = new Map<Json, Extent>();

  constructor(private readonly scope: Scope) {}

  estimate(node: ASTNode, variables: Variables): Estimate {
    switch (node.op) {
      case 'value':
        return { cost: 0, extent: typeof node.args === 'string' ? ofText(node.args) : SCALAR };
      case 'id':
      case '.':
      case '.?':
      case '[]':
      case '[?]':
        return this.#ofPath(node, variables);
      case 'rcall':
        return this.#ofMethod(node, variables);
      case 'list':
      case 'map':
        return this.#ofLiteral(node, variables);
      default:
        return this.#ofOperation(node, variables);
    }
  }

  #ofPath(node: ASTNode, variables: Variables): Estimate {
    const { start, segments, indexes } = pathOf(node);
    const cost = sum(indexes.map((index) => this.estimate(index, variables).cost));
    if (start.op !== 'id') {
      const inner = this.estimate(start, variables);
      return { cost: cost + inner.cost, extent: descend(inner.extent, segments.length) };
    }
    const bound = variables.get(start.args);
    if (bound !== undefined) return { cost, extent: descend(bound, segments.length - 1) };
    return { cost, extent: this.#ofScope(segments) };
  }

  #ofScope(segments: readonly Segment[]): Extent {
    const computedAt = segments.indexOf(undefined);
    const written = computedAt === -1 ? segments : segments.slice(0, computedAt);
    const value = written.reduce<Json | undefined>(read, this.scope);
    return descend(this.#measure(value), segments.length - written.length);
  }

  #measure(value: Json | undefined): Extent {
    if (typeof value === 'string') return ofText(value);
    if (typeof value !== 'object' || value === null) return SCALAR;
    const known = this.#measured.get(value);
    if (known !== undefined) return known;
    const members = Object.values(value).map((member) => this.#measure(member));
    const keys = Array.isArray(value) ? [] : Object.keys(value).map(ofText);
    const extent = { ...containing([...members, ...keys]), items: members.length };
    this.#measured.set(value, extent);
    return extent;
  }

  #ofMethod(node: ASTNode & { op: 'rcall' }, variables: Variables): Estimate {
    const [name, receiver, args] = node.args;
    if (isLoop(name, args.length)) return this.#ofLoop(name, receiver, args, variables);
    if (isNamespace(receiver, 'cel')) return this.#ofBinding(args, variables);
    const on = isNamespace(receiver, 'optional') ? SCALAR_ESTIMATE : this.estimate(receiver, variables);
    const given = args.map((arg) => this.estimate(arg, variables));
    return {
      cost: on.cost + sum(given.map((arg) => arg.cost)) + costOfCall(name, on.extent, given),
      extent: extentOfCall(name, on.extent, given),
    };
  }

  #ofLoop(name: string, list: ASTNode, args: readonly ASTNode[], variables: Variables): Estimate {
    const over = this.estimate(list, variables);
    const [variable, ...bodies] = args;
    const inside = withVariable(variables, variable, descend(over.extent, 1));
    const steps = bodies.map((body) => this.estimate(body, inside));
    const { items } = over.extent;
    const made = steps.at(-1)?.extent ?? SCALAR;
    return {
      cost: over.cost + items * Math.max(1, sum(steps.map((step) => step.cost))),
      extent: name === 'map' ? repeated(made, items) : name === 'filter' ? over.extent : SCALAR,
    };
  }

  #ofBinding([variable, value, body]: readonly ASTNode[], variables: Variables): Estimate {
    if (value === undefined || body === undefined) return SCALAR_ESTIMATE;
    const bound = this.estimate(value, variables);
    const inner = this.estimate(body, withVariable(variables, variable, bound.extent));
    return { cost: bound.cost + inner.cost, extent: inner.extent };
  }

  #ofLiteral(node: ASTNode, variables: Variables): Estimate {
    const members = childrenOf(node).map((member) => this.estimate(member, variables));
    return {
      cost: sum(members.map((member) => member.cost)),
      extent: containing(members.map((member) => member.extent)),
    };
  }

  /** Operators and functions without a receiver. */
  #ofOperation(node: ASTNode, variables: Variables): Estimate {
    const operands = childrenOf(node).map((operand) => this.estimate(operand, variables));
    const cost = sum(operands.map((operand) => operand.cost));
    const [left = SCALAR, right = SCALAR, otherwise = SCALAR] = operands.map((operand) => operand.extent);
    switch (node.op) {
      case '+':
        // Two numbers cost nothing; lists and texts are copied.
        return { cost: cost + (left.weight + right.weight) / NODE_WEIGHT - 2, extent: joined(left, right) };
      case '?:':
        return { cost, extent: widest(right, otherwise) };
      case 'in':
        return { cost: cost + right.items * comparison(left.weight, right.innerWeight), extent: SCALAR };
      case 'call':
        return { cost: cost + left.weight / NODE_WEIGHT, extent: left };
      default:
        return { cost: cost + comparison(left.weight, right.weight) - 1, extent: SCALAR };
    }
  }
}

const SCALAR_ESTIMATE: Estimate = { cost: 0, extent: SCALAR };

/** Steps that comparing two values takes, at least 1. */
function comparison(left: number, right: number): number {
  return Math.max(1, Math.min(left, right) / NODE_WEIGHT);
}

function costOfCall(name: string, on: Extent, args: readonly Estimate[]): number {
  const text = on.weight / NODE_WEIGHT;
  const argument = sum(args.map(({ extent }) => extent.weight)) / NODE_WEIGHT;
  if (name === 'contains' || name === 'indexOf' || name === 'lastIndexOf') return text * argument;
  if (name.startsWith('get') && args.length > 0) return TIME_ZONE_COST;
  return text + argument;
}

function extentOfCall(name: string, on: Extent, args: readonly Estimate[]): Extent {
  const all = args.reduce((extent, arg) => widest(extent, arg.extent), on);
  if (name === 'split') return repeated({ ...SCALAR, weight: NODE_WEIGHT + 1 }, on.weight);
  if (name === 'join') return { ...SCALAR, weight: on.weight + on.items * all.weight };
  // Changing the case of a letter makes at most three of it.
  return { ...all, weight: 3 * all.weight };
}

function ofText(text: string): Extent {
  return { ...SCALAR, weight: NODE_WEIGHT + text.length };
}

/** The extent of a list or map with these members. */
function containing(members: readonly Extent[]): Extent {
  let innerItems = 0;
  let innerWeight = 0;
  let weight = NODE_WEIGHT;
  for (const member of members) {
    innerItems = Math.max(innerItems, member.items, member.innerItems);
    innerWeight = Math.max(innerWeight, member.weight);
    weight += member.weight;
  }
  return { items: members.length, innerItems, weight, innerWeight };
}

/** The extent of a list of so many equal members. */
function repeated(member: Extent, items: number): Extent {
  const innerItems = Math.max(member.items, member.innerItems);
  return { items, innerItems, weight: NODE_WEIGHT + items * member.weight, innerWeight: member.weight };
}

/** The extent of any value so many levels inside. */
function descend(extent: Extent, levels: number): Extent {
  if (levels === 0) return extent;
  return { ...extent, items: extent.innerItems, weight: Math.max(NODE_WEIGHT, extent.innerWeight) };
}

function widest(left: Extent, right: Extent): Extent {
  return {
    items: Math.max(left.items, right.items),
    innerItems: Math.max(left.innerItems, right.innerItems),
    weight: Math.max(left.weight, right.weight),
    innerWeight: Math.max(left.innerWeight, right.innerWeight),
  };
}

function joined(left: Extent, right: Extent): Extent {
  const weight = left.weight + right.weight - NODE_WEIGHT;
  return { ...widest(left, right), items: left.items + right.items, weight };
}

function withVariable(variables: Variables, node: ASTNode | undefined, extent: Extent): Variables {
  return node?.op === 'id' ? new Map([...variables, [node.args, extent]]) : variables;
}

function read(value: Json | undefined, key: Segment): Json | undefined {
  if (Array.isArray(value)) return (value as readonly Json[])[Number(key)];
  return isJsonObject(value) && key !== undefined && Object.hasOwn(value, key) ? value[key] : undefined;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
