/**
 * JSON values as YAML text, and back. Runs on the thread for heavy checks: see yaml.service.ts.
 *
 * Decided here: which YAML stands for JSON. One document of YAML 1.2 with its core types; keys are texts, each once in
 * its object; aliases may be used a bounded number of times; tags of one's own, merge keys, and numbers that JSON does
 * not have are refused. Names of prototypes are keys like any other.
 */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  stringify,
  type Document,
  type Node,
} from 'yaml';

import { AppError } from '../../kernel/failure.js';
import { setOwn, type Json } from '../../kernel/json.js';
import { httpErrors } from '../http/http.errors.js';

/** Longest text, in bytes of UTF-8. */
export const MAX_YAML_BYTES = 262_144;

/** How often aliases may be used in one text. */
const MAX_ALIASES = 100;
/** Characters of all texts of a value, each use of an alias counted. */
const MAX_CHARACTERS = 1_048_576;

/** Bounds of a value. */
export interface YamlBounds {
  /** Levels of nested lists and objects. */
  readonly maxDepth: number;
  /** Values of any sort, each use of an alias counted. */
  readonly maxKeys: number;
}

/**
 * The value of a YAML text, as JSON text.
 *
 * @throws AppError `request.invalid` with the line and column of the first problem, `request.too-large`
 * @public loaded by its name
 */
export function readYaml({ text, bounds }: { readonly text: string; readonly bounds: YamlBounds }): string {
  if (new TextEncoder().encode(text).length > MAX_YAML_BYTES) {
    const message = `A body in YAML has at most ${MAX_YAML_BYTES} bytes. Send JSON, which may be larger`;
    throw AppError.of(httpErrors['request.too-large'], message);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, {
    ...{ version: '1.2', schema: 'core', strict: true, merge: false, resolveKnownTags: false },
    // Keys are compared below: the parser compares each with each.
    ...{ stringKeys: true, uniqueKeys: false, prettyErrors: false, logLevel: 'error', lineCounter: lines },
  });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) throw refusal(problem.message, problem.pos[0], lines);
  return JSON.stringify(new YamlReading(document, lines, bounds).read());
}

/** A JSON value as a YAML text. @public loaded by its name */
export function writeYaml(value: Json): string {
  return stringify(value, { version: '1.2', schema: 'core', lineWidth: 100, aliasDuplicateObjects: false });
}

class YamlReading {
  private readonly anchors = new Map<string, Node>();
  private values = 0;
  private characters = 0;
  private aliases = 0;

  constructor(
    private readonly document: Document.Parsed,
    private readonly lines: LineCounter,
    private readonly bounds: YamlBounds,
  ) {}

  read(): Json {
    return this.valueOf(this.document.contents, 0);
  }

  private valueOf(node: unknown, depth: number): Json {
    if (node === null || node === undefined) return null;
    const at = node as Node;
    this.count(at, depth);
    if (isAlias(at)) return this.aliased(at, depth);
    if (at.anchor !== undefined) this.anchors.set(at.anchor, at);
    if (isScalar(at)) return this.scalar(at.value, at);
    if (isSeq(at)) return at.items.map((item) => this.valueOf(item, depth + 1));
    if (!isMap(at)) return this.stop(at, 'this is neither a value, a list nor an object');
    const object = {};
    for (const { key, value } of at.items) {
      const name = this.keyOf(key, at);
      if (Object.hasOwn(object, name))
        this.stop(key as Node, `the key ${JSON.stringify(name)} stands here twice`);
      setOwn(object, name, this.valueOf(value, depth + 1));
    }
    return object;
  }

  private aliased(alias: Node & { readonly source: string }, depth: number): Json {
    this.aliases += 1;
    if (this.aliases > MAX_ALIASES) this.stop(alias, `aliases are used more than ${MAX_ALIASES} times`);
    const anchored = this.anchors.get(alias.source);
    if (anchored === undefined) return this.stop(alias, `there is no anchor "${alias.source}" before this`);
    return this.valueOf(anchored, depth);
  }

  private keyOf(key: unknown, map: Node): string {
    if (isScalar(key) && typeof key.value === 'string') return this.scalar(key.value, key) as string;
    return this.stop(key === null ? map : (key as Node), 'a key must be a text');
  }

  private scalar(value: unknown, node: Node): Json {
    if (typeof value === 'string') {
      this.characters += value.length;
      if (this.characters > MAX_CHARACTERS) this.stop(node, 'the texts are too long together');
      if (!value.isWellFormed()) this.stop(node, 'half of a surrogate pair');
      return value;
    }
    if (value === null || typeof value === 'boolean') return value;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    return this.stop(node, 'JSON has no such value');
  }

  private count(node: Node, depth: number): void {
    this.values += 1;
    if (this.values > this.bounds.maxKeys) this.stop(node, `more than ${this.bounds.maxKeys} values`);
    if (depth > this.bounds.maxDepth) {
      this.stop(node, `more than ${this.bounds.maxDepth} levels of lists and objects`);
    }
  }

  private stop(node: Node, message: string): never {
    throw refusal(message, node.range?.[0] ?? 0, this.lines);
  }
}

function refusal(message: string, offset: number, lines: LineCounter): AppError {
  const { line, col: column } = lines.linePos(offset);
  return AppError.of(
    httpErrors['request.invalid'],
    `The body is not accepted at line ${line}, column ${column}: ${message}`,
    { details: { offset, line, column } },
  );
}
