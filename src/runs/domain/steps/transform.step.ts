/** Computing a value: done at once, without an attempt. */
import { evaluateCel } from '../../../expressions/cel.js';
import { located } from '../located.js';
import type { EngineKind } from './step-kind.js';

export const transformStep: EngineKind<'transform'> = {
  needsPlace: false,
  resolve({ expression }, resolving) {
    if (expression === undefined) throw new TypeError('a transform without its expression');
    const value = evaluateCel(expression, resolving().scope);
    return value.ok
      ? { kind: 'complete', output: value.value }
      : { kind: 'fail', failure: located(value.failure, 'expression') };
  },
};
