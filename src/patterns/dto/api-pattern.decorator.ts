/** What the operation of one pattern says of itself. */
import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiExtraModels, ApiOperation, getSchemaPath } from '@nestjs/swagger';
import { z } from 'zod';

import { httpErrors } from '../../platform/http/http.errors.js';
import { ApiProblems } from '../../platform/http/api.decorator.js';
import { ApiStart } from '../../runs/api-start.decorator.js';
import { findPattern, type PatternName } from '../domain/patterns.js';
import { patternExamples } from '../examples.js';
import { StartPatternDto } from './pattern.dto.js';

type BodySchema = Extract<Parameters<typeof ApiBody>[0], { readonly schema: unknown }>['schema'];

const SUMMARIES: { readonly [N in PatternName]: string } = {
  sequential: 'Run agents one after another',
  parallel: 'Run agents side by side',
  conditional: 'Run one of several agents, by an expression or by an agent that decides',
  'map-reduce': 'Run an agent for each item, and one that makes one of their answers',
  router: 'Let an agent pick who does a task',
  critique: 'Let an agent do a task and another judge it, until it is good enough',
  debate: 'Let agents argue in rounds, and one sum up',
  supervisor: 'Let an agent plan, delegate and check what they bring',
};

/** `POST /orchestrations/<pattern>`: its parameters as JSON Schema, and an example that runs. */
export function ApiPattern(pattern: PatternName): MethodDecorator {
  const schema = {
    allOf: [
      { $ref: getSchemaPath(StartPatternDto) },
      { type: 'object', properties: { parameters: parametersSchemaOf(pattern) } },
    ],
    example: patternExamples[pattern],
  };
  return applyDecorators(
    ApiOperation({
      operationId: `Orchestration.${pattern}`,
      summary: SUMMARIES[pattern],
      description: `Answers as \`POST /runs\`. \`POST /orchestrations/${pattern}/compile\` shows the definition.`,
    }),
    ApiExtraModels(StartPatternDto),
    ApiBody({ schema: schema as BodySchema }),
    ApiStart(),
    ApiProblems(httpErrors['request.invalid']),
  );
}

/** The largest number that is exact bounds nothing that anybody writes. */
function parametersSchemaOf(pattern: PatternName): object {
  const { $schema: _, ...schema } = z.toJSONSchema(findPattern(pattern)?.schema ?? z.unknown(), {
    io: 'input',
    override: ({ jsonSchema }) => {
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  });
  return schema;
}
