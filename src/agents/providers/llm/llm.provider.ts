import { Injectable } from '@nestjs/common';
import { z } from 'zod';

import { failureOf, type Failure, type Issue } from '../../../kernel/failure.js';
import { isJsonObject, type JsonObject } from '../../../kernel/json.js';
import { ok, type Result } from '../../../kernel/result.js';
import { Clock } from '../../../platform/clock/clock.js';
import { ProviderConfig } from '../../../platform/config/app.config.js';
import { agentErrors } from '../../agent.errors.js';
import {
  AgentProvider,
  type AgentHealth,
  type AgentOutcome,
  type AgentPart,
  type AgentRequest,
  type InvocationContext,
  type Journal,
} from '../../agent.provider.js';
import type { AgentUsage } from '../../domain/usage.js';
import { Provider } from '../../provider.decorator.js';
import { brokenAnswer, failureOfCall } from './call-failure.js';
import { streamCall, type CallResult, type LlmCall } from './call.js';
import { parseInput } from './input.schema.js';
import { findTarget, type ModelTarget } from './model.js';
import { costOf, type Cost } from './prices.js';
import { checkSettings, llmSettingsSchema, parseSettings, type LlmSettings } from './settings.schema.js';
import { answerOf, outputOf, recordedAnswer, turnBody, type LlmAnswer } from './turn.js';

/**
 * Asks a language model and streams its answer.
 *
 * The answer is recorded as a turn before it is handed on, with its usage and cost; an attempt that finds it there
 * takes it and calls nobody. Usage and cost are therefore on the turn, and on the outcome only for a call that
 * broke off before there was a turn to record. A cut-off (`length`) or declined (`content-filter`) answer is a
 * completed one that says so in `finishReason`.
 */
@Injectable()
@Provider({
  kind: 'llm',
  description: 'Asks a large language model and streams its answer',
  agents: [
    {
      key: 'claude',
      description: 'Claude by Anthropic; the model is CLAUDE_MODEL',
      settings: { provider: 'anthropic' },
    },
  ],
})
export class LlmProvider extends AgentProvider {
  constructor(
    private readonly config: ProviderConfig,
    private readonly clock: Clock,
  ) {
    super();
  }

  override check(settings: JsonObject): readonly Issue[] {
    return checkSettings(settings);
  }

  override settingsSchema(): JsonObject {
    return z.toJSONSchema(llmSettingsSchema, { io: 'input' }) as JsonObject;
  }

  override async *invoke(
    request: AgentRequest,
    context: InvocationContext,
  ): AsyncGenerator<AgentPart, AgentOutcome, void> {
    const recorded = recordedAnswer(context.journal.turns);
    if (recorded !== undefined) return completed(recorded);
    const call = this.callOf(request);
    if (!call.ok) return { status: 'failed', failure: call.failure };
    const result = yield* streamCall(call.value, context.signal);
    if (result.end.kind !== 'finished') return this.failed(call.value, result);
    return this.settle(answerOf(call.value, result, result.end.reason), result.usage ?? {}, context.journal);
  }

  override health(settings: JsonObject): Promise<AgentHealth> {
    const configured = this.configuredOf(settings);
    if (configured.ok) return Promise.resolve({ status: 'available' });
    return Promise.resolve({ status: 'offline', reason: configured.failure.message });
  }

  private callOf(request: AgentRequest): Result<LlmCall> {
    const configured = this.configuredOf(request.settings);
    if (!configured.ok) return configured;
    const input = parseInput(request.input);
    if (!input.ok) return input;
    const { settings, target } = configured.value;
    return ok({
      target,
      messages: input.value.messages,
      system: input.value.system ?? settings.system,
      temperature: input.value.temperature ?? settings.temperature,
      maxOutputTokens: input.value.maxOutputTokens ?? settings.maxOutputTokens,
      objectSchema: isJsonObject(settings.objectSchema) ? settings.objectSchema : undefined,
      idempotencyKey: request.idempotencyKey,
    });
  }

  private configuredOf(json: JsonObject): Result<{ settings: LlmSettings; target: ModelTarget }> {
    const settings = parseSettings(json);
    if (!settings.ok) return settings;
    const target = findTarget(settings.value, this.config);
    return target.ok ? ok({ settings: settings.value, target: target.value }) : target;
  }

  private async settle(answer: LlmAnswer, usage: AgentUsage, journal: Journal): Promise<AgentOutcome> {
    const { costMicros, estimated } = this.costOf(usage, answer.model, answer.requestedModel);
    const body = turnBody(estimated ? { ...answer, costEstimated: true } : answer);
    await journal.record({ body, usage, costMicros });
    if (answer.rejected === undefined) return completed(answer);
    return { status: 'failed', failure: failureOf(agentErrors['agent.output-invalid'], answer.rejected) };
  }

  private failed(call: LlmCall, result: CallResult): AgentOutcome {
    const failure = this.failureOf(call, result.end);
    if (result.usage === undefined) return { status: 'failed', failure };
    const { costMicros } = this.costOf(result.usage, result.model, call.target.modelId);
    return { status: 'failed', failure, usage: result.usage, costMicros };
  }

  private failureOf(call: LlmCall, end: CallResult['end']): Failure {
    if (end.kind === 'aborted') return brokenAnswer('the call was aborted');
    if (end.kind !== 'failed') return brokenAnswer('the connection ended too early');
    return failureOfCall(end.error, { now: this.clock.now(), secret: call.target.apiKey });
  }

  private costOf(usage: AgentUsage, ...models: readonly string[]): Cost {
    return costOf(usage, { models, at: this.clock.now() });
  }
}

function completed(answer: LlmAnswer): AgentOutcome {
  return { status: 'completed', output: outputOf(answer) };
}
