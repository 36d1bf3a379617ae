/** The `llm` provider as Nest builds it, beside a stub of its model provider. */
import { Global, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';

import type { AgentOutcome, AgentPart, AgentRequest, Turn } from '../../src/agents/agent.provider.js';
import { LlmModule } from '../../src/agents/providers/llm/llm.module.js';
import { LlmProvider } from '../../src/agents/providers/llm/llm.provider.js';
import type { Failure } from '../../src/kernel/failure.js';
import type { Json, JsonObject } from '../../src/kernel/json.js';
import { Clock } from '../../src/platform/clock/clock.js';
import { ProviderConfig } from '../../src/platform/config/app.config.js';
import { LlmStub, type StubAnswer } from './llm-stub.js';
import { ManualClock } from './manual-clock.js';

/** The key in the configuration; to be found nowhere but in the header of a call. */
export const KEY = 'sk-canary-3f9a';
export const SETTINGS: JsonObject = { provider: 'anthropic' };
export const NOW = 1_800_000_000_000;

/** A call of `claude` from attempt 1 of a step. */
export function aRequest(input: Json = { prompt: 'Say hello' }, settings = SETTINGS): AgentRequest {
  const idempotencyKey = 'run_1:brief:1';
  return {
    agentKey: 'claude',
    settings,
    input,
    namespace: 'default',
    idempotencyKey,
    attempt: 1,
    failures: 0,
  };
}

/** A journal that keeps what is recorded, after the turns that earlier attempts left. */
export class KeptJournal {
  constructor(readonly turns: Turn[] = []) {}

  record(turn: Omit<Turn, 'turn'>): Promise<void> {
    this.turns.push({ ...turn, turn: this.turns.length + 1 });
    return Promise.resolve();
  }
}

export interface Invoked {
  readonly outcome: AgentOutcome;
  readonly parts: readonly AgentPart[];
  readonly turns: readonly Turn[];
}

export interface InvokeOptions {
  readonly config?: Partial<ProviderConfig>;
  readonly request?: AgentRequest;
  /** What earlier attempts recorded. */
  readonly turns?: readonly Turn[];
}

export class LlmScene {
  private constructor(readonly stub: LlmStub) {}

  static async start(): Promise<LlmScene> {
    return new LlmScene(await LlmStub.start());
  }

  stop(): Promise<void> {
    return this.stub.stop();
  }

  /** A provider configured for the stub unless told otherwise. */
  async provider(config: Partial<ProviderConfig> = {}): Promise<LlmProvider> {
    const stubbed = {
      anthropicApiKey: KEY,
      anthropicBaseUrl: this.stub.baseUrl,
      claudeModel: 'claude-sonnet-4-5',
    };
    const providers = [
      { provide: ProviderConfig, useValue: { ...stubbed, ...config } },
      { provide: Clock, useValue: new ManualClock(NOW) },
    ];
    @Global()
    @Module({ providers, exports: providers })
    class PlatformModule {}
    const module = await Test.createTestingModule({ imports: [PlatformModule, LlmModule] }).compile();
    return module.get(LlmProvider);
  }

  /** Invokes a fresh provider to its end. */
  async invoke(options: InvokeOptions = {}): Promise<Invoked> {
    const provider = await this.provider(options.config);
    const journal = new KeptJournal([...(options.turns ?? [])]);
    const signal = new AbortController().signal;
    const stream = provider.invoke(options.request ?? aRequest(), { signal, journal });
    const parts: AgentPart[] = [];
    for (;;) {
      const next = await stream.next();
      if (next.done === true) return { outcome: next.value, parts, turns: journal.turns };
      parts.push(next.value);
    }
  }

  /** The failure that an answer leads to. */
  async failureOf(answer: StubAnswer): Promise<Failure> {
    this.stub.queue(answer);
    return failureIn((await this.invoke()).outcome);
  }
}

/** The failure of an outcome; throws when there is none. */
export function failureIn(outcome: AgentOutcome): Failure {
  if (outcome.status !== 'failed') throw new Error(`not failed: ${JSON.stringify(outcome)}`);
  return outcome.failure;
}

/** All deltas in order. */
export function textOf(parts: readonly AgentPart[]): string {
  return parts.map((part) => (part.type === 'delta' ? part.text : '')).join('');
}
