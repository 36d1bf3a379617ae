/**
 * One call of an `llm` agent, from the input to its outcome: the model is asked, the tools that it names are called,
 * an answer that is not what was asked for goes back, until there is an answer or a bound is reached.
 *
 * Every answer and every tool outcome is recorded before the next thing happens, with what it cost. So an attempt that
 * follows a killed one goes on where that one was.
 */
import { failureOf, type Failure, type Issue } from '../../../kernel/failure.js';
import { isJsonObject, type Json, type JsonObject } from '../../../kernel/json.js';
import { fail, ok, type Result } from '../../../kernel/result.js';
import type { Clock } from '../../../platform/clock/clock.js';
import { agentErrors } from '../../agent.errors.js';
import type { AgentOutcome, AgentPart, AgentRequest } from '../../agent.provider.js';
import { addUsage, type AgentUsage } from '../../domain/usage.js';
import type { ToolApprovalGate } from '../../tool-approval.gate.js';
import { answerIssues, repairPrompt, type AnswerRules } from './answer.check.js';
import { brokenAnswer, failureOfCall } from './call-failure.js';
import { streamCall, type CallResult, type LlmCall, type LlmFinishReason } from './call.js';
import { conversationOf, type Conversation, type PendingCall } from './conversation.js';
import type { ChatMessage } from './message.js';
import type { ModelTarget } from './model.js';
import type { PriceList } from './price-list.js';
import type { Cost } from './prices.js';
import { errorResult, type Tool, type ToolBox, type ToolResult } from './tool-box.js';
import type { Transcript } from './transcript.js';
import { answerOf, outputOf, turnBody, type LlmAnswer } from './turn.js';
import { usageOfCall } from './usage-estimate.js';

/** The most of a tool's output that a model is given, in characters of its JSON. */
const MAX_TOOL_OUTPUT = 200_000;

/** Tools that one answer may call; they run side by side. */
const MAX_CALLS = 32;

/** What is to be done, as input and settings say it. */
export interface LlmOrder {
  readonly request: AgentRequest;
  /** The model, then those to fall back on. */
  readonly targets: readonly [ModelTarget, ...ModelTarget[]];
  readonly messages: readonly ChatMessage[];
  readonly options: Pick<LlmCall, 'system' | 'temperature' | 'maxOutputTokens'>;
  readonly rules: AnswerRules;
  readonly maxTurns: number;
  readonly maxRepairs: number;
}

/** What the work needs beside the order. */
export interface LlmWorkplace {
  readonly transcript: Transcript;
  readonly tools: ToolBox;
  readonly approvals: ToolApprovalGate;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly prices: PriceList;
}

interface Finished {
  readonly call: LlmCall;
  readonly result: CallResult;
  readonly reason: LlmFinishReason;
}

export class LlmSession {
  /** What calls that brought no answer have cost. */
  private spent: { readonly usage: AgentUsage; readonly costMicros: number } | undefined;

  constructor(
    private readonly order: LlmOrder,
    private readonly place: LlmWorkplace,
  ) {}

  /** Works until there is an outcome. Rejects when the claim is lost. */
  async *run(): AsyncGenerator<AgentPart, AgentOutcome, void> {
    for (;;) {
      const conversation = conversationOf(this.place.transcript.turns, this.hasTools);
      const { answer, pending } = conversation;
      if (answer !== undefined) return { status: 'completed', output: outputOf(answer), ...this.spent };
      const failure = pending.length > 0 ? yield* this.callTools(pending) : yield* this.ask(conversation);
      if (failure !== undefined) return { status: 'failed', failure, ...this.spent };
    }
  }

  private get hasTools(): boolean {
    return this.place.tools.tools.length > 0;
  }

  private isAborted(): boolean {
    return this.place.signal.aborted;
  }

