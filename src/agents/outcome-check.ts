/**
 * What a provider answers, checked where it comes in: behind this, outcomes are what their types say.
 *
 * Providers are code of others, and what they answer goes into the log: a number that is none or a value without JSON
 * would stop the run that it belongs to.
 */
import { AppError, failureOf, type Failure, type Issue } from '../kernel/failure.js';
import type { Json } from '../kernel/json.js';
import { fail, ok, type Result } from '../kernel/result.js';
import { toJson } from '../kernel/to-json.js';
import { agentErrors } from './agent.errors.js';
import type { AgentOutcome, AgentPart, Turn } from './agent.provider.js';
import type { ToolCall } from './domain/tool-call.js';

type FailedOutcome = Extract<AgentOutcome, { readonly status: 'failed' }>;

/**
 * Takes what an invocation streams, up to its outcome.
 *
 * @param isOver asked after each part: once it is true the provider is told to stop and not asked any more
 */
export async function outcomeOf(
  parts: AsyncGenerator<AgentPart, AgentOutcome, void>,
  onPart: (part: AgentPart) => void,
  isOver: () => boolean,
): Promise<AgentOutcome> {
  for (;;) {
    const next = await parts.next();
    if (next.done === true) return checkOutcome(next.value);
    if (isOver()) {
      const given = failedWith('nobody waits for the outcome any more');
      await parts.return(given);
      return given;
    }
    onPart(next.value);
  }
}

/** An outcome whose output is JSON, exactly as the log would bring it back; otherwise a failed one. */
export function checkOutcome(outcome: AgentOutcome): AgentOutcome {
  const problem = problemOf(outcome);
  if (problem !== undefined) return failedWith(problem);
  if (outcome.status !== 'completed') return outcome;
  const output = toJson(outcome.output);
  if (!output.ok) return failedWith(`the output is not JSON: ${output.failure}`);
  return output.value === outcome.output ? outcome : { ...outcome, output: output.value };
}

/** Success means success: a completed outcome whose output has problems is a failed one that lists them. */
export function promised(
  outcome: AgentOutcome,
  problemsOf: (output: Json) => readonly Issue[],
): AgentOutcome {
  if (outcome.status !== 'completed') return outcome;
  const issues = problemsOf(outcome.output);
  if (issues.length === 0) return outcome;
  const listed = issues.map(({ pointer, message }) => `${pointer} ${message}`.trim()).join('; ');
  const message = `the output does not satisfy its schema: ${listed.slice(0, 500)}`;
  const { usage, costMicros } = outcome;
  return {
    status: 'failed',
    failure: failureOf(agentErrors['agent.output-invalid'], message, { issues }),
    ...(usage === undefined ? {} : { usage }),
    ...(costMicros === undefined ? {} : { costMicros }),
  };
}

/** A turn whose body is JSON, or why it can not be recorded. */
export function checkTurn(turn: Omit<Turn, 'turn'>): Result<Omit<Turn, 'turn'>> {
  const problem = spentProblem(turn);
  if (problem !== undefined) return fail(invalid(problem));
  const body = toJson(turn.body);
  if (!body.ok) return fail(invalid(`the turn is not JSON: ${body.failure}`));
  const plain = body.value === turn.body ? turn : { ...turn, body: body.value };
  if (plain.tool === undefined) return ok(plain);
  const tool = checkTool(plain.tool);
  return tool.ok ? ok({ ...plain, tool: tool.value }) : fail(invalid(tool.failure));
}

/** A tool outcome with its own fields only, or what is wrong with it. */
function checkTool(tool: unknown): Result<ToolCall, string> {
  if (!isRecord(tool)) return fail('the tool of the turn is no record');
  const { name, callId, isError } = tool;
  if (typeof name !== 'string' || typeof callId !== 'string') {
    return fail('the tool of the turn lacks name or callId');
  }
  const input = toJson(tool['input']);
  const output = toJson(tool['output']);
  if (!input.ok) return fail(`the input of the tool is not JSON: ${input.failure}`);
  if (!output.ok) return fail(`the output of the tool is not JSON: ${output.failure}`);
  const call = { name, callId, input: input.value, output: output.value };
  return ok(isError === true ? { ...call, isError } : call);
}

/** The failed outcome of what a provider threw. */
export function failedBy(error: unknown): FailedOutcome {
  if (AppError.is(error) && failureProblem(error.failure) === undefined)
    return { status: 'failed', failure: error.failure };
  const said = error instanceof Error ? error.message : String(error);
  const failure = failureOf(agentErrors['agent.crashed'], `the provider threw: ${said.slice(0, 500)}`);
  return { status: 'failed', failure };
}

function failedWith(message: string): FailedOutcome {
  return { status: 'failed', failure: invalid(message) };
}

function invalid(message: string): Failure {
  return failureOf(agentErrors['agent.output-invalid'], message);
}

function problemOf(outcome: unknown): string | undefined {
  if (!isRecord(outcome)) return 'the provider answered no outcome';
  switch (outcome['status']) {
    case 'completed':
      return spentProblem(outcome);
    case 'failed':
      return failureProblem(outcome['failure']) ?? spentProblem(outcome);
    case 'waiting':
      return typeof outcome['taskId'] === 'string' && outcome['taskId'] !== ''
        ? undefined
        : 'the provider waits without a taskId';
    default:
      return 'the outcome of the provider is none of "completed", "failed" and "waiting"';
  }
}

function failureProblem(failure: unknown): string | undefined {
  if (!isRecord(failure)) return 'the provider failed without a failure';
  const { code, kind, message, retryable, retryAfterMs } = failure;
  const isWhole = [code, kind, message].every((text) => typeof text === 'string');
  if (!isWhole || typeof retryable !== 'boolean')
    return 'the failure of the provider lacks code, kind, message or retryable';
  if (retryAfterMs !== undefined && !Number.isFinite(retryAfterMs))
    return 'retryAfterMs of the failure of the provider is not a number';
  const json = toJson(failure);
  return json.ok ? undefined : `the failure of the provider is not JSON: ${json.failure}`;
}

function spentProblem({ usage, costMicros }: { readonly [field: string]: unknown }): string | undefined {
  if (usage !== undefined && !isRecord(usage)) return 'the usage that the provider tells is no record';
  const counts = [...Object.values(usage ?? {}), costMicros].filter((count) => count !== undefined);
  return counts.every((count) => Number.isSafeInteger(count) && (count as number) >= 0)
    ? undefined
    : 'usage and cost that the provider tells are not whole numbers from 0 on';
}

function isRecord(value: unknown): value is { readonly [field: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
