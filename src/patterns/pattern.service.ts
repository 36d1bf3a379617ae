import { Injectable } from '@nestjs/common';

import { AppError } from '../kernel/failure.js';
import type { JsonObject } from '../kernel/json.js';
import { httpErrors } from '../platform/http/http.errors.js';
import { listSchemaIssues } from '../workflows/domain/definition-issues.js';
import { definitionErrors } from '../workflows/domain/definition.errors.js';
import type { WorkflowDefinition } from '../workflows/domain/definition.schema.js';
import { WorkflowService } from '../workflows/workflow.service.js';
import type { CompiledPattern } from './domain/assembly.js';
import { issuesOfParameters } from './domain/origin.js';
import { patternErrors } from './domain/pattern.errors.js';
import { findPattern, PATTERN_NAMES } from './domain/patterns.js';

/** Where the parameters stand in a request, and where a definition would. */
const PARAMETERS = '/parameters';
const DEFINITION = '/definition';

/** A pattern that is asked for. */
export interface PatternRequest {
  readonly pattern: string;
  /** As they were sent; they are kept, and must not be changed afterwards. */
  readonly parameters: JsonObject;
}

/** Patterns: from parameters to definitions, and from problems of definitions back to parameters. */
@Injectable()
export class PatternService {
  constructor(private readonly workflows: WorkflowService) {}

  /**
   * The definition that a pattern comes to, once it is known that it may run.
   *
   * @throws AppError as `carryOut`
   */
  definition(namespace: string, request: PatternRequest): Promise<WorkflowDefinition> {
    return this.carryOut(request, async (compiled) => {
      const { definition } = await this.workflows.require(namespace, compiled, DEFINITION);
      return definition;
    });
  }

  /**
   * Does something with the definition of a pattern; what is wrong with it is told of the parameters.
   *
   * @param use refuses the definition with pointers from `/definition` on
   * @throws AppError `pattern.not-found`, `request.invalid`, `definition.invalid`, and what `use` throws
   */
  async carryOut<T>(
    request: PatternRequest,
    use: (definition: WorkflowDefinition) => Promise<T>,
  ): Promise<T> {
    const compiled = compile(request);
    try {
      return await use(compiled.definition);
    } catch (error) {
      throw AppError.is(error) ? ofParameters(error, compiled, request) : error;
    }
  }
}

function compile({ pattern: name, parameters }: PatternRequest): CompiledPattern {
  const pattern = findPattern(name);
  if (pattern === undefined) {
    const message = `there is no pattern ${JSON.stringify(name.slice(0, 64))}; there are ${PATTERN_NAMES.join(', ')}`;
    throw AppError.of(patternErrors['pattern.not-found'], message);
  }
  const found = listSchemaIssues(pattern.schema, parameters);
  if (found.length === 0) return pattern.compile(parameters);
  const issues = found.map((issue) => ({ ...issue, pointer: PARAMETERS + issue.pointer }));
  const count = issues.length === 1 ? '1 problem' : `${issues.length} problems`;
  throw AppError.of(httpErrors['request.invalid'], `${count} in the parameters of ${name}`, { issues });
}

/** The same refusal, of the parameters that a definition was made of. */
function ofParameters(
  error: AppError,
  compiled: CompiledPattern,
  { pattern, parameters }: PatternRequest,
): AppError {
  const { failure } = error;
  if (failure.code !== definitionErrors['definition.invalid'].code) return error;
  const inDefinition = (failure.issues ?? []).map((issue) => ({
    ...issue,
    pointer: issue.pointer.slice(DEFINITION.length),
  }));
  const issues = issuesOfParameters(inDefinition, compiled, parameters).map((issue) => ({
    ...issue,
    pointer: PARAMETERS + issue.pointer,
  }));
  const count = issues.length === 1 ? '1 problem' : `${issues.length} problems`;
  const message = `the definition that ${pattern} makes of the parameters has ${count}`;
  return new AppError({ ...failure, message, issues });
}
