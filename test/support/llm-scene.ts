/** The `llm` provider as Nest builds it, beside a stub of its model provider. */
import { Global, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';

import type {
  AgentOutcome,
  AgentPart,
  AgentRequest,
  SettledOutcome,
  Turn,
} from '../../src/agents/agent.provider.js';
import { AgentInvoker, type AgentInvocation, type InvocableAgent } from '../../src/agents/agent.invoker.js';
import { PromptSource } from '../../src/agents/prompt.source.js';
import { LlmModule } from '../../src/agents/providers/llm/llm.module.js';
import { LlmProvider } from '../../src/agents/providers/llm/llm.provider.js';
import { McpModule } from '../../src/agents/providers/mcp/mcp.module.js';
import { ClosedToolApprovalGate, ToolApprovalGate } from '../../src/agents/tool-approval.gate.js';
import { AppError, type Failure } from '../../src/kernel/failure.js';
import { isJsonObject, type Json, type JsonObject } from '../../src/kernel/json.js';
import { Clock } from '../../src/platform/clock/clock.js';
import { EgressConfig, ProviderConfig } from '../../src/platform/config/app.config.js';
import { EgressModule } from '../../src/platform/egress/egress.module.js';
import { JsonSchemaService } from '../../src/platform/json-schema/json-schema.service.js';
import { SecretSource } from '../../src/platform/ports/secret.source.js';
import { LlmStub, type StubAnswer } from './llm-stub.js';
import type { StubRequest } from './llm-wire.js';
import { ManualClock } from './manual-clock.js';

/** The key in the configuration; to be found nowhere but in the header of a call. */
export const KEY = 'sk-canary-3f9a';
export const NOW = 1_800_000_000_000;

/** Every protocol that the provider speaks; a suite of it runs on each. */
export const PROTOCOLS = ['anthropic', 'openai-compatible'] as const;

export type Protocol = (typeof PROTOCOLS)[number];

/** The least that an agent has to say of its model. */
const SETTINGS: Readonly<Record<Protocol, JsonObject>> = {
  anthropic: { provider: 'anthropic' },
  'openai-compatible': { provider: 'openai-compatible', model: 'claude-sonnet-4-5' },
};

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
  /** Over the settings of the protocol. */
  readonly settings?: JsonObject;
  readonly input?: Json;
  /** What earlier attempts recorded. */
  readonly turns?: readonly Turn[];
}

export class LlmScene {
  /** Agents that may be called as tools. */
  readonly agents = new KeptAgents();
  /** Secrets that settings may name. */
  readonly secrets = new Map<string, string>();
  /** Texts of templates that settings may name. */
  readonly prompts = new Map<string, (variables: JsonObject) => string>();
  /** Who is asked about tools that require approval. */
  approvals: ToolApprovalGate = new ClosedToolApprovalGate();

  private constructor(
    readonly stub: LlmStub,
    readonly protocol: Protocol,
  ) {}

  static async start(protocol: Protocol): Promise<LlmScene> {
    return new LlmScene(await LlmStub.start(), protocol);
  }

  stop(): Promise<void> {
    return this.stub.stop();
  }

  get settings(): JsonObject {
    return SETTINGS[this.protocol];
  }

  /** A call of attempt 1 of a step. */
  request(input: Json = { prompt: 'Say hello' }, settings: JsonObject = {}): AgentRequest {
    return {
      agentKey: 'claude',
      settings: { ...this.settings, ...settings },
      input,
      namespace: 'default',
      idempotencyKey: 'run_1:brief:1',
      attempt: 1,
      failures: 0,
    };
  }

