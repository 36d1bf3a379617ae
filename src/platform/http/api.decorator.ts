/** What the OpenAPI document says about answers that many routes share. */
import { applyDecorators, type Type } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiResponse, getSchemaPath } from '@nestjs/swagger';

import type { ErrorType } from '../../kernel/failure.js';
import { statusOf } from './problem.js';

/** The media type and body of a problem answer, as the document refers to it. */
export const problemContent = {
  'application/problem+json': { schema: { $ref: '#/components/schemas/ProblemDocument' } },
};

/** Documents the failures that a route answers with beside those that every route has. */
export function ApiProblems(...types: readonly ErrorType[]): MethodDecorator & ClassDecorator {
  const codesByStatus = new Map<number, string[]>();
  for (const { kind, code } of types) {
    const status = statusOf(kind);
    codesByStatus.set(status, [...(codesByStatus.get(status) ?? []), code]);
  }
  const answers = [...codesByStatus].map(([status, codes]) =>
    ApiResponse({
      status,
      description: codes.map((code) => `\`${code}\``).join(', '),
      content: problemContent,
    }),
  );
  return applyDecorators(...answers);
}

/** Documents a route that answers with a page of items. */
export function ApiPage(item: Type, description: string): MethodDecorator & ClassDecorator {
  return applyDecorators(
    ApiExtraModels(item),
    ApiOkResponse({
      description,
      schema: {
        type: 'object',
        required: ['items'],
        properties: {
          items: { type: 'array', items: { $ref: getSchemaPath(item) } },
          nextCursor: { type: 'string', description: 'Absent on the last page' },
        },
      },
    }),
  );
}
