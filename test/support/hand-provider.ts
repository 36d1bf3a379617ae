import { Injectable } from '@nestjs/common';

import {
  AgentProvider,
  type AgentOutcome,
  type AgentPart,
  type AgentRequest,
  type InvocationContext,
  type Journal,
} from '../../src/agents/agent.provider.js';
import { Provider } from '../../src/agents/provider.decorator.js';
import type { Failure, Issue } from '../../src/kernel/failure.js';
import type { Json, JsonObject } from '../../src/kernel/json.js';

const PART = Symbol('a part has come');

/** One call of the agent `hand`, which ends when the test says so. */
export class Call {
  private readonly ended = Promise.withResolvers<AgentOutcome>();
  private readonly parts: AgentPart[] = [];
  private arrived = Promise.withResolvers<typeof PART>();

  constructor(
    readonly request: AgentRequest,
    private readonly context: InvocationContext,
  ) {
    void this.ended.promise.catch(() => undefined);
    context.signal.addEventListener('abort', () => {
      if (this.isObedient) this.throw(new Error('aborted'));
    });
  }

  /** Whether an abort ends the call. */
  isObedient = true;

  get isAborted(): boolean {
    return this.context.signal.aborted;
  }

  get journal(): Journal {
    return this.context.journal;
  }

  complete(output: Json = null, spent: Partial<AgentOutcome> = {}): void {
    this.ended.resolve({ status: 'completed', output, ...spent } as AgentOutcome);
  }

  fail(failure: Partial<Failure> = {}): void {
    const whole: Failure = {
      code: 'agent.overloaded',
      kind: 'upstream',
      message: 'no room',
      retryable: true,
    };
    this.ended.resolve({ status: 'failed', failure: { ...whole, ...failure } });
  }

  throw(error: unknown): void {
    this.ended.reject(error);
  }

  /** Answers what no type allows. */
  answer(outcome: unknown): void {
    this.ended.resolve(outcome as AgentOutcome);
  }

  stream(part: AgentPart): void {
    this.parts.push(part);
    this.arrived.resolve(PART);
  }

  /** What the provider does: streams what there is, until the call has ended. */
  async *run(): AsyncGenerator<AgentPart, AgentOutcome, void> {
    for (;;) {
      for (const part of this.parts.splice(0)) yield part;
      const outcome = await Promise.race([this.arrived.promise, this.ended.promise]);
      if (outcome !== PART) return outcome;
      this.arrived = Promise.withResolvers();
    }
  }
}

/** An agent whose calls end when the test says so. */
@Injectable()
@Provider({
  kind: 'hand',
  description: 'Ends when a test says so.',
  agents: [{ key: 'hand', description: 'Ends when a test says so.', settings: {} }],
})
export class HandProvider extends AgentProvider {
  override readonly failsAsWhole: boolean = false;

  /** Every call, in the order in which they came. */
  readonly calls: Call[] = [];

  override check(): readonly Issue[] {
    return [];
  }

  override settingsSchema(): JsonObject {
    return { type: 'object' };
  }

  override invoke(
    request: AgentRequest,
    context: InvocationContext,
  ): AsyncGenerator<AgentPart, AgentOutcome, void> {
    const call = new Call(request, context);
    this.calls.push(call);
    return call.run();
  }
}
