/**
 * Whether what steps read can be what the schemas of its sources say.
 *
 * Decided here: reading a property that a closed schema does not have, and giving a value of a type that the reader's
 * schema refuses. Only what is certain is told: where a schema refers, combines or leaves open, nothing is. Decided
 * elsewhere: values, which are checked when the step runs.
 */
import type { CompiledCel } from '../../expressions/cel.js';
import type { References } from '../../expressions/references.js';
import type { CompiledValue } from '../../expressions/value.js';
import { getOwn, isJsonObject, pointerToken, type Json, type JsonObject } from '../../kernel/json.js';
import type { WorkflowDefinition } from './definition.schema.js';
import type { CompiledStep, Graph } from './graph.js';
import type { StepWork } from './kinds/step-kinds.js';
import { warningAt, type Warning } from './warning.js';

/** What is known of a step's input and output, of its own or of its agent. */
export interface StepSchemas {
  readonly input?: JsonObject | undefined;
  readonly output?: JsonObject | undefined;
}

/** Words of a schema that may add properties or types which are not seen where they stand. */
const OPEN_WORDS = ['$ref', '$dynamicRef', 'allOf', 'anyOf', 'oneOf', 'if', 'patternProperties'];
/** What the template language gives to lists, texts and objects by itself. */
const BUILT_IN_PROPERTIES: ReadonlySet<string> = new Set(['size', 'first', 'last']);
/** A text that is one reference and nothing else: its value keeps its type. */
const WHOLE_REFERENCE = /^\{\{-?\s*([\w.-]+)\s*-?\}\}$/;

/** Where something is read, and what. */
interface Reading {
  readonly pointer: string;
  readonly references: References;
}

/** The schemas that readers of a scope find their sources under. */
interface Sources {
  /** That of the run's input. */
  readonly input: JsonObject | undefined;
  /** Those of outputs, by the id of the step. */
  readonly outputs: ReadonlyMap<string, JsonObject | undefined>;
}

/**
 * A warning for everything that is read and cannot be there, and for every value that its reader must refuse; in the
 * order of the definition, bodies of loops included.
 *
 * @param schemasOf what is known of a step of the graph
 */
export function listSchemaWarnings(
  { inputSchema: input }: Pick<WorkflowDefinition, 'inputSchema'>,
  graph: Graph,
  schemasOf: (step: CompiledStep) => StepSchemas,
): readonly Warning[] {
  return warningsOf(graph, '', { input, outputs: new Map() }, schemasOf);
}

function warningsOf(
  scope: Graph,
  pointer: string,
  around: Sources,
  schemasOf: (step: CompiledStep) => StepSchemas,
): readonly Warning[] {
  const own = scope.steps.map((step) => [step.id, outputOf(step, schemasOf(step))] as const);
  const sources = { ...around, outputs: new Map([...around.outputs, ...own]) };
  const flow = new SchemaFlow(sources);
  return [
    ...scope.steps.flatMap((step) => [
      ...readingsOf(step).flatMap((reading) => flow.unreadable(reading)),
      ...inputWarnings(step, schemasOf(step), flow),
      ...(step.repeat?.body === undefined
        ? []
        : warningsOf(step.repeat.body, `${step.pointer}/repeat/body`, sources, schemasOf)),
    ]),
    ...(scope.output?.texts ?? []).flatMap((text) =>
      flow.unreadable({ pointer: `${pointer}/output${text.pointer}`, references: text.references }),
    ),
  ];
}

/** What a template gives is laid over the input, so an input beside one is not known yet. */
function inputWarnings(
  { work, pointer }: CompiledStep,
  { input }: StepSchemas,
  flow: SchemaFlow,
): readonly Warning[] {
  const isGiven = work.kind === 'workflow' || (work.kind === 'agent' && work.variables === undefined);
  if (!isGiven) return [];
  return flow.contradictions(work.input.json, input, `${pointer}/input`);
}

class SchemaFlow {
  constructor(private readonly sources: Sources) {}

