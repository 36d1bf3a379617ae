import { setTimeout as delay } from 'node:timers/promises';

import { Injectable } from '@nestjs/common';
import { z } from 'zod';

import { failureOf, type Failure, type Issue } from '../../../kernel/failure.js';
import { isJsonObject, pointerOf, type Json, type JsonObject } from '../../../kernel/json.js';
import { fail, ok, type Result } from '../../../kernel/result.js';
import { agentErrors } from '../../agent.errors.js';
import {
  AgentProvider,
  type AgentOutcome,
  type AgentPart,
  type AgentRequest,
  type InvocationContext,
} from '../../agent.provider.js';
import { Provider } from '../../provider.decorator.js';
import { scriptSchema, type Script } from './script.schema.js';

/**
 * Does what its input says: `output` after `delayMs`, failing the first `failTimes` attempts with `error`.
 *
 * For trying a workflow out without any cost, and for tests. Attempts that were interrupted do not count as failed.
 */
@Injectable()
@Provider({
  kind: 'scripted',
  description: 'Does what its input says: answers, waits, fails. For trying workflows out without cost.',
  agents: [
    { key: 'scripted', description: 'Answers `output` after `delayMs`, fails as told.', settings: {} },
  ],
})
export class ScriptedProvider extends AgentProvider {
  /** A call fails because its own input says so. */
  override readonly failsAsWhole = false;

  override check(settings: JsonObject): readonly Issue[] {
    const parsed = parseScript(settings);
    return parsed.ok ? [] : parsed.failure;
  }

  override settingsSchema(): JsonObject {
    return z.toJSONSchema(scriptSchema, { io: 'input', unrepresentable: 'any' }) as JsonObject;
  }

  override async *invoke(
    request: AgentRequest,
    { signal }: InvocationContext,
  ): AsyncGenerator<AgentPart, AgentOutcome, void> {
    const parsed = parseScript(request.input);
    if (!parsed.ok) return { status: 'failed', failure: invalidInput(parsed.failure) };
    const script: Script = { ...(request.settings as Script), ...parsed.value };
    for (const text of script.deltas ?? []) yield { type: 'delta', text };
    if (script.delayMs !== undefined && script.delayMs > 0)
      await delay(script.delayMs, undefined, { signal });
    return outcomeOf(script, request.failures);
  }
}

function parseScript(input: Json): Result<Script, readonly Issue[]> {
  if (!isJsonObject(input)) {
    return fail([
      { pointer: '', code: 'field.invalid', message: 'expected an object such as {"output": 1}' },
    ]);
  }
  const parsed = scriptSchema.safeParse(input);
  if (parsed.success)
    return ok(Object.hasOwn(input, 'output') ? { ...parsed.data, output: input['output'] } : parsed.data);
  return fail(
    parsed.error.issues.map((issue) => ({
      pointer: pointerOf(issue.path as (string | number)[]),
      code: 'field.invalid',
      message: issue.message,
    })),
  );
}

function invalidInput(issues: readonly Issue[]): Failure {
  const listed = issues.map(({ pointer, message }) => `${pointer}: ${message}`).join('; ');
  return failureOf(agentErrors['agent.input-invalid'], `the script is not valid: ${listed}`, { issues });
}

function outcomeOf(script: Script, failures: number): AgentOutcome {
  const { costMicros, ...usage } = script.usage ?? {};
  const spent = {
    ...(script.usage === undefined ? {} : { usage: usage as Record<string, number> }),
    ...(costMicros === undefined ? {} : { costMicros }),
  };
  const isFailing = script.failTimes === undefined ? script.error !== undefined : failures < script.failTimes;
  if (isFailing) return { status: 'failed', failure: failureOfScript(script), ...spent };
  const artifacts = script.artifacts?.map(({ text, ...file }) => ({ ...file, content: Buffer.from(text) }));
  const made = artifacts === undefined ? {} : { artifacts };
  return { status: 'completed', output: script.output ?? null, ...made, ...spent };
}

function failureOfScript({ error }: Script): Failure {
  const {
    code = 'agent.scripted-failure',
    message = 'the script says so',
    retryable = true,
    retryAfterMs,
  } = error ?? {};
  return {
    code,
    kind: 'upstream',
    message,
    retryable,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}
