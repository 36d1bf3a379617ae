import type { Json, JsonObject } from '../../../kernel/json.js';
import { checkSettings, parseInput, resultSchema } from './strudel.schema.js';

describe('parseInput', () => {
  it('looks at 4 cycles where nothing is said', () => {
    expect(parseInput({ code: 's("bd")' })).toEqual({ ok: true, value: { code: 's("bd")', cycles: 4 } });
  });

  it.each<[string, Json, string]>([
    ['no object', 's("bd")', ''],
    ['no code', {}, '/code'],
    ['code that is no text', { code: 1 }, '/code'],
    ['code beyond 64 KiB', { code: 'é'.repeat(32_769) }, '/code'],
    ['no cycles', { code: '', cycles: 0 }, '/cycles'],
    ['too many cycles', { code: '', cycles: 65 }, '/cycles'],
    ['half a cycle', { code: '', cycles: 1.5 }, '/cycles'],
    ['what it does not know', { code: '', bars: 4 }, '/bars'],
  ])('refuses %s', (_, input, pointer) => {
    expect(parseInput(input)).toMatchObject({
      ok: false,
      failure: { code: 'agent.input-invalid', issues: [{ pointer, code: 'field.invalid' }] },
    });
  });

  it('takes 64 KiB of code and 64 cycles', () => {
    expect(parseInput({ code: 'é'.repeat(32_768), cycles: 64 })).toMatchObject({ ok: true });
  });

  it.each([
    ['a fence around the whole', '```js\ns("bd")\n```', '\ns("bd")'],
    ['a fence without a language', ' ```\ns("bd")\n```\n', '\ns("bd")'],
    ['text before a fence', 'Here:\n```js\ns("bd")\n```', 'Here:\n```js\ns("bd")\n```'],
    ['two fences', '```\na\n```\nand\n```\nb\n```', '```\na\n```\nand\n```\nb\n```'],
  ])('takes %s as a model means it, line for line', (_, code, read) => {
    expect(parseInput({ code })).toMatchObject({ ok: true, value: { code: read } });
  });
});

describe('checkSettings', () => {
  it.each<[string, JsonObject, readonly string[]]>([
    ['none', {}, []],
    ['a time limit', { timeLimitMs: 100 }, []],
    ['a time limit that is too short', { timeLimitMs: 99 }, ['/timeLimitMs']],
    ['a time limit that is too long', { timeLimitMs: 60_001 }, ['/timeLimitMs']],
    ['what it does not know', { model: 'x' }, ['/model']],
  ])('finds the problems in %s', (_, settings, pointers) => {
    expect(checkSettings(settings).map(({ pointer }) => pointer)).toEqual(pointers);
  });
});

describe('resultSchema', () => {
  it('refuses a value that is nested beyond what a control can be', () => {
    const nest = (depth: number): Json => (depth === 0 ? 1 : [nest(depth - 1)]);
    const resultWith = (depth: number): unknown => ({
      errors: [],
      events: [{ begin: 0, end: 1, value: nest(depth) }],
    });

    expect(resultSchema.safeParse(resultWith(15)).success).toBe(true);
    expect(resultSchema.safeParse(resultWith(16)).success).toBe(false);
  });
});
