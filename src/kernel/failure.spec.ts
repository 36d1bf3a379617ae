import { runInNewContext } from 'node:vm';

import { AppError, defineErrors, failureOf } from './failure.js';

const errors = defineErrors({
  'cake.missing': { kind: 'not-found', title: 'No such cake' },
  'cake.busy': { kind: 'conflict', title: 'The cake is being eaten', retryable: true },
});

describe('error types', () => {
  it('carry their code, and are not retryable unless they say so', () => {
    expect(errors).toEqual({
      'cake.missing': { code: 'cake.missing', kind: 'not-found', title: 'No such cake', retryable: false },
      'cake.busy': { code: 'cake.busy', kind: 'conflict', title: 'The cake is being eaten', retryable: true },
    });
  });
});

describe('a failure', () => {
  it('has code, kind and retryable of its type, and no title', () => {
    expect(failureOf(errors['cake.busy'], 'wait')).toEqual({
      code: 'cake.busy',
      kind: 'conflict',
      message: 'wait',
      retryable: true,
    });
  });

  it('may be retryable though its type is not, and carry more', () => {
    const cause = failureOf(errors['cake.missing'], 'gone');
    const failure = failureOf(errors['cake.missing'], 'later', {
      retryable: true,
      retryAfterMs: 5,
      details: { shelf: 1 },
      issues: [{ pointer: '/a', code: 'field.invalid', message: 'no' }],
      cause,
    });

    expect(failure).toEqual({
      code: 'cake.missing',
      kind: 'not-found',
      message: 'later',
      retryable: true,
      retryAfterMs: 5,
      details: { shelf: 1 },
      issues: [{ pointer: '/a', code: 'field.invalid', message: 'no' }],
      cause,
    });
    expect(JSON.parse(JSON.stringify(failure))).toEqual(failure);
  });
});

describe('an AppError', () => {
  it('is an error that says what its failure says', () => {
    const cause = new Error('disk');
    const error = new AppError(failureOf(errors['cake.missing'], 'no cake'), { cause });

    expect(error).toBeInstanceOf(Error);
    expect([error.name, error.message, error.failure.code, error.cause]).toEqual([
      'AppError',
      'no cake',
      'cake.missing',
      cause,
    ]);
  });

  it.each<readonly [string, unknown, boolean]>([
    ['one of its own', AppError.of(errors['cake.busy'], 'wait'), true],
    [
      'one of another realm',
      runInNewContext('({ [Symbol.for("ensemble.AppError")]: true, failure: {} })'),
      true,
    ],
    ['another error', new Error('x'), false],
    ['a failure', failureOf(errors['cake.busy'], 'wait'), false],
    ['null', null, false],
    ['nothing', undefined, false],
    ['a text', 'cake.busy', false],
  ])('is told from everything else: %s', (_, value, isOne) => {
    expect(AppError.is(value)).toBe(isOne);
  });
});
