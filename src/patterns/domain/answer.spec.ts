import { compileCel, evaluateCel } from '../../expressions/cel.js';
import type { Json } from '../../kernel/json.js';
import { answerOf, linesOf, objectOf, pickOf, plainOf, type Freedom } from './answer.js';

const PATH = 'input.said';

/** What an expression makes of an answer. */
function valueOf(expression: string, said: Json): Json {
  const compiled = compileCel(expression, { roots: new Set(['input']) });
  if (!compiled.ok) throw new Error(compiled.failure.message);
  const result = evaluateCel(compiled.value, { input: { said } });
  if (!result.ok) throw new Error(result.failure.message);
  return result.value;
}

describe('reading an answer', () => {
  it.each<readonly [string, Json, Json]>([
    ['an object', { text: 'long', object: { a: 1 } }, { a: 1 }],
    ['the text of a model', { text: 'long', finishReason: 'stop' }, { text: 'long', finishReason: 'stop' }],
    ['text', 'short', { text: 'short' }],
    ['a number', 7, { text: 7 }],
    ['nothing', null, { text: null }],
  ])('finds the object of %s', (_, said, expected) => {
    expect(valueOf(objectOf(PATH), said)).toEqual(expected);
  });

  it.each<readonly [Json, Json]>([
    [{ text: 'long' }, 'long'],
    [{ other: 1 }, { other: 1 }],
    ['short', 'short'],
    [null, null],
  ])('finds the text of %j', (said, expected) => {
    expect(valueOf(answerOf(PATH), said)).toEqual(expected);
  });

  it('takes marks off lines', () => {
    expect(valueOf(plainOf(PATH), { text: '**a**: 1' })).toBe('a: 1');
    expect(valueOf(plainOf(PATH), { scores: {} })).toBe('');
    expect(valueOf(linesOf(PATH), '- a: 1\n  b\n')).toEqual(['a: 1', 'b', '']);
  });

  it('reads long texts within what an expression may cost', () => {
    const text = 'a line of some forty characters, no more\n'.repeat(400);

    expect(valueOf(linesOf(PATH), text)).toHaveLength(401);
    expect(valueOf(pickOf(PATH, ['alto', 'bass'], 'mentioned'), `${text} bass`)).toBe('bass');
  });
});

describe('picking a name', () => {
  it.each<readonly [string, Json, Freedom, Json]>([
    ['the name', 'alto', 'alone', 'alto'],
    ['the name in other letters', ' ALTO\n', 'alone', 'alto'],
    ['the first word', 'alto, because she sings low', 'alone', 'alto'],
    ['the text of a model', { text: 'Alto.' }, 'alone', 'alto'],
    ['an object', { pick: 'bass' }, 'alone', 'bass'],
    ['the object of a model', { text: '{}', object: { pick: 'bass' } }, 'alone', 'bass'],
    ['a mention', 'I choose the bass', 'mentioned', 'bass'],
    ['a mention that does not count', 'I choose the bass', 'alone', null],
    ['two mentions', 'alto or bass? both', 'mentioned', 'alto'],
    ['two mentions further on', 'either alto or bass', 'mentioned', null],
    ['another name', 'tenor', 'mentioned', null],
    ['an object of another shape', { choice: 'bass' }, 'mentioned', null],
  ])('from %s', (_, said, freedom, expected) => {
    expect(valueOf(pickOf(PATH, ['alto', 'bass'], freedom), said)).toBe(expected);
  });
});
