import { Injectable } from '@nestjs/common';
import { z } from 'zod';

import { AppError, type Failure, type Issue } from '../../../kernel/failure.js';
import { isJsonObject, type JsonObject } from '../../../kernel/json.js';
import { ok, type Result } from '../../../kernel/result.js';
import { Clock } from '../../../platform/clock/clock.js';
import { JsonSchemaService } from '../../../platform/json-schema/json-schema.service.js';
import {
  AgentProvider,
  type AgentHealth,
  type AgentOutcome,
  type AgentPart,
  type AgentRequest,
  type InvocationContext,
} from '../../agent.provider.js';
import type { SecretCall } from '../../call-secrets.js';
import { PromptSource } from '../../prompt.source.js';
import { Provider } from '../../provider.decorator.js';
import { untilAnswered } from '../../until-answered.js';
import { objectSchemaIn } from './answer.check.js';
import { conversationOf } from './conversation.js';
import { parseInput } from './input.schema.js';
import { ModelFinder } from './model-finder.js';
import { PriceList } from './price-list.js';
import { LlmSession, type LlmOrder } from './session.js';
import { llmSettingsSchema, parseSettings, type LlmSettings } from './settings.schema.js';
import { ToolBox } from './tool-box.js';
import { ToolSources } from './tool-sources.js';
import { Transcript } from './transcript.js';
import { outputOf } from './turn.js';

const DEFAULT_MAX_TURNS = 10;
const DEFAULT_MAX_REPAIRS = 2;

/**
 * Asks a language model and streams its answer; on the way the model may use the tools that the settings list.
 *
 * Each answer and each outcome of a tool is recorded before it is built on, with its usage and cost; an attempt that
 * finds them goes on after the last and pays for none again. Usage and cost are therefore on the turns, and on the
 * outcome only for calls that broke off before there was a turn to record. Without a schema, a cut-off (`length`) or
 * declined (`content-filter`) answer is a completed one that says so in `finishReason`.
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
    private readonly clock: Clock,
    private readonly schemas: JsonSchemaService,
    private readonly models: ModelFinder,
    private readonly prices: PriceList,
    private readonly prompts: PromptSource,
    private readonly sources: ToolSources,
  ) {
    super();
  }

  override check(settings: JsonObject): readonly Issue[] {
    const parsed = parseSettings(settings);
    return parsed.ok ? this.schemaIssues(parsed.value) : (parsed.failure.issues ?? []);
  }

  override settingsSchema(): JsonObject {
    return z.toJSONSchema(llmSettingsSchema, { io: 'input' }) as JsonObject;
  }

  override async *invoke(
    request: AgentRequest,
    context: InvocationContext,
  ): AsyncGenerator<AgentPart, AgentOutcome, void> {
    const settings = parseSettings(request.settings);
    if (!settings.ok) return failed(settings.failure);
    const { tools: listed = [] } = settings.value;
    const transcript = new Transcript(context.journal);
    const { answer } = conversationOf(transcript.turns, listed.length > 0);
    if (answer !== undefined) return { status: 'completed', output: outputOf(answer) };
    const { signal } = context;
    const order = await this.orderOf(request, settings.value, signal);
    if (!order.ok) return failed(order.failure);
    const opened = await ToolBox.open(listed, this.sources, { request, signal });
    if (!opened.ok) return failed(opened.failure);
    const tools = opened.value;
    try {
      const { clock, prices, sources } = this;
      const place = { transcript, tools, approvals: sources.approvals, signal, clock, prices };
      return yield* new LlmSession(order.value, place).run();
    } finally {
      await tools.close();
    }
  }

  override health(settings: JsonObject): Promise<AgentHealth> {
    const parsed = parseSettings(settings);
    const checked = parsed.ok ? this.models.check(parsed.value) : parsed;
    if (checked.ok) return Promise.resolve({ status: 'available' });
    return Promise.resolve({ status: 'offline', reason: checked.failure.message });
  }

  private async orderOf(
    request: AgentRequest,
    settings: LlmSettings,
    signal: AbortSignal,
  ): Promise<Result<LlmOrder>> {
    const call = { ...request, signal };
    try {
      const targets = await this.models.find(settings, call);
      if (!targets.ok) return targets;
      const input = parseInput(request.input, settings.provider);
      if (!input.ok) return input;
      const { messages, variables = {}, ...own } = input.value;
      const { outputSchema } = request;
      const objectSchema = isJsonObject(settings.objectSchema)
        ? settings.objectSchema
        : objectSchemaIn(outputSchema);
      return ok({
        request,
        targets: targets.value,
        messages,
        options: {
          system: own.system ?? (await this.systemOf(call, settings, variables)),
          temperature: own.temperature ?? settings.temperature,
          maxOutputTokens: own.maxOutputTokens ?? settings.maxOutputTokens,
        },
        rules: {
          objectSchema,
          outputSchema,
          validate: (schema, value) => this.schemas.validate(schema, value),
        },
        maxTurns: settings.maxTurns ?? DEFAULT_MAX_TURNS,
        maxRepairs: settings.maxRepairs ?? DEFAULT_MAX_REPAIRS,
      });
    } catch (error) {
      if (AppError.is(error)) return { ok: false, failure: error.failure };
      throw error;
    }
  }

  /** The system prompt of the settings; the variables of a call win over those of the settings. */
  private async systemOf(
    call: SecretCall,
    { system }: LlmSettings,
    variables: JsonObject,
  ): Promise<string | undefined> {
    if (system === undefined || typeof system === 'string') return system;
    const all = { ...(system.variables as JsonObject | undefined), ...variables };
    return untilAnswered(() => this.prompts.render(call.namespace, system.template, all), call);
  }

  /** Every schema in the settings that can not be used. */
  private schemaIssues({ objectSchema, tools = [] }: LlmSettings): readonly Issue[] {
    const ofTools = tools.map((tool, index) => ({
      pointer: `/tools/${String(index)}/inputSchema`,
      schema: tool.type === 'mcp' ? undefined : tool.inputSchema,
    }));
    return [{ pointer: '/objectSchema', schema: objectSchema }, ...ofTools].flatMap(({ pointer, schema }) =>
      this.schemas
        .problems((schema as JsonObject | undefined) ?? true)
        .map((message) => ({ pointer, code: 'schema.invalid', message })),
    );
  }
}

function failed(failure: Failure): AgentOutcome {
  return { status: 'failed', failure };
}
