import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { z } from 'zod';

import { failureOf, type ErrorType, type FailureOptions, type Issue } from '../../../kernel/failure.js';
import type { Json, JsonObject } from '../../../kernel/json.js';
import { Egress } from '../../../platform/egress/egress.js';
import { agentErrors } from '../../agent.errors.js';
import {
  AgentProvider,
  type AgentOutcome,
  type AgentPart,
  type AgentRequest,
  type InvocationContext,
} from '../../agent.provider.js';
import { issuesOf } from '../../domain/issues.js';
import { Provider } from '../../provider.decorator.js';
import { fetchFor } from './checked-fetch.js';
import { codeErrors } from './code.errors.js';
import { ConsoleLines } from './console-lines.js';
import { SandboxPool } from './sandbox-pool.js';
import type { SandboxEnd } from './sandbox-thread.js';
import type { SandboxLimit } from './sandbox/sandbox-protocol.js';
import { codeSettingsSchema, type CodeSettings } from './settings.schema.js';
import { SyntaxCheck } from './syntax-check.js';

/** How much of the console a failure tells. */
const MAX_TOLD_LINES = 50;

/**
 * Runs JavaScript that a user wrote: the input goes in, what the default export returns comes out.
 *
 * The program has no file, no environment, no timers and no network but `tools.fetch` to the hosts of its settings;
 * its time, memory, stack and output are bounded. What it writes to the console is the progress of the attempt. An
 * exception is not worth another try, unless it has `retryable: true`.
 */
@Injectable()
@Provider({ kind: 'code', description: 'Runs JavaScript in a sandbox' })
export class CodeProvider extends AgentProvider implements OnModuleInit, OnApplicationShutdown {
  private readonly syntax = new SyntaxCheck();

  constructor(
    private readonly sandboxes: SandboxPool,
    private readonly egress: Egress,
  ) {
    super();
  }

  onModuleInit(): Promise<void> {
    return this.syntax.load();
  }

  onApplicationShutdown(): Promise<void> {
    return this.sandboxes.stop();
  }

  settingsSchema(): JsonObject {
    return z.toJSONSchema(codeSettingsSchema, { io: 'input' }) as unknown as JsonObject;
  }

  override check(settings: JsonObject): readonly Issue[] {
    const parsed = codeSettingsSchema.safeParse(settings);
    if (!parsed.success) return issuesOf(parsed.error.issues, 'field.invalid');
    return this.syntax.issuesIn(parsed.data.source);
  }

  override async *invoke(
    request: AgentRequest,
    { signal }: InvocationContext,
  ): AsyncGenerator<AgentPart, AgentOutcome, void> {
    const settings = codeSettingsSchema.safeParse(request.settings);
    if (!settings.success) return notConfigured(issuesOf(settings.error.issues, 'field.invalid'));
    const lines = new ConsoleLines();
    const leaving = new AbortController();
    const ended = this.run(request, settings.data, lines, AbortSignal.any([signal, leaving.signal]));
    try {
      for await (const message of lines.until(ended)) yield { type: 'progress', message };
      return outcomeOf(await ended, settings.data, lines.all.slice(-MAX_TOLD_LINES));
    } finally {
      leaving.abort();
    }
  }

  private run(
    { input, idempotencyKey }: AgentRequest,
    { hosts, ...settings }: CodeSettings,
    lines: ConsoleLines,
    signal: AbortSignal,
  ): Promise<SandboxEnd> {
    const job = { ...settings, input: JSON.stringify(input), idempotencyKey };
    const rules = { egress: this.egress, hosts, timeoutMs: settings.timeoutMs, signal };
    const caller = {
      log: (text: string) => lines.push(text),
      fetch: (call: Parameters<typeof fetchFor>[0]) => fetchFor(call, rules),
    };
    return this.sandboxes.run(job, caller, signal);
  }
}

function outcomeOf(end: SandboxEnd, settings: CodeSettings, console: readonly string[]): AgentOutcome {
  switch (end.kind) {
    case 'output':
      return completed(end.json);
    case 'limit':
      return failed(
        agentErrors['sandbox.limit-exceeded'],
        end.message ?? describeLimit(end.limit, settings),
        {
          details: { limit: end.limit, console },
        },
      );
    case 'threw': {
      const { message, line, column, retryable, retryAfterMs } = end;
      const where = line === undefined ? {} : { line, ...(column !== undefined && { column }) };
      return failed(codeErrors['code.failed'], message, {
        details: { ...where, console },
        ...(retryable !== undefined && { retryable }),
        ...(retryAfterMs !== undefined && { retryAfterMs }),
      });
    }
    case 'invalid':
      return notConfigured([{ pointer: '/source', code: 'code.invalid', message: end.message }]);
    case 'aborted':
      return failed(codeErrors['sandbox.died'], 'The call was aborted.');
    case 'died':
      return failed(codeErrors['sandbox.died'], `The sandbox gave no answer: ${end.reason}.`);
  }
}

/** The text is the program's own: it may have changed the function that made it. */
function completed(json: string): AgentOutcome {
  try {
    return { status: 'completed', output: JSON.parse(json) as Json };
  } catch {
    return failed(agentErrors['agent.output-invalid'], 'The output of the code is not JSON.');
  }
}

function describeLimit(limit: SandboxLimit, { timeoutMs, memoryMb, maxOutputBytes }: CodeSettings): string {
  switch (limit) {
    case 'time':
      return `The code ran for more than ${timeoutMs} ms and was stopped.`;
    case 'memory':
      return `The code took more than its ${memoryMb} MiB of memory and was stopped.`;
    case 'stack':
      return 'The code called itself too deeply and was stopped.';
    case 'output':
      return `The output of the code has more than ${maxOutputBytes} bytes.`;
  }
}

function notConfigured(issues: readonly Issue[]): AgentOutcome {
  return failed(agentErrors['agent.not-configured'], 'The settings of the agent are invalid.', { issues });
}

function failed(type: ErrorType, message: string, options?: FailureOptions): AgentOutcome {
  return { status: 'failed', failure: failureOf(type, message, options) };
}