  /** A provider configured for the stub unless told otherwise. */
  async provider(config: Partial<ProviderConfig> = {}): Promise<LlmProvider> {
    const ofProtocol =
      this.protocol === 'anthropic'
        ? { anthropicApiKey: KEY, anthropicBaseUrl: this.stub.baseUrl, claudeModel: 'claude-sonnet-4-5' }
        : { openaiCompatibleApiKey: KEY, openaiCompatibleBaseUrl: this.stub.baseUrl };
    const platform = [
      { provide: ProviderConfig, useValue: { claudeModel: '', ...ofProtocol, ...config } },
      // Settings may name this address of the loopback interface, and no other.
      { provide: EgressConfig, useValue: { allowedHosts: ['127.0.0.1'] } },
      { provide: Clock, useValue: new ManualClock(NOW) },
      { provide: SecretSource, useValue: new KeptSecrets(this.secrets) },
      JsonSchemaService,
    ];
    @Global()
    @Module({ imports: [EgressModule], providers: platform, exports: platform })
    class PlatformModule {}
    const ports = [
      { provide: AgentInvoker, useValue: this.agents },
      { provide: PromptSource, useValue: new KeptPrompts(this.prompts) },
      { provide: ToolApprovalGate, useValue: this.approvals },
    ];
    @Global()
    @Module({ imports: [McpModule], providers: ports, exports: [...ports, McpModule] })
    class PortsModule {}
    const imports = [PlatformModule, PortsModule, LlmModule];
    const module = await Test.createTestingModule({ imports }).compile();
    await module.init();
    return module.get(LlmProvider);
  }

  /** Invokes a fresh provider to its end. */
  async invoke(options: InvokeOptions = {}): Promise<Invoked> {
    const provider = await this.provider(options.config);
    const journal = new KeptJournal([...(options.turns ?? [])]);
    const signal = new AbortController().signal;
    const request = options.request ?? this.request(options.input, options.settings);
    const stream = provider.invoke(request, { signal, journal });
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

  /** The body of a call, counted from 1. */
  sent(call = 1): JsonObject {
    const { body } = this.stub.request(call);
    if (!isJsonObject(body)) throw new Error('the request has no JSON object');
    return body;
  }
}

/** Agents that answer at once, and every call of them. */
class KeptAgents extends AgentInvoker {
  readonly calls: AgentInvocation[] = [];
  private readonly agents = new Map<string, InvocableAgent & { readonly answer: AnswerOfAgent }>();

  set(key: string, answer: AnswerOfAgent, agent: Partial<InvocableAgent> = {}): void {
    this.agents.set(key, { kind: 'echo', description: `The agent ${key}`, ...agent, answer });
  }

  override find(_namespace: string, agentKey: string): Promise<InvocableAgent | undefined> {
    return Promise.resolve(this.agents.get(agentKey));
  }

  override async invoke(call: AgentInvocation): Promise<SettledOutcome> {
    this.calls.push(call);
    const agent = this.agents.get(call.agentKey);
    if (agent === undefined) throw new Error(`nobody listed ${call.agentKey}`);
    return await agent.answer(call);
  }
}

type AnswerOfAgent = (call: AgentInvocation) => SettledOutcome | Promise<SettledOutcome>;

/** Secrets that a test keeps. */
export class KeptSecrets extends SecretSource {
  constructor(private readonly secrets: ReadonlyMap<string, string>) {
    super();
  }

  override get(_namespace: string, name: string): Promise<string> {
    const value = this.secrets.get(name);
    if (value !== undefined) return Promise.resolve(value);
    const message = `There is no secret "${name}".`;
    return Promise.reject(
      new AppError({ code: 'secret.not-found', kind: 'not-found', message, retryable: false }),
    );
  }
}

class KeptPrompts extends PromptSource {
  constructor(private readonly prompts: ReadonlyMap<string, (variables: JsonObject) => string>) {
    super();
  }

  override render(
    _namespace: string,
    { name = '' }: { name?: string },
    variables: JsonObject,
  ): Promise<string> {
    const prompt = this.prompts.get(name);
    if (prompt !== undefined) return Promise.resolve(prompt(variables));
    const message = `There is no template ${name}.`;
    return Promise.reject(
      new AppError({ code: 'template.not-found', kind: 'not-found', message, retryable: false }),
    );
  }
}

/** The key that came with a call, in whatever header its protocol puts it. */
export function keyIn({ headers }: StubRequest): string | undefined {
  const key = headers['x-api-key'] ?? headers.authorization?.replace('Bearer ', '');
  return Array.isArray(key) ? key[0] : key;
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
