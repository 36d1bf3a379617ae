import { Injectable } from '@nestjs/common';

import { AppError, failureOf, type Issue } from '../kernel/failure.js';
import type { Json } from '../kernel/json.js';
import { JsonSchemaService } from '../platform/json-schema/json-schema.service.js';
import { agentErrors } from './agent.errors.js';
import type {
  AgentOutcome,
  AgentPart,
  AgentRequest,
  InvocationContext,
  Journal,
  Turn,
} from './agent.provider.js';
import { AgentService, type CallableAgent } from './agent.service.js';
import { CallGate } from './call.gate.js';
import type { AgentPin } from './domain/agent.js';
import type { AgentUsage } from './domain/usage.js';
import { secretsIn, withoutSecrets } from './domain/secret-settings.js';
import { failedBy, outcomeOf, promised } from './outcome-check.js';
import { untilAnswered } from './until-answered.js';

/** One call of an agent. */
export interface AgentOrder {
  readonly agent: AgentPin;
  readonly request: Omit<AgentRequest, 'settings'>;
  readonly context: InvocationContext;
  /** Called for each part that streams out. */
  onPart(part: AgentPart): void;
  /** Once it is true nobody waits for the outcome any more. */
  isOver(): boolean;
}

/** Characters of a token, more or less, in the text of an input. */
const CHARS_PER_TOKEN = 4;
/** How long a provider may go on after an abort; as long as the lease of a slot. */
const ABANDON_MS = 10_000;

/**
 * Calls agents: the one way in, for runs and outside of them.
 *
 * The input is checked against the agent's schema, then the gate is passed, then the provider is called, then what it
 * answers is checked. A secret that stands in the settings is taken out of outcomes and parts.
 */
@Injectable()
export class AgentCaller {
  constructor(
    private readonly agents: AgentService,
    private readonly schemas: JsonSchemaService,
    private readonly gate: CallGate,
  ) {}

  /** Answers an outcome, whatever a provider throws. @throws AppError `agent.not-found` and its kind, before anything is called */
  async call(order: AgentOrder): Promise<AgentOutcome> {
    const callable = await this.find(order);
    const secrets = secretsIn(callable.agent.settings);
    const outcome = await this.pass(order, callable, secrets);
    return withoutSecrets(outcome, secrets);
  }

  private find({ agent, request, context }: AgentOrder): Promise<CallableAgent> {
    const { namespace, runId } = request;
    return untilAnswered(() => this.agents.callable(namespace, agent), { runId, signal: context.signal });
  }

  private async pass(
    order: AgentOrder,
    callable: CallableAgent,
    secrets: readonly string[],
  ): Promise<AgentOutcome> {
    const { agent } = callable;
    const issues = this.problemsOf(agent.inputSchema, order.request.input);
    if (issues.length > 0) return refused(issues);
    const { namespace, input, runId, path } = order.request;
    const caller = runId === undefined || path === undefined ? {} : { caller: { runId, path } };
    const estimatedTokens = Math.ceil(JSON.stringify(input).length / CHARS_PER_TOKEN);
    const { signal } = order.context;
    const isBreakable = callable.provider.failsAsWhole;
    const passed = await this.gate.pass({
      namespace,
      agent,
      estimatedTokens,
      isBreakable,
      signal,
      ...caller,
    });
    if (!passed.ok) return { status: 'failed', failure: passed.failure };
    const journal = new CallJournal(order.context.journal, secrets);
    const { signal: lost } = passed.value;
    const either = lost === undefined ? signal : AbortSignal.any([signal, lost]);
    const outcome = await orAbandoned(
      this.invoke({ ...order, context: { signal: either, journal } }, callable, secrets),
      either,
    );
    await passed.value.settle({ outcome: judged(outcome, signal), ...journal.with(outcome) });
    return outcome;
  }

  private async invoke(
    { request, context, ...order }: AgentOrder,
    { agent, provider }: CallableAgent,
    secrets: readonly string[],
  ): Promise<AgentOutcome> {
    try {
      context.signal.throwIfAborted();
      const outputSchema = bothOf(agent.outputSchema, request.outputSchema);
      const parts = provider.invoke(
        { ...request, settings: agent.settings, ...(outputSchema !== undefined && { outputSchema }) },
        context,
      );
      const outcome = await outcomeOf(
        parts,
        (part) => {
          order.onPart(withoutSecrets(part, secrets));
        },
        () => order.isOver(),
      );
      return promised(outcome, (output) => this.problemsOf(agent.outputSchema, output));
    } catch (error) {
      return failedBy(error);
    }
  }

  private problemsOf(schema: Json | undefined, value: Json): readonly Issue[] {
    return schema === undefined ? [] : this.schemas.validate(schema, value);
  }
}

/** A schema that holds where both do. */
function bothOf(ofAgent: Json | undefined, ofStep: Json | undefined): Json | undefined {
  return ofAgent === undefined || ofStep === undefined ? (ofAgent ?? ofStep) : { allOf: [ofAgent, ofStep] };
}

function refused(found: readonly Issue[]): AgentOutcome {
  const issues = found.map((issue) => ({ ...issue, pointer: `/input${issue.pointer}` }));
  const message = 'the input does not satisfy the inputSchema of the agent';
  return { status: 'failed', failure: failureOf(agentErrors['agent.input-invalid'], message, { issues }) };
}

/** What counts for the agent's record: a call that was ended because its time was up has failed by that. */
function judged(outcome: AgentOutcome, { reason }: AbortSignal): AgentOutcome {
  const isLate = outcome.status === 'failed' && AppError.is(reason);
  return isLate ? { status: 'failed', failure: reason.failure } : outcome;
}

/** The outcome, or a failed one some time after an abort that the provider does not heed. */
async function orAbandoned(outcome: Promise<AgentOutcome>, signal: AbortSignal): Promise<AgentOutcome> {
  const givenUp = Promise.withResolvers<AgentOutcome>();
  let timer: NodeJS.Timeout | undefined;
  const abort = (): void => {
    timer = setTimeout(() => {
      const message = `the provider went on for ${String(ABANDON_MS)} ms after it was told to stop`;
      givenUp.resolve({ status: 'failed', failure: failureOf(agentErrors['agent.abandoned'], message) });
    }, ABANDON_MS).unref();
  };
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await Promise.race([outcome, givenUp.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}

/** The journal of one call: counts the tokens of what is recorded, and takes secrets out of it. */
class CallJournal implements Journal {
  private tokens: number | undefined;

  constructor(
    private readonly journal: Journal,
    private readonly secrets: readonly string[],
  ) {}

  get turns(): Journal['turns'] {
    return this.journal.turns;
  }

  record(turn: Omit<Turn, 'turn'>): Promise<void> {
    this.add(turn.usage);
    return this.journal.record(withoutSecrets(turn, this.secrets));
  }

  /** All that was counted, with what an outcome adds; nothing when nobody said how much. */
  with(outcome: AgentOutcome): { readonly tokens?: number } {
    if (outcome.status !== 'waiting') this.add(outcome.usage);
    return this.tokens === undefined ? {} : { tokens: this.tokens };
  }

  private add(usage: AgentUsage | undefined): void {
    if (usage === undefined) return;
    const { inputTokens = 0, outputTokens = 0 } = usage;
    this.tokens = (this.tokens ?? 0) + inputTokens + outputTokens;
  }
}