  /** What a text reads and its source cannot have. */
  unreadable({ pointer, references }: Reading): readonly Warning[] {
    return [...references.paths].flatMap((path) => {
      const source = this.#sourceOf(path);
      const message = source && lackIn(source.schema, source.name, source.rest);
      return message === undefined ? [] : [warningAt(pointer, 'schema.property-missing', message)];
    });
  }

  /** Values in an input that the reader's schema must refuse, and required ones that are not there. */
  contradictions(value: Json, reader: Json | undefined, pointer: string): readonly Warning[] {
    if (!isJsonObject(reader)) return [];
    const expected = typesOf(reader);
    const given = this.#typesOfValue(value);
    if (expected !== undefined && given !== undefined && !overlap(given, expected)) {
      const message = `the reader takes ${expected.join(' or ')}, and this is ${given.join(' or ')}`;
      return [warningAt(pointer, 'schema.type-mismatch', message)];
    }
    return isJsonObject(value) ? this.#inMembers(value, reader, pointer) : [];
  }

  #inMembers(value: JsonObject, reader: JsonObject, pointer: string): readonly Warning[] {
    const properties = getOwn(reader, 'properties');
    const required = getOwn(reader, 'required');
    const missing = (Array.isArray(required) ? (required as readonly Json[]) : []).filter(
      (name): name is string => typeof name === 'string' && getOwn(value, name) === undefined,
    );
    return [
      ...missing.map((name) =>
        warningAt(pointer, 'schema.property-missing', `the reader requires the property "${name}"`),
      ),
      ...Object.entries(value).flatMap(([key, member]) => {
        const schema = isJsonObject(properties) ? getOwn(properties, key) : undefined;
        return this.contradictions(member, schema, `${pointer}/${pointerToken(key)}`);
      }),
    ];
  }

  /** The types that a value of a definition can have once it is evaluated; undefined where that is not known. */
  #typesOfValue(value: Json): readonly string[] | undefined {
    if (typeof value !== 'string' || !/\{[{%]/.test(value)) return [typeOf(value)];
    const path = WHOLE_REFERENCE.exec(value)?.[1];
    if (path === undefined) return value.startsWith('{{') && value.endsWith('}}') ? undefined : ['string'];
    const source = this.#sourceOf(path);
    const schema = source && schemaAt(source.schema, source.rest);
    return isJsonObject(schema) ? typesOf(schema) : undefined;
  }

  /** The schema that a path begins with, and what is read of it. */
  #sourceOf(
    path: string,
  ): { readonly schema: JsonObject; readonly name: string; readonly rest: readonly string[] } | undefined {
    const [root, ...segments] = path.split('.');
    const { input, outputs } = this.sources;
    if (root === 'input') return input && { schema: input, name: 'input', rest: segments };
    const [stepId = '', field, ...rest] = segments;
    const schema = root === 'steps' && field === 'output' ? outputs.get(stepId) : undefined;
    return schema && { schema, name: `steps.${stepId}.output`, rest };
  }
}

/** Each text of a step with what it reads. */
function readingsOf({ pointer: at, when, forEach, repeat, work }: CompiledStep): readonly Reading[] {
  const items = forEach?.items;
  return [
    ...expressionAt(`${at}/when`, when),
    ...expressionAt(`${at}/forEach/items`, items !== undefined && 'references' in items ? items : undefined),
    ...expressionAt(`${at}/repeat/until`, repeat?.until),
    ...ownReadings(at, work),
  ];
}

