import { applyDecorators } from '@nestjs/common';
import { ApiAcceptedResponse, ApiHeader, ApiOkResponse } from '@nestjs/swagger';

import { ApiProblems } from '../../platform/http/api.decorator.js';
import { httpErrors } from '../../platform/http/http.errors.js';
import { definitionErrors } from '../../workflows/domain/definition.errors.js';
import { workflowErrors } from '../../workflows/domain/workflow.errors.js';
import { runErrors } from '../domain/run.errors.js';
import { RunDto } from './run.dto.js';

/** What every operation that starts a run says alike. */
export function ApiStart(): MethodDecorator {
  return applyDecorators(
    ApiHeader({ name: 'Prefer', required: false, description: '`wait=30`: wait for the end, in seconds.' }),
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description: '1 to 255 visible characters, kept for 24 h.',
    }),
    ApiAcceptedResponse({ type: RunDto, description: 'Accepted and durable; `Location` leads to the run.' }),
    ApiOkResponse({ type: RunDto, description: 'Ended within the time that `Prefer: wait` allowed.' }),
    ApiProblems(
      workflowErrors['workflow.not-found'],
      workflowErrors['workflow.version-not-found'],
      workflowErrors['workflow.label-not-found'],
      definitionErrors['definition.invalid'],
      definitionErrors['input.invalid'],
      httpErrors['idempotency.mismatch'],
      runErrors['queue.full'],
    ),
  );
}
