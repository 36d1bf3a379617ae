/** Failing on purpose, with a code of the definition's choice. It is never tried again. */
import { evaluateValue } from '../../../expressions/value.js';
import { located } from '../located.js';
import type { EngineKind } from './step-kind.js';

export const failStep: EngineKind<'fail'> = {
  needsPlace: false,
  resolve({ code, message }, resolving) {
    const text = evaluateValue(message, resolving().scope);
    if (!text.ok) return { kind: 'fail', failure: located(text.failure, 'message') };
    const said = typeof text.value === 'string' ? text.value : JSON.stringify(text.value);
    return { kind: 'fail', failure: { code, kind: 'unprocessable', message: said, retryable: false } };
  },
};