/** What the fields of a kind read. */
function ownReadings(at: string, work: StepWork): readonly Reading[] {
  switch (work.kind) {
    case 'agent':
      return [...textsAt(`${at}/input`, work.input), ...textsAt(`${at}/template/variables`, work.variables)];
    case 'approval':
      return [
        ...textsAt(`${at}/prompt`, work.prompt),
        ...textsAt(`${at}/assignees`, work.assignees),
        ...(typeof work.onTimeout === 'string'
          ? []
          : textsAt(`${at}/onTimeout/output`, work.onTimeout.output)),
      ];
    case 'fail':
      return textsAt(`${at}/message`, work.message);
    case 'loop':
    case 'signal':
      return [];
    case 'transform':
      return expressionAt(`${at}/expression`, work.expression);
    case 'wait':
      return textsAt(`${at}/until`, work.until);
    case 'workflow':
      return textsAt(`${at}/input`, work.input);
  }
}

function expressionAt(pointer: string, cel: CompiledCel | undefined): readonly Reading[] {
  return cel === undefined ? [] : [{ pointer, references: cel.references }];
}

function textsAt(pointer: string, value: CompiledValue | undefined): readonly Reading[] {
  return (value?.texts ?? []).map((text) => ({
    pointer: pointer + text.pointer,
    references: text.references,
  }));
}

/** The schema of what others read as the step's output; unknown where that is a list of outputs. */
function outputOf({ forEach }: CompiledStep, { output }: StepSchemas): JsonObject | undefined {
  return forEach === undefined ? output : undefined;
}

/** What the schema cannot have of a path; undefined when it may have all of it. */
function lackIn(schema: JsonObject, name: string, path: readonly string[]): string | undefined {
  let at: Json | undefined = schema;
  for (const [depth, key] of path.entries()) {
    if (!isJsonObject(at) || BUILT_IN_PROPERTIES.has(key)) return undefined;
    const types = typesOf(at);
    const place = [name, ...path.slice(0, depth)].join('.');
    if (types !== undefined && !types.some((type) => type === 'object' || type === 'array')) {
      return `${place} is ${types.join(' or ')}, which has no "${key}"`;
    }
    const properties: Json | undefined = getOwn(at, 'properties');
    const member = isJsonObject(properties) ? getOwn(properties, key) : undefined;
    if (member === undefined && isClosed(at, types, key)) return `${place} has no property "${key}"`;
    at = member;
  }
  return undefined;
}

/** Whether an object under the schema surely lacks a property that it does not declare. */
function isClosed(schema: JsonObject, types: readonly string[] | undefined, key: string): boolean {
  if (getOwn(schema, 'additionalProperties') !== false || types?.includes('array') === true) return false;
  const properties = getOwn(schema, 'properties');
  const declared = isJsonObject(properties) ? Object.keys(properties) : [];
  // A path is dotted, so a declared name with a dot in it may be what is read.
  return !isOpen(schema) && !declared.some((name) => name.startsWith(`${key}.`));
}

function schemaAt(schema: JsonObject, path: readonly string[]): Json | undefined {
  let at: Json | undefined = schema;
  for (const key of path) {
    const properties: Json | undefined = isJsonObject(at) ? getOwn(at, 'properties') : undefined;
    at = isJsonObject(properties) ? getOwn(properties, key) : undefined;
  }
  return at;
}

/** The types that a schema allows; undefined where it does not say. */
function typesOf(schema: JsonObject): readonly string[] | undefined {
  const type = getOwn(schema, 'type');
  if (typeof type === 'string') return [type];
  if (Array.isArray(type)) return (type as readonly Json[]).filter((name) => typeof name === 'string');
  const constant = getOwn(schema, 'const');
  if (constant !== undefined) return [typeOf(constant)];
  const values = getOwn(schema, 'enum');
  if (!Array.isArray(values)) return undefined;
  return [...new Set((values as readonly Json[]).map(typeOf))];
}

function typeOf(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}

/** True when a value may be of both; every integer is a number, and a number may be an integer. */
function overlap(left: readonly string[], right: readonly string[]): boolean {
  const loose = (type: string): string => (type === 'integer' ? 'number' : type);
  const wanted = new Set(right.map(loose));
  return left.some((type) => wanted.has(loose(type)));
}

function isOpen(schema: JsonObject): boolean {
  return OPEN_WORDS.some((word) => getOwn(schema, word) !== undefined);
}
