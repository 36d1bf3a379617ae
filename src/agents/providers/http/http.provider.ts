import { Injectable } from '@nestjs/common';
import { z } from 'zod';

import { AppError, failureOf, type Failure, type Issue } from '../../../kernel/failure.js';
import { fromEntries, type Json, type JsonObject } from '../../../kernel/json.js';
import { fail, ok, type Result } from '../../../kernel/result.js';
import { traceparentOf } from '../../../kernel/trace-context.js';
import { Clock } from '../../../platform/clock/clock.js';
import { Egress } from '../../../platform/egress/egress.js';
import { SecretSource } from '../../../platform/ports/secret.source.js';
import { agentErrors } from '../../agent.errors.js';
import {
  AgentProvider,
  type AgentOutcome,
  type AgentPart,
  type AgentRequest,
  type InvocationContext,
  type SettledOutcome,
} from '../../agent.provider.js';
import { CallSecrets } from '../../call-secrets.js';
import { Provider } from '../../provider.decorator.js';
import { outcomeOf, type HttpAnswer } from './answer.js';
import { authorize } from './auth.js';
import { compilePlan, type CallPlan } from './call-plan.js';
import { buildRequest, type HttpRequest } from './request.js';
import { httpSettingsSchema } from './settings.schema.js';

/**
 * Calls an address: the input as JSON, or what the settings make of it; the output is the body of the answer, or what
 * they make of that.
 *
 * Sends the stable key as `Idempotency-Key`, so that a service that honours it does the work once however often the
 * step is tried. Calls go through Egress; secrets are put in last, and taken out of outputs and failures.
 */
@Injectable()
@Provider({ kind: 'http', description: 'Calls an HTTP address with the input and answers what comes back' })
export class HttpProvider extends AgentProvider {
  private readonly plans = new WeakMap<JsonObject, Result<CallPlan, readonly Issue[]>>();

  constructor(
    private readonly egress: Egress,
    private readonly secrets: SecretSource,
    private readonly clock: Clock,
  ) {
    super();
  }

  settingsSchema(): JsonObject {
    return z.toJSONSchema(httpSettingsSchema, {
      io: 'input',
      unrepresentable: 'any',
    }) as unknown as JsonObject;
  }

  override check(settings: JsonObject): readonly Issue[] {
    const plan = compilePlan(settings);
    return plan.ok ? [] : plan.failure;
  }

  override async *invoke(
    request: AgentRequest,
    { signal }: InvocationContext,
  ): AsyncGenerator<AgentPart, AgentOutcome, void> {
    const secrets = new CallSecrets(this.secrets, { ...request, signal });
    const outcome = await this.call(request, secrets, signal);
    if (outcome.status === 'failed') return { ...outcome, failure: secrets.censorFailure(outcome.failure) };
    return { ...outcome, output: secrets.censorJson(outcome.output) };
  }

  private async call(
    request: AgentRequest,
    secrets: CallSecrets,
    signal: AbortSignal,
  ): Promise<SettledOutcome> {
    const plan = this.planOf(request.settings);
    if (!plan.ok) return failed(notConfigured(plan.failure));
    const values = await valuesOf(plan.value.secretNames, secrets);
    if (!values.ok) return failed(values.failure);
    const scope = { ...scopeOf(request), secrets: values.value };
    const built = buildRequest(plan.value, scope);
    if (!built.ok) return failed(built.failure);
    const { request: outgoing, secrets: headers } = built.value;
    addTrace(outgoing.headers, request);
    const now = this.clock.now();
    const problem = await authorize(outgoing, { auth: plan.value.settings.auth, headers, secrets, now });
    if (problem !== undefined) return failed(problem);
    const answer = await this.send(outgoing, plan.value, signal);
    if (!answer.ok) return failed(answer.failure);
    return outcomeOf(answer.value, plan.value, scopeOf(request), this.clock.now());
  }

  private async send(
    { url, ...request }: HttpRequest,
    { settings: { timeoutMs, maxResponseBytes } }: CallPlan,
    signal: AbortSignal,
  ): Promise<Result<HttpAnswer>> {
    let response: Response | undefined;
    try {
      response = await this.egress.fetch(url, { ...request, signal, timeoutMs, maxResponseBytes });
      const { status, headers } = response;
      return ok({ status, headers, bytes: new Uint8Array(await response.arrayBuffer()) });
    } catch (error) {
      if (AppError.is(error)) return fail(error.failure);
      if (signal.aborted) return fail(broken('the call was aborted'));
      return fail(
        response === undefined ? unreachable(url, error) : broken('the connection ended too early'),
      );
    }
  }

  private planOf(settings: JsonObject): Result<CallPlan, readonly Issue[]> {
    const known = this.plans.get(settings);
    if (known !== undefined) return known;
    const plan = compilePlan(settings);
    this.plans.set(settings, plan);
    return plan;
  }
}

async function valuesOf(names: readonly string[], secrets: CallSecrets): Promise<Result<JsonObject>> {
  const values: [string, Json][] = [];
  for (const name of names) {
    const value = await secrets.find(name);
    if (!value.ok) return value;
    values.push([name, value.value]);
  }
  return ok(fromEntries(values));
}

/** What texts with braces may read; what there is only within a run is null outside of one. */
function scopeOf({ input, agentKey, runId, stepId, attempt, idempotencyKey }: AgentRequest): JsonObject {
  const run = { id: runId ?? null, stepId: stepId ?? null, attempt, idempotencyKey };
  return { input, agent: { key: agentKey }, run };
}

/**
 * What tells the called service which work this is; a header of the settings stays. `traceparent` names the span of the
 * attempt, which is sent to the collector once its run has ended.
 */
function addTrace(headers: Headers, { idempotencyKey, attempt }: AgentRequest): void {
  const traceparent = traceparentOf(idempotencyKey, attempt);
  if (!headers.has('idempotency-key')) headers.set('idempotency-key', headerValue(idempotencyKey));
  if (traceparent !== undefined && !headers.has('traceparent')) headers.set('traceparent', traceparent);
}

/** A key is the same text in every attempt; one that a header can not carry is sent encoded. */
function headerValue(key: string): string {
  return /^[!-~]+$/.test(key) ? key : encodeURIComponent(key.toWellFormed());
}

function unreachable({ hostname }: URL, error: unknown): Failure {
  const code = (error as { cause?: { code?: unknown } } | null)?.cause?.code;
  const why = typeof code === 'string' ? ` (${code})` : '';
  return failureOf(agentErrors['agent.unreachable'], `${hostname} could not be reached${why}.`);
}

function broken(how: string): Failure {
  return failureOf(agentErrors['agent.answer-broken'], `There is no whole answer: ${how}.`);
}

function notConfigured(issues: readonly Issue[]): Failure {
  return failureOf(agentErrors['agent.not-configured'], 'The settings of the agent are invalid.', { issues });
}

function failed(failure: Failure): SettledOutcome {
  return { status: 'failed', failure };
}
