import { Injectable } from '@nestjs/common';
import { DiscoveryService, Reflector } from '@nestjs/core';

import { failureOf, type Issue } from '../../../kernel/failure.js';
import { getOwn, type Json, type JsonObject } from '../../../kernel/json.js';
import {
  FUNCTION_METADATA,
  type AgentFunctionExecutor,
  type AgentFunctionOptions,
  type FunctionTools,
} from '../../agent-function.decorator.js';
import { agentErrors } from '../../agent.errors.js';
import {
  AgentProvider,
  type AgentOutcome,
  type AgentPart,
  type AgentRequest,
  type InvocationContext,
} from '../../agent.provider.js';
import { PartQueue } from '../../part-queue.js';
import { Provider, type BuiltInAgent } from '../../provider.decorator.js';

interface Registered {
  readonly options: AgentFunctionOptions;
  readonly executor: AgentFunctionExecutor;
  readonly className: string;
}

/** Calls classes of the application that are marked `@AgentFunction`; each is an agent that comes with the service. */
@Injectable()
@Provider({ kind: 'function', description: 'A class of the application.' })
export class FunctionProvider extends AgentProvider {
  private functions: ReadonlyMap<string, Registered> | undefined;

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly reflector: Reflector,
  ) {
    super();
  }

  override check(settings: JsonObject): readonly Issue[] {
    const unknown = Object.keys(settings).filter((key) => key !== 'function');
    const issues = unknown.map((key) => ({
      pointer: `/${key}`,
      code: 'field.unknown',
      message: 'Unknown field',
    }));
    if (this.functionOf(settings) !== undefined) return issues;
    const known = [...this.found().keys()].toSorted().join(', ');
    const message = `Expected the key of an agent function of this service: ${known === '' ? 'it has none' : known}`;
    return [...issues, { pointer: '/function', code: 'field.invalid', message }];
  }

  override builtIns(): readonly BuiltInAgent[] {
    return [...this.found().values()].map(({ options }) => ({
      ...options,
      settings: { function: options.key },
    }));
  }

  /** JSON Schema of the settings. */
  settingsSchema(): JsonObject {
    const key = { type: 'string', description: 'The key of an agent function of this service.' };
    return {
      type: 'object',
      properties: { function: key },
      required: ['function'],
      additionalProperties: false,
    };
  }

  override async *invoke(
    request: AgentRequest,
    context: InvocationContext,
  ): AsyncGenerator<AgentPart, AgentOutcome, void> {
    const registered = this.functionOf(request.settings);
    if (registered === undefined) {
      const message = `this service has not the function of agent "${request.agentKey}"`;
      return { status: 'failed', failure: failureOf(agentErrors['agent.not-configured'], message) };
    }
    const parts = new PartQueue();
    const work = new Work(
      () => registered.executor.execute(request.input, toolsOf(request, context, parts)),
      context.signal,
      () => {
        parts.nudge();
      },
    );
    for (;;) {
      const part = await parts.take();
      if (part !== undefined) yield part;
      else if (work.isOver) return work.outcome;
    }
  }

  private functionOf(settings: JsonObject): Registered | undefined {
    const key = getOwn(settings, 'function');
    return typeof key === 'string' ? this.found().get(key) : undefined;
  }

  /** Looked for when first asked: every provider of the application has been made by then. */
  private found(): ReadonlyMap<string, Registered> {
    this.functions ??= this.discover();
    return this.functions;
  }

  private discover(): ReadonlyMap<string, Registered> {
    const found = new Map<string, Registered>();
    for (const { instance, metatype } of this.discovery.getProviders()) {
      if (typeof metatype !== 'function') continue;
      const options = this.reflector.get<AgentFunctionOptions | undefined>(FUNCTION_METADATA, metatype);
      if (options === undefined) continue;
      const known = found.get(options.key);
      if (known?.executor === instance) continue;
      if (known !== undefined) throw twice(options.key, known.className, metatype.name);
      found.set(options.key, {
        options,
        executor: executorOf(instance, metatype.name),
        className: metatype.name,
      });
    }
    return found;
  }
}

function toolsOf(
  { idempotencyKey, attempt }: AgentRequest,
  { signal, journal }: InvocationContext,
  parts: PartQueue,
): FunctionTools {
  return {
    ...{ signal, journal, idempotencyKey, attempt },
    progress: (progress) => {
      parts.push({ type: 'progress', ...progress });
    },
  };
}

/** A call under way, up to its end or to the abort, whichever comes first. */
class Work {
  isOver = false;
  readonly outcome: Promise<AgentOutcome>;

  constructor(execute: () => unknown, signal: AbortSignal, onOver: () => void) {
    const aborted = new Promise<AgentOutcome>((resolve) => {
      const leave = (): void => {
        resolve({
          status: 'failed',
          failure: failureOf(agentErrors['agent.cancelled'], 'the call was aborted'),
        });
      };
      if (signal.aborted) leave();
      signal.addEventListener('abort', leave, { once: true });
    });
    const done = Promise.resolve()
      .then(execute)
      .then((output): AgentOutcome => ({ status: 'completed', output: (output ?? null) as Json }));
    this.outcome = Promise.race([done, aborted]);
    this.outcome
      .catch(() => undefined)
      .finally(() => {
        this.isOver = true;
        onOver();
      });
  }
}

function executorOf(instance: unknown, className: string): AgentFunctionExecutor {
  const { execute } = (instance ?? {}) as Partial<AgentFunctionExecutor>;
  if (typeof execute === 'function') return instance as AgentFunctionExecutor;
  throw new TypeError(`${className} is marked @AgentFunction but has no method execute(input, tools)`);
}

function twice(key: string, first: string, second: string): TypeError {
  return new TypeError(
    `two agent functions have the key "${key}": ${first} and ${second}. Give one of them another key.`,
  );
}
