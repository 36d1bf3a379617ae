/** Makes a class of the application an agent: the shortest way to bring work of one's own. */
import { applyDecorators, Injectable, SetMetadata } from '@nestjs/common';

import type { Json, JsonObject } from '../kernel/json.js';
import type { AgentPart, Journal } from './agent.provider.js';

export interface AgentFunctionOptions {
  /** What steps name; unique among all agents. */
  readonly key: string;
  readonly description: string;
  /** JSON Schema that an input must satisfy before the function is called. */
  readonly inputSchema?: JsonObject;
  /** JSON Schema that an output must satisfy to count as one. */
  readonly outputSchema?: JsonObject;
}

/** What a function gets beside its input. */
export interface FunctionTools {
  /** Aborted when nobody waits for the outcome any more. */
  readonly signal: AbortSignal;
  /** The same in every attempt of the same work: pass it on to whatever must happen once. */
  readonly idempotencyKey: string;
  /** 1, 2, 3, … */
  readonly attempt: number;
  /** The durable memory of the attempts: what was recorded is there again in the next one. */
  readonly journal: Journal;
  /** Shows whoever follows how far it is; nothing of it is kept. */
  readonly progress: (progress: Omit<Extract<AgentPart, { readonly type: 'progress' }>, 'type'>) => void;
}

/** What a class marked `@AgentFunction` implements. */
export interface AgentFunctionExecutor {
  /**
   * Does the work once and answers its output, which is JSON. An `AppError` that it throws is the failure of the
   * attempt; anything else that it throws counts as `agent.crashed`, which may be tried again.
   */
  execute(input: Json, tools: FunctionTools): unknown;
}

export const FUNCTION_METADATA = Symbol.for('ensemble.AgentFunction');

/**
 * Registers a class with a method `execute` as an agent, wherever in the application it is provided. It can have
 * dependencies as any Nest provider.
 *
 * @example
 * @AgentFunction({ key: 'word-count', description: 'Counts words.' })
 * export class WordCount implements AgentFunctionExecutor { execute(input: Json) { … } }
 */
export function AgentFunction(options: AgentFunctionOptions): ClassDecorator {
  return applyDecorators(Injectable(), SetMetadata(FUNCTION_METADATA, options));
}