  /** Asks the model once, and records what it says. */
  private async *ask(conversation: Conversation): AsyncGenerator<AgentPart, Failure | undefined, void> {
    if (conversation.repairs > 0) yield { type: 'progress', message: 'the answer is asked for again' };
    const finished = yield* this.firstAnswer([...this.order.messages, ...conversation.messages]);
    if (!finished.ok) return finished.failure;
    const { call, result, reason } = finished.value;
    const [answer, failure] = this.judge(answerOf(call, result, reason), conversation);
    const { usage, isEstimate } = usageOfCall(call, result);
    const { costMicros, estimated } = this.costOf(usage, answer.model, answer.requestedModel);
    const isEstimated = isEstimate || estimated;
    const body = turnBody(isEstimated ? { ...answer, costEstimated: true } : answer);
    await this.place.transcript.record({ body, usage, costMicros });
    return failure;
  }

  /** The answer of the first model that is able to give one. */
  private async *firstAnswer(
    messages: readonly ChatMessage[],
  ): AsyncGenerator<AgentPart, Result<Finished>, void> {
    let failure: Failure | undefined;
    const asked: string[] = [];
    for (const target of this.order.targets) {
      const call = this.callOf(target, messages);
      asked.push(target.modelId);
      const result = yield* streamCall(call, this.place.signal);
      if (result.end.kind === 'finished') return ok({ call, result, reason: result.end.reason });
      this.addSpent(result, target);
      failure = withModels(this.failureOf(target, result.end), asked);
      // What has streamed out can not be taken back, so another model does not begin again.
      if (!failure.retryable || result.text !== '' || this.isAborted()) break;
    }
    return fail(failure ?? brokenAnswer('there is no model to ask'));
  }

  private callOf(target: ModelTarget, messages: readonly ChatMessage[]): LlmCall {
    const { order, place } = this;
    const turn = place.transcript.turns.length + 1;
    const marks = [
      ...(turn === 1 ? [] : [`#${String(turn)}`]),
      ...(target === order.targets[0] ? [] : [`@${target.modelId}`]),
    ];
    return {
      ...order.options,
      target,
      messages,
      tools: place.tools.tools,
      objectSchema: order.rules.objectSchema,
      // Each turn asks something else, and so does each model.
      idempotencyKey: [order.request.idempotencyKey, ...marks].join(''),
    };
  }

  /** An answer as it is recorded, and the failure that it means for the agent. */
  private judge(
    answer: LlmAnswer,
    { turns, repairs }: Conversation,
  ): readonly [LlmAnswer, Failure | undefined] {
    const { maxTurns, maxRepairs } = this.order;
    if (this.hasTools && answer.toolCalls !== undefined) {
      if (turns + 1 < maxTurns) return [answer, undefined];
      return [{ ...answer, closed: true }, turnsExhausted(maxTurns)];
    }
    const issues = answerIssues(answer, this.order.rules);
    if (issues.length === 0) return [answer, undefined];
    const rejected = { ...answer, rejected: repairPrompt(issues), issues };
    if (repairs < maxRepairs && answer.finishReason !== 'content-filter') return [rejected, undefined];
    return [{ ...rejected, closed: true }, outputInvalid(issues, repairs)];
  }

  /** Calls every tool of an answer side by side. What needs approval is asked for first, so that none runs in vain. */
  private async *callTools(
    pending: readonly PendingCall[],
  ): AsyncGenerator<AgentPart, Failure | undefined, void> {
    const declined = new Map<string, string>();
    for (const call of pending) {
      const decision = await this.decide(call);
      if (decision.kind === 'failed') return decision.failure;
      if (decision.kind === 'declined') declined.set(call.id, decision.reason);
    }
    yield { type: 'progress', message: `calling ${pending.map(({ name }) => name).join(', ')}` };
    if (this.isAborted()) return brokenAnswer('the call was aborted');
    await Promise.all(pending.map((call) => this.callTool(call, declined.get(call.id))));
    return this.isAborted() ? brokenAnswer('the call was aborted') : undefined;
  }

  private decide({ name, input, key }: PendingCall): ReturnType<ToolApprovalGate['decide']> {
    const { namespace, agentKey, runId, stepId, idempotencyKey } = this.order.request;
    if (this.place.tools.find(name)?.requiresApproval !== true) return Promise.resolve({ kind: 'approved' });
    const request = {
      namespace,
      agentKey,
      ...(runId !== undefined && { runId }),
      ...(stepId !== undefined && { stepId }),
      tool: name,
      input,
      idempotencyKey: `${idempotencyKey}#tool-${key}`,
    };
    return this.place.approvals.decide(request, this.place.signal);
  }

