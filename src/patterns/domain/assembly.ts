/**
 * Putting the definition of a pattern together.
 *
 * Decided here: what a call of the parameters becomes as a step, and where each step comes from. Decided elsewhere:
 * which steps a pattern has (*.pattern.ts), what a problem of the definition means in the parameters (origin.ts).
 */
import type { Json } from '../../kernel/json.js';
import type { StepDefinition, WorkflowDefinition } from '../../workflows/domain/definition.schema.js';
import type { Call, RunParameters } from './call.schema.js';

/** Which part of the parameters a step was made of. */
export interface Origin {
  /** JSON Pointer from the root of the parameters. */
  readonly pointer: string;
  /** Where single fields of the step come from, by their pointers from the step. */
  readonly fields?: Readonly<Record<string, string>>;
}

/** A pattern with its parameters, compiled. */
export interface CompiledPattern {
  readonly definition: WorkflowDefinition;
  readonly origins: ReadonlyMap<unknown, Origin>;
}

/** What a pattern says of a step beside its call. */
type StepOptions = Pick<StepDefinition, 'id' | 'dependsOn' | 'when' | 'join' | 'onError' | 'forEach'>;

/** What an agent is given where its call does not say it, and the parameter that it is made of. */
export interface Fallback {
  readonly input: Json;
  readonly from?: string;
}

/** The steps of a pattern while they are made. */
export class Assembly {
  readonly #origins = new Map<unknown, Origin>();

  /**
   * A step that calls an agent.
   *
   * @param at JSON Pointer of the call from the root of the parameters
   */
  call(call: Call, at: string, options: StepOptions, fallback: Fallback): StepDefinition {
    const { prompt, input, template, outputSchema } = call;
    const given = prompt === undefined ? input : { prompt };
    const filled = given ?? (template === undefined ? fallback.input : undefined);
    const step = {
      ...options,
      ...agentOf(call),
      ...(template !== undefined && { template }),
      ...(filled !== undefined && { input: filled }),
      ...(outputSchema !== undefined && { outputSchema }),
    } as StepDefinition;
    const madeFrom = input === undefined && template === undefined ? fallback.from : undefined;
    const promptFrom = prompt === undefined ? madeFrom : `${at}/prompt`;
    return this.from(step, at, {
      '/id': `${at}/${Object.hasOwn(call, 'name') ? 'name' : 'id'}`,
      ...(promptFrom !== undefined && { '/input/prompt': promptFrom }),
    });
  }

  /** A step that computes, made of the parameter at a pointer. */
  compute(id: string, expression: string, at: string, options: Partial<StepOptions> = {}): StepDefinition {
    return this.from({ id, kind: 'transform', expression, ...options }, at, {
      '/expression': at,
    });
  }

  /** Notes where a step comes from. */
  from<T extends StepDefinition>(step: T, pointer: string, fields?: Origin['fields']): T {
    this.#origins.set(step, { pointer, ...(fields && { fields }) });
    return step;
  }

  /** The definition of these steps, with what the parameters say of the run. */
  finish(
    pattern: string,
    { name = pattern, inputSchema, maxParallelSteps, timeoutMs, retry }: RunParameters,
    rest: Pick<WorkflowDefinition, 'steps' | 'output'>,
  ): CompiledPattern {
    const definition = {
      name,
      ...(inputSchema !== undefined && { inputSchema }),
      ...(maxParallelSteps !== undefined && { maxParallelSteps }),
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(retry !== undefined && { retry }),
      ...rest,
    };
    return { definition, origins: this.#origins };
  }
}

/** Whom a call is made to and how often it is tried, without what is asked. */
export function agentOf({ agent, retry, timeoutMs, totalTimeoutMs }: Call): Call {
  return {
    agent,
    ...(retry !== undefined && { retry }),
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(totalTimeoutMs !== undefined && { totalTimeoutMs }),
  };
}

/** A step that repeats a body. */
export function loop(
  id: string,
  repeat: Extract<StepDefinition, { readonly kind: 'loop' }>['repeat'],
): StepDefinition {
  return { id, kind: 'loop', repeat };
}
