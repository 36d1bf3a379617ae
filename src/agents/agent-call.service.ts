import { Injectable } from '@nestjs/common';

import { AppError, failureOf, type Failure } from '../kernel/failure.js';
import type { Json } from '../kernel/json.js';
import type { VersionSelector } from '../kernel/versions.js';
import { AgentCaller } from './agent-caller.js';
import { agentErrors } from './agent.errors.js';
import type { AgentPart, SettledOutcome, Turn } from './agent.provider.js';
import { AgentService } from './agent.service.js';
import { addUsage, type AgentUsage } from './domain/usage.js';
import { checkTurn } from './outcome-check.js';

/** One call of an agent outside a run. */
export interface AgentCall {
  readonly namespace: string;
  /** Id or key. */
  readonly reference: string;
  /** @default production where that label exists, else latest */
  readonly selector?: VersionSelector;
  readonly input: Json;
  readonly idempotencyKey: string;
  readonly signal: AbortSignal;
  /** How many agents call this one, one inside the other. @default 0 */
  readonly depth?: number;
  readonly onPart?: (part: AgentPart) => void;
}

/** Calling agents outside of runs: nothing is recorded and nothing is retried. */
@Injectable()
export class AgentCallService {
  constructor(
    private readonly agents: AgentService,
    private readonly caller: AgentCaller,
  ) {}

  /** Calls an agent once. Answers the outcome. @throws AppError `agent.not-found` and its kind */
  async execute(call: AgentCall): Promise<SettledOutcome> {
    const { namespace, input, idempotencyKey, signal, depth } = call;
    const agent = await this.agents.get(namespace, call.reference, call.selector);
    const journal = new PassingJournal();
    const nested = depth === undefined ? {} : { depth };
    const ended = await this.caller.call({
      agent: { reference: agent.id, version: agent.version },
      request: { agentKey: agent.key, input, namespace, idempotencyKey, attempt: 1, failures: 0, ...nested },
      context: { signal, journal },
      onPart: (part) => call.onPart?.(part),
      isOver: () => signal.aborted,
    });
    const outcome = ended.status === 'waiting' ? needsRun(agent.key) : ended;
    return { ...outcome, ...spentBy(outcome, journal) };
  }

  /** As `execute`, but answers `agent.timed-out` after `timeoutMs` milliseconds whatever the provider does. */
  async executeWithin(call: AgentCall, timeoutMs: number): Promise<SettledOutcome> {
    const timeout = new AbortController();
    const signal = AbortSignal.any([call.signal, timeout.signal]);
    let timer: NodeJS.Timeout | undefined;
    const timedOut = new Promise<SettledOutcome>((resolve) => {
      timer = setTimeout(() => {
        const failure = timedOutAfter(timeoutMs);
        timeout.abort(new AppError(failure));
        resolve({ status: 'failed', failure });
      }, timeoutMs);
    });
    try {
      return await Promise.race([this.execute({ ...call, signal }), timedOut]);
    } finally {
      clearTimeout(timer);
    }
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
    { details: { timeoutMs } },
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