  private async callTool(call: PendingCall, declined: string | undefined): Promise<void> {
    const { tools, transcript } = this.place;
    const tool = tools.find(call.name);
    const result = bounded(
      declined === undefined
        ? await this.resultOf(tool, call)
        : errorResult(`the call was declined: ${declined}`),
    );
    if (this.isAborted()) return; // an outcome that the abort made is none
    const { output, isError, usage, costMicros } = result;
    await transcript.record({
      body: null,
      tool: { name: call.name, callId: call.id, input: call.input, output, ...(isError && { isError }) },
      ...(usage !== undefined && { usage }),
      ...(costMicros !== undefined && { costMicros }),
    });
  }

  private async resultOf(tool: Tool | undefined, call: PendingCall): Promise<ToolResult> {
    const { name, input, key, position } = call;
    if (position > MAX_CALLS)
      return errorResult(
        `an answer may call ${String(MAX_CALLS)} tools, and this is call ${String(position)}`,
      );
    if (tool === undefined) return errorResult(this.unknownTool(name));
    const object = readInput(input);
    if (object === undefined) return errorResult('the input is not a JSON object');
    const issues = tool.isChecked ? this.order.rules.validate(tool.inputSchema, object) : [];
    if (issues.length > 0) return errorResult(`the input can not be used: ${listOf(issues)}`);
    return tool.call(object, key);
  }

  private unknownTool(name: string): string {
    const known = this.place.tools.tools.map((tool) => tool.name).join(', ');
    return `there is no tool "${name.slice(0, 100)}"; there are: ${known}`;
  }

  private failureOf(target: ModelTarget, end: CallResult['end']): Failure {
    if (end.kind === 'aborted') return brokenAnswer('the call was aborted');
    if (end.kind !== 'failed') return brokenAnswer('the connection ended too early');
    const { apiKey: secret, addressFrom } = target;
    return failureOfCall(end.error, { now: this.place.clock.now(), secret, addressFrom });
  }

  private addSpent({ usage, model }: CallResult, { modelId }: ModelTarget): void {
    if (usage === undefined) return;
    const { costMicros } = this.costOf(usage, model, modelId);
    this.spent = {
      usage: addUsage(usage, this.spent?.usage),
      costMicros: costMicros + (this.spent?.costMicros ?? 0),
    };
  }

  private costOf(usage: AgentUsage, ...models: readonly string[]): Cost {
    return this.place.prices.costOf(usage, models);
  }
}

function turnsExhausted(maxTurns: number): Failure {
  const message = `the model asked for tools in each of its ${String(maxTurns)} answers and came to no end`;
  return failureOf(agentErrors['agent.turns-exhausted'], message, { details: { maxTurns } });
}

function outputInvalid(issues: readonly Issue[], repairs: number): Failure {
  const tries =
    repairs === 0 ? '' : `, also after ${String(repairs)} ${repairs === 1 ? 'repair' : 'repairs'}`;
  const message = `the answer of the model is not what was asked for${tries}: ${listOf(issues)}`;
  return failureOf(agentErrors['agent.output-invalid'], message, { issues });
}

function listOf(issues: readonly Issue[]): string {
  const listed = issues.map(({ pointer, message }) => `${pointer} ${message}`.trim()).join('; ');
  return listed.slice(0, 500);
}

/** A failure says which models were asked, where there was a choice. */
function withModels(failure: Failure, models: readonly string[]): Failure {
  if (models.length < 2) return failure;
  return { ...failure, details: { ...failure.details, models: [...models] } };
}

/** Arguments that the library could not read (a key named `__proto__`) come as text. */
function readInput(input: Json): JsonObject | undefined {
  if (typeof input !== 'string') return isJsonObject(input) ? input : undefined;
  if (input.trim() === '') return {};
  try {
    const value = JSON.parse(input) as Json;
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function bounded(result: ToolResult): ToolResult {
  const { length } = JSON.stringify(result.output);
  if (length <= MAX_TOOL_OUTPUT) return result;
  const message = `the tool answered ${String(length)} characters, more than the ${String(MAX_TOOL_OUTPUT)} that can be taken`;
  return { ...result, ...errorResult(message) };
}
