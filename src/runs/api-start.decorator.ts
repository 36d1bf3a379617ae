import { applyDecorators } from '@nestjs/common';
import { ApiAcceptedResponse, ApiHeader, ApiOkResponse, getSchemaPath } from '@nestjs/swagger';

import type { ErrorType } from '../kernel/failure.js';
import { ApiProblems } from '../platform/http/api.decorator.js';
import { httpErrors } from '../platform/http/http.errors.js';
import { definitionErrors } from '../workflows/domain/definition.errors.js';
import { runErrors } from './domain/run.errors.js';

/** By its name: the controllers of runs bring the class into the document. */
const RUN = { schema: { $ref: getSchemaPath('RunDto') } };

/** What every operation that starts a run says alike, and the failures that are its own. */
export function ApiStart(...types: readonly ErrorType[]): MethodDecorator {
  return applyDecorators(
    ApiHeader({ name: 'Prefer', required: false, description: '`wait=30`: wait for the end, in seconds.' }),
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description: '1 to 255 visible characters, kept for 24 h.',
    }),
    ApiAcceptedResponse({ ...RUN, description: 'Accepted and durable; `Location` leads to the run.' }),
    ApiOkResponse({ ...RUN, description: 'Ended within the time that `Prefer: wait` allowed.' }),
    ApiProblems(
      ...types,
      definitionErrors['definition.invalid'],
      definitionErrors['input.invalid'],
      httpErrors['idempotency.mismatch'],
      runErrors['queue.full'],
    ),
  );
}
