import { PartialType } from '@nestjs/swagger';
import { IsArray, IsBoolean, IsInt, IsOptional, IsString, Max, MaxLength } from 'class-validator';

import { Nested, NestedList, RawJson, ToBoolean, ToInt } from './dto.decorator.js';
import { parseDto } from './parse-dto.js';

class PartDto {
  @IsString()
  name!: string;

  @RawJson()
  @IsOptional()
  input?: unknown;
}

class WholeDto {
  @IsString()
  @MaxLength(5)
  title!: string;

  @RawJson('object')
  @IsOptional()
  settings?: object;

  @NestedList(() => PartDto)
  @IsOptional()
  parts?: PartDto[];

  @Nested(() => PartDto)
  @IsOptional()
  main?: PartDto;

  @IsArray()
  @IsString({ each: true })
  @IsOptional()
  tags?: string[];
}

class ChangeDto extends PartialType(WholeDto) {}

class QueryDto {
  @ToInt()
  @IsInt()
  @Max(200)
  limit = 50;

  @ToBoolean()
  @IsBoolean()
  @IsOptional()
  force?: boolean;
}

const hostile = '{"__proto__":{"admin":true},"constructor":{"prototype":1},"toString":2}';

function pointersOf(dto: new () => object, value: unknown): readonly string[] {
  const result = parseDto(dto, value);
  return result.ok ? [] : result.failure.map(({ pointer, code }) => `${code} ${pointer}`);
}

describe('parseDto', () => {
  it('builds instances on every level', () => {
    const result = parseDto(WholeDto, {
      title: 'a',
      parts: [{ name: 'b' }],
      main: { name: 'c' },
      tags: ['d'],
    });

    if (!result.ok) throw new Error(JSON.stringify(result.failure));
    expect(result.value).toBeInstanceOf(WholeDto);
    expect(result.value.parts?.[0]).toBeInstanceOf(PartDto);
    expect(result.value.main).toBeInstanceOf(PartDto);
    expect(result.value.tags).toEqual(['d']);
  });

  it('hands raw fields over as they came, on every level', () => {
    const settings = JSON.parse(hostile) as object;
    const result = parseDto(WholeDto, { title: 'a', settings, parts: [{ name: 'b', input: settings }] });

    if (!result.ok) throw new Error(JSON.stringify(result.failure));
    expect(result.value.settings).toBe(settings);
    expect(JSON.stringify(result.value.parts?.[0]?.input)).toBe(hostile);
  });

  it('refuses hostile keys where fields are declared', () => {
    expect(pointersOf(WholeDto, { title: 'a', ...(JSON.parse('{"constructor":1}') as object) })).toEqual([
      'field.unknown /constructor',
    ]);
    expect(pointersOf(WholeDto, JSON.parse('{"title":"a","__proto__":{"title":"b"},"a/b":1}'))).toEqual([
      'field.unknown /__proto__',
      'field.unknown /a~1b',
    ]);
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
  });

  it('lists everything that is wrong, with pointers into nested DTOs', () => {
    expect(
      pointersOf(WholeDto, { title: 'abcdef', parts: [{ name: 'b' }, { name: 1 }, {}], main: {} }),
    ).toEqual([
      'field.invalid /title',
      'field.invalid /parts/1/name',
      'field.required /parts/2/name',
      'field.required /main/name',
    ]);
    expect(pointersOf(WholeDto, { title: 1, parts: [1, {}], main: [], tags: ['x\0'], other: 1 })).toEqual([
      'field.invalid /parts/0',
      'field.invalid /main',
      'field.invalid /tags/0',
      'field.unknown /other',
      'field.invalid /title',
      'field.invalid /title',
      'field.required /parts/1/name',
    ]);
  });

  it.each([
    ['a list', [], 'field.invalid '],
    ['text', 'x', 'field.invalid '],
    ['null', null, 'field.invalid '],
    ['null for a field', { title: null }, 'field.invalid /title'],
    ['a list for a raw object', { title: 'a', settings: [] }, 'field.invalid /settings'],
    ['an object for a list of DTOs', { title: 'a', parts: {} }, 'field.invalid /parts'],
    ['nothing', undefined, 'field.required /title'],
  ])('refuses %s', (_, value, expected) => {
    expect(pointersOf(WholeDto, value)).toEqual([expected]);
  });

  it('keeps raw fields raw in derived DTOs', () => {
    const settings = JSON.parse(hostile) as object;
    const result = parseDto(ChangeDto, { settings });

    expect(result.ok && JSON.stringify(result.value.settings)).toBe(hostile);
  });

  it('takes a wide object for a field that is not raw without walking it', () => {
    const wide = Object.fromEntries(Array.from({ length: 90_000 }, (_, index) => [`k${index}`, index]));

    expect(pointersOf(WholeDto, { title: wide })).toContain('field.invalid /title');
  });

  it.each([
    [{}, { limit: 50 }],
    [
      { limit: '7', force: 'true' },
      { limit: 7, force: true },
    ],
  ])('reads the query %j', (query, expected) => {
    expect(parseDto(QueryDto, query)).toEqual({ ok: true, value: expected });
  });

  it.each([[''], ['1e2'], ['0x10'], ['201'], [' 5'], ['1.5']])('refuses the query number %j', (limit) => {
    expect(pointersOf(QueryDto, { limit })).toContain('field.invalid /limit');
  });
});
