/**
 * Turns what came over the wire into a checked DTO, or into the list of everything that is wrong with it.
 *
 * Decided here: only declared fields are taken, by own keys; raw fields are handed over untouched; class-transformer
 * sees single values only, never an object or a list of the caller, because it drops keys named `constructor` and
 * walks wide objects slowly. Nested DTOs are built level by level.
 */
import { plainToInstance } from 'class-transformer';
import { getMetadataStorage, validateSync, type ValidationError } from 'class-validator';

import type { Issue } from '../../kernel/failure.js';
import { fieldErrors } from '../../kernel/field.errors.js';
import { isJsonObject, pointerOf, setOwn } from '../../kernel/json.js';
import { fail, ok, type Result } from '../../kernel/result.js';
import { RAW_JSON, type DtoClass, type NestedMark } from './dto.decorator.js';

/** Issues listed in one answer. */
const MAX_ISSUES = 100;
/** What class-validator calls the check of a nested DTO. */
const NESTED = 'nestedValidation';
/** Elements of one list of nested DTOs. */
const MAX_NESTED = 10_000;

type Field = { readonly kind: 'plain' | 'raw' } | ({ readonly kind: 'nested' } & NestedMark);
type Path = readonly (string | number)[];

const fieldsByClass = new WeakMap<DtoClass, ReadonlyMap<string, Field>>();

/**
 * Parses a JSON value as a DTO.
 *
 * @param value the body or query; undefined counts as an object without fields
 */
export function parseDto<T extends object>(dto: new () => T, value: unknown): Result<T, readonly Issue[]> {
  const reader = new DtoReader();
  const instance = reader.read(dto, value === undefined ? {} : value, []);
  if (instance === undefined) return fail(reader.issues);
  const errors = validateSync(instance, { forbidUnknownValues: false });
  if (errors.length === 0 && reader.issues.length === 0) return ok(instance as T);
  const refused = new Set(reader.issues.map(({ pointer }) => pointer));
  const found = errors.flatMap((error) => issuesOf(error, [])).filter(({ pointer }) => !refused.has(pointer));
  return fail([...reader.issues, ...found].slice(0, MAX_ISSUES));
}

/** Builds instances level by level and collects what cannot be taken. */
class DtoReader {
  readonly issues: Issue[] = [];

  read(dto: DtoClass, value: unknown, path: Path): object | undefined {
    if (!isJsonObject(value)) {
      this.add(path, 'field.invalid', `expected an object, got ${nameOf(value)}`);
      return undefined;
    }
    const fields = fieldsOf(dto);
    const singles: Record<string, unknown> = {};
    const others: [string, unknown][] = [];
    for (const key of Object.keys(value)) {
      const field = fields.get(key);
      if (field === undefined)
        this.add([...path, key], 'field.unknown', `there is no field ${JSON.stringify(key)}`);
      else if (field.kind === 'plain' && isSingle(value[key]))
        singles[key] = this.readSingle(value[key], [...path, key]);
      else others.push([key, this.readOther(field, value[key], [...path, key])]);
    }
    const instance = plainToInstance(dto, singles);
    for (const [key, other] of others) setOwn(instance, key, other);
    return instance;
  }

  private readSingle(value: unknown, path: Path): unknown {
    if (value === null) this.add(path, 'field.invalid', 'must not be null');
    if (typeof value === 'string') this.checkText(value, path);
    return value;
  }

  private readOther(field: Field, value: unknown, path: Path): unknown {
    if (field.kind === 'nested') return this.readNested(field, value, path);
    if (field.kind === 'plain' && Array.isArray(value)) {
      for (const [index, item] of value.entries())
        if (typeof item === 'string') this.checkText(item, [...path, index]);
    }
    return value;
  }

  private readNested({ nested, each, max = MAX_NESTED }: NestedMark, value: unknown, path: Path): unknown {
    if (!each) return this.read(nested(), value, path);
    if (!Array.isArray(value)) {
      this.add(path, 'field.invalid', `expected a list, got ${nameOf(value)}`);
      return undefined;
    }
    if (value.length > max) {
      this.add(path, 'field.invalid', `expected at most ${max} elements, got ${value.length}`);
      return undefined;
    }
    return value.map((item, index) => this.read(nested(), item, [...path, index]));
  }

  /** No column and no file name of ours takes U+0000. */
  private checkText(value: string, path: Path): void {
    if (value.includes('\0')) this.add(path, 'field.invalid', 'must not contain the character U+0000');
  }

  private add(path: Path, code: keyof typeof fieldErrors, message: string): void {
    if (this.issues.length < MAX_ISSUES) this.issues.push({ pointer: pointerOf(path), code, message });
  }
}

function isSingle(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}

function nameOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}

/** The declared fields of a DTO, read once from class-validator's records. */
function fieldsOf(dto: DtoClass): ReadonlyMap<string, Field> {
  const known = fieldsByClass.get(dto);
  if (known !== undefined) return known;
  const fields = new Map<string, Field>();
  for (const { propertyName, name, type, context } of getMetadataStorage().getTargetValidationMetadatas(
    dto,
    '',
    true,
    false,
  )) {
    if (name === RAW_JSON) fields.set(propertyName, { kind: 'raw' });
    else if (type === NESTED) fields.set(propertyName, nestedField(dto, propertyName, context));
    else if (!fields.has(propertyName)) fields.set(propertyName, { kind: 'plain' });
  }
  fieldsByClass.set(dto, fields);
  return fields;
}

function nestedField(dto: DtoClass, property: string, context: unknown): Field {
  if (typeof context === 'object' && context !== null && 'nested' in context) {
    return { kind: 'nested', ...(context as NestedMark) };
  }
  throw new Error(`${dto.name}.${property}: mark it with @Nested or @NestedList instead of @ValidateNested`);
}

function issuesOf(error: ValidationError, parents: Path): readonly Issue[] {
  const path = [...parents, /^\d+$/.test(error.property) ? Number(error.property) : error.property];
  const below = (error.children ?? []).flatMap((child) => issuesOf(child, path));
  // The reader has told what is not an object where a DTO is expected.
  const constraints = Object.entries(error.constraints ?? {}).filter(([name]) => name !== NESTED);
  const messages = constraints.map(([, message]) => message);
  if (messages.length === 0) return below;
  const pointer = pointerOf(path);
  if (error.value === undefined) {
    return [{ pointer, code: fieldErrors['field.required'].code, message: `${error.property} is required` }];
  }
  return [
    ...messages.map((message) => ({ pointer, code: fieldErrors['field.invalid'].code, message })),
    ...below,
  ];
}
