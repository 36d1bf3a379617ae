import { applyDecorators } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiParam, getSchemaPath } from '@nestjs/swagger';

import type { ErrorType } from '../kernel/failure.js';
import { ApiProblems } from '../platform/http/api.decorator.js';
import { runErrors } from './domain/run.errors.js';

/** By its name: the controllers of runs bring the class into the document. */
const RUN = { schema: { $ref: getSchemaPath('RunDto') } };

/** What every control operation says alike. @param conflict what it is refused for in the wrong status */
export function ApiControl(
  exampleId: string,
  conflict: ErrorType = runErrors['run.not-active'],
): MethodDecorator {
  return applyDecorators(
    ApiParam({ name: 'id', example: exampleId }),
    ApiOkResponse({ ...RUN, description: 'Recorded; the run as it is now.' }),
    ApiAcceptedResponse({ ...RUN, description: 'In the inbox of the run, not recorded within 2 s.' }),
    ApiProblems(runErrors['run.not-found'], conflict),
  );
}
