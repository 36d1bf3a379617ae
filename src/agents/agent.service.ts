import { Injectable, type OnModuleInit } from '@nestjs/common';

import { AppError, failureOf, type Failure } from '../kernel/failure.js';
import type { Json, JsonObject } from '../kernel/json.js';
import { agentErrors } from './agent.errors.js';
import type { AgentHealth, AgentPart, AgentProvider, SettledOutcome, Turn } from './agent.provider.js';
import { addUsage, type AgentUsage } from './domain/usage.js';
import { checkTurn, failedBy, outcomeOf } from './outcome-check.js';
import { ProviderRegistry } from './provider.registry.js';

/** A registered, addressable worker: provider, settings, version. */
export interface Agent {
  readonly key: string;
  readonly kind: string;
  readonly description: string;
  readonly settings: JsonObject;
  /** Built-in agents have one version per release of the service. */
  readonly version: number;
  readonly isBuiltIn: boolean;
}

/** What it takes to call an agent. */
export interface CallableAgent {
  readonly provider: AgentProvider;
  readonly settings: JsonObject;
}

/** One call of an agent outside a run. */
export interface AgentCall {
  readonly namespace: string;
  readonly key: string;
  readonly input: Json;
  readonly idempotencyKey: string;
  readonly signal: AbortSignal;
  readonly onPart?: (part: AgentPart) => void;
}

/** The agents of every namespace: those that come with a provider. */
@Injectable()
export class AgentService implements OnModuleInit {
  private readonly agents = new Map<string, Agent & CallableAgent>();

  constructor(private readonly providers: ProviderRegistry) {}

  onModuleInit(): void {
    this.providers.onModuleInit();
    for (const { kind, provider, agents } of this.providers.list()) {
      for (const agent of agents) {
        if (this.agents.has(agent.key))
          throw new TypeError(`two built-in agents have the key "${agent.key}"`);
        this.agents.set(agent.key, { ...agent, kind, provider, version: 1, isBuiltIn: true });
      }
    }
  }

  /** Agents by key. */
  list(): readonly Agent[] {
    return [...this.agents.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** The agent of a key, or undefined. */
  find(key: string): Agent | undefined {
    return this.agents.get(key);
  }

  /** The agent of a key. @throws AppError `agent.not-found` */
  get(key: string): Agent {
    return this.require(key);
  }

  /** Provider and settings of an agent. @throws AppError `agent.not-found` */
  callable(_namespace: string, key: string): CallableAgent {
    return this.require(key);
  }

  /** Asks the provider whether the agent can work now. @throws AppError `agent.not-found` */
  async health(key: string): Promise<AgentHealth> {
    const { provider, settings } = this.require(key);
    return provider.health(settings);
  }

  /** Calls an agent once, outside a run. Answers the outcome; throws only when there is no such agent. */
  async execute(call: AgentCall): Promise<SettledOutcome> {
    const { provider, settings } = this.require(call.key);
    const { key: agentKey, input, namespace, idempotencyKey, signal } = call;
    const request = { agentKey, settings, input, namespace, idempotencyKey, attempt: 1, failures: 0 };
    const journal = new PassingJournal();
    try {
      const parts = provider.invoke(request, { signal, journal });
      const ended = await outcomeOf(
        parts,
        (part) => call.onPart?.(part),
        () => signal.aborted,
      );
      const outcome = ended.status === 'waiting' ? needsRun(call.key) : ended;
      return { ...outcome, ...spentBy(outcome, journal) };
    } catch (error) {
      return failedBy(error);
    }
  }

  /** As `execute`, but answers `agent.timed-out` after `timeoutMs` milliseconds whatever the provider does. */
  async executeWithin(call: AgentCall, timeoutMs: number): Promise<SettledOutcome> {
    const timeout = new AbortController();
    const signal = AbortSignal.any([call.signal, timeout.signal]);
    let timer: NodeJS.Timeout | undefined;
    const timedOut = new Promise<SettledOutcome>((resolve) => {
      timer = setTimeout(() => {
        timeout.abort();
        resolve({ status: 'failed', failure: timedOutAfter(timeoutMs) });
      }, timeoutMs);
    });
    try {
      return await Promise.race([this.execute({ ...call, signal }), timedOut]);
    } finally {
      clearTimeout(timer);
    }
  }

  private require(key: string): Agent & CallableAgent {
    const agent = this.agents.get(key);
    if (agent !== undefined) return agent;
    throw AppError.of(agentErrors['agent.not-found'], `there is no agent "${key}"`);
  }
}

function needsRun(key: string): SettledOutcome {
  const message = `agent "${key}" answers later: call it from a step of a run`;
  return { status: 'failed', failure: failureOf(agentErrors['agent.needs-run'], message) };
}

function timedOutAfter(timeoutMs: number): Failure {
  return failureOf(
    agentErrors['agent.timed-out'],
    `the agent did not answer within ${String(timeoutMs)} ms`,
    {
      details: { timeoutMs },
    },
  );
}

/** What a call spent in all: its recorded turns, and what its outcome adds. */
function spentBy(
  outcome: SettledOutcome,
  { turns }: PassingJournal,
): Pick<SettledOutcome, 'usage' | 'costMicros'> {
  const spent = [...turns, outcome];
  const usage = spent.reduce<AgentUsage>((sum, one) => addUsage(sum, one.usage), {});
  const costMicros = spent.reduce((sum, one) => sum + (one.costMicros ?? 0), 0);
  return { usage, costMicros };
}

/** The journal of a call that no run records. */
class PassingJournal {
  readonly turns: Turn[] = [];

  record(turn: Omit<Turn, 'turn'>): Promise<void> {
    const checked = checkTurn(turn);
    if (!checked.ok) return Promise.reject(new AppError(checked.failure));
    this.turns.push({ ...checked.value, turn: this.turns.length + 1 });
    return Promise.resolve();
  }
}
