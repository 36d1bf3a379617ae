/**
 * A state as text, and back: what a checkpoint holds.
 *
 * Decided here: how objects that refer to each other are written. Whatever the state comes to have is written without
 * being named here: plain values, lists, objects, maps, sets, heaps and references, each object once. What belongs to the
 * definition is named by its place in it, and what the run began with is not written: both are in event 1. Decided
 * elsewhere: when a checkpoint is saved (engine/run-checkpoints.ts).
 */
import { Heap } from '../../kernel/heap.js';
import { setOwn } from '../../kernel/json.js';
import type { CompiledStep, Graph } from '../../workflows/domain/graph.js';
import { BlobRef } from './kept.js';
import type { FirstEvent } from './run.events.js';
import { emptyFrontier, type Frontier, type RunState } from './run.state.js';

/**
 * Raised whenever the state or the meaning of an event changes: checkpoints of another version are not read. A test
 * compares the fields of the state with those of the version.
 */
export const FOLD_VERSION = 2;

/** What the first number of a written list says of the rest. */
const LIST = 0;
const REFERENCE = 1;
const PART = 2;
const MAP = 3;
const SET = 4;
const HEAP = 5;
const BLOB = 6;
const BEGUN = 7;
/** From here on an object, whose keys stand in the table of shapes. */
const OBJECT = 8;

/** A written value: a primitive, or a list that begins with what it is. */
type Written = null | boolean | number | string | readonly [number, ...Written[]];

interface WrittenState {
  /** Lists of keys. */
  readonly shapes: readonly (readonly string[])[];
  /** Names of parts of the definition. */
  readonly parts: readonly string[];
  readonly state: Written;
}

/** The text of a state. */
export function textOfState(state: RunState): string {
  return new Writer(state).text();
}

/**
 * The state that a text was made of, for the run of that first event.
 *
 * @throws Error when the text is none of a state of this run, in whatever way
 */
export function stateOfText(text: string, first: FirstEvent, graph: Graph): RunState {
  const written = JSON.parse(text) as WrittenState;
  const state = new Reader(written, first, graph).read(written.state) as RunState;
  if (state.runId !== first.runId) throw new TypeError(`this is the state of ${state.runId}`);
  return Object.assign(state, { frontier: frontierOf(state.frontier) });
}

/** Heaps are read as lists. Who is asked to invoke an attempt is no part of the fold: nobody was. */
function frontierOf(read: Frontier): Frontier {
  const frontier = emptyFrontier();
  for (const [name, empty] of Object.entries(frontier) as [keyof Frontier, unknown][]) {
    const value = read[name] as unknown;
    if (empty instanceof Heap) for (const item of value as readonly unknown[]) empty.push(item);
    else Object.assign(frontier, { [name]: value });
  }
  return Object.assign(frontier, { uninvoked: new Set(frontier.open) });
}

/** Parts of a definition by name, and their names. */
interface Parts {
  readonly named: ReadonlyMap<string, object>;
  readonly names: ReadonlyMap<object, string>;
}

const KNOWN_PARTS = new WeakMap<Graph, Parts>();

function partsOf(graph: Graph): Parts {
  const known = KNOWN_PARTS.get(graph);
  if (known !== undefined) return known;
  const named = new Map(namedParts(graph, ''));
  const parts = { named, names: new Map([...named].map(([name, part]) => [part, name])) };
  KNOWN_PARTS.set(graph, parts);
  return parts;
}

function* namedParts(graph: Graph, key: string): Generator<readonly [string, Graph | CompiledStep]> {
  yield [`graph ${key}`, graph];
  for (const step of graph.steps) {
    yield [`step ${step.key}`, step];
    if (step.compensation !== undefined) yield [`compensation ${step.key}`, step.compensation];
    if (step.repeat?.body !== undefined) yield* namedParts(step.repeat.body, step.key);
  }
}

/** The keys of objects, one after the other: objects with the same keys end at the same node. */
class ShapeNode {
  shape: number | undefined;
  readonly next = new Map<string, ShapeNode>();

  after(key: string): ShapeNode {
    const known = this.next.get(key);
    if (known !== undefined) return known;
    const node = new ShapeNode();
    this.next.set(key, node);
    return node;
  }
}

class Writer {
  private readonly numbers = new Map<object, number>();
  private readonly shapes: (readonly string[])[] = [];
  private readonly root = new ShapeNode();
  private readonly known: Parts;
  private readonly parts = new Map<string, number>();

  constructor(private readonly state: RunState) {
    this.known = partsOf(state.root.graph);
  }

  text(): string {
    const state = this.write(this.state);
    const written: WrittenState = { shapes: this.shapes, parts: [...this.parts.keys()], state };
    return JSON.stringify(written);
  }

  private write(value: unknown): Written {
    if (typeof value !== 'object' || value === null) return value as Written;
    const number = this.numbers.get(value);
    if (number !== undefined) return [REFERENCE, number];
    if (value === this.state.queued) return [BEGUN];
    const part = this.known.names.get(value);
    if (part !== undefined) return [PART, this.partNumber(part)];
    this.numbers.set(value, this.numbers.size);
    return this.writeNew(value);
  }

  private writeNew(value: object): Written {
    if (Array.isArray(value)) return this.writeList(LIST, value);
    if (value instanceof Map) return this.writeList(MAP, [...(value as Map<unknown, unknown>)].flat(1));
    if (value instanceof Set) return this.writeList(SET, [...(value as Set<unknown>)]);
    if (value instanceof Heap) return this.writeList(HEAP, value.values());
    if (value instanceof BlobRef) return this.writeList(BLOB, [value.hash, value.bytes]);
    return this.writeObject(value as { readonly [key: string]: unknown });
  }

  private writeObject(object: { readonly [key: string]: unknown }): Written {
    const written: [number, ...Written[]] = [OBJECT];
    let node = this.root;
    for (const key of Object.keys(object)) {
      const value = object[key];
      if (value === undefined) continue;
      node = node.after(key);
      written.push(this.write(value));
    }
    node.shape ??= this.shapes.push(Object.keys(object).filter((key) => object[key] !== undefined)) - 1;
    written[0] = OBJECT + node.shape;
    return written;
  }

  private writeList(kind: number, elements: readonly unknown[]): Written {
    const written: [number, ...Written[]] = [kind];
    for (const element of elements) written.push(this.write(element));
    return written;
  }

  private partNumber(name: string): number {
    const known = this.parts.get(name);
    if (known !== undefined) return known;
    this.parts.set(name, this.parts.size);
    return this.parts.size - 1;
  }
}

/** Reads in the order in which the writer wrote, so that both number objects alike. */
class Reader {
  private readonly objects: unknown[] = [];
  private readonly parts: readonly (object | undefined)[];

  constructor(
    private readonly written: WrittenState,
    private readonly first: FirstEvent,
    graph: Graph,
  ) {
    const { named } = partsOf(graph);
    this.parts = written.parts.map((name) => named.get(name));
  }

  read(value: Written): unknown {
    if (typeof value !== 'object' || value === null) return value;
    const [kind] = value;
    if (kind >= OBJECT) return this.readObject(present(this.written.shapes[kind - OBJECT]), value);
    switch (kind) {
      case LIST:
      case HEAP:
        return this.readList(value);
      case REFERENCE:
        return present(this.objects[value[1] as number]);
      case PART:
        return present(this.parts[value[1] as number]);
      case MAP:
        return this.readMap(value);
      case SET:
        return this.readSet(value);
      case BLOB:
        return this.numbered(new BlobRef(value[1] as string, value[2] as number));
      case BEGUN:
        return this.first.data;
      default:
        throw new TypeError(`a state has no ${String(kind)}`);
    }
  }

  private numbered<T>(object: T): T {
    this.objects.push(object);
    return object;
  }

  private readObject(keys: readonly string[], values: readonly Written[]): object {
    if (values.length !== keys.length + 1) throw new TypeError('an object of a state is not whole');
    const object = this.numbered<{ [key: string]: unknown }>({});
    for (let at = 0; at < keys.length; at += 1) {
      const key = keys[at] as string;
      const value = this.read(values[at + 1] as Written);
      if (key === '__proto__') setOwn(object, key, value);
      else object[key] = value;
    }
    return object;
  }

  private readList(values: readonly Written[]): readonly unknown[] {
    const list = this.numbered<unknown[]>([]);
    for (let at = 1; at < values.length; at += 1) list.push(this.read(values[at] as Written));
    return list;
  }

  private readMap(values: readonly Written[]): ReadonlyMap<unknown, unknown> {
    const map = this.numbered(new Map<unknown, unknown>());
    for (let at = 1; at < values.length; at += 2)
      map.set(this.read(values[at] as Written), this.read(values[at + 1] as Written));
    return map;
  }

  private readSet(values: readonly Written[]): ReadonlySet<unknown> {
    const set = this.numbered(new Set<unknown>());
    for (let at = 1; at < values.length; at += 1) set.add(this.read(values[at] as Written));
    return set;
  }
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('a state refers to what is not there');
  return value;
}
