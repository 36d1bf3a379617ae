/** Calling a provider as the engine does, with settings of the test's own. */
import { outcomeOf } from '../../src/agents/outcome-check.js';
import type {
  AgentOutcome,
  AgentPart,
  AgentProvider,
  AgentRequest,
} from '../../src/agents/agent.provider.js';
import { AppError, failureOf, type Failure } from '../../src/kernel/failure.js';
import type { Json, JsonObject } from '../../src/kernel/json.js';
import { secretErrors } from '../../src/access/secret.errors.js';
import { SecretSource } from '../../src/platform/ports/secret.source.js';

export interface ProviderCall {
  readonly settings: JsonObject;
  readonly input?: Json;
  readonly request?: Partial<AgentRequest>;
  readonly signal?: AbortSignal;
}

export interface ProviderAnswer {
  readonly outcome: AgentOutcome;
  readonly parts: readonly AgentPart[];
}

/** Calls a provider once. Its outcome is checked as the engine checks it. */
export async function callProvider(provider: AgentProvider, call: ProviderCall): Promise<ProviderAnswer> {
  const { settings, input = {}, signal = new AbortController().signal } = call;
  const parts: AgentPart[] = [];
  const request: AgentRequest = {
    ...{ agentKey: 'mine', settings, input, namespace: 'default', idempotencyKey: 'run_1:a:1' },
    ...{ attempt: 1, failures: 0, runId: 'run_1', stepId: 'a', ...call.request },
  };
  const journal = { turns: [], record: () => Promise.reject(new Error('nothing to record')) };
  const outcome = await outcomeOf(
    provider.invoke(request, { signal, journal }),
    (part) => parts.push(part),
    () => false,
  );
  return { outcome, parts };
}

/** The output of a call that must complete. */
export async function outputOf(provider: AgentProvider, call: ProviderCall): Promise<Json> {
  const { outcome } = await callProvider(provider, call);
  if (outcome.status === 'completed') return outcome.output;
  if (outcome.status === 'failed') throw new AppError(outcome.failure);
  throw new Error(`it waits for ${outcome.taskId}`);
}

/** The failure of a call that must fail. */
export async function failureBy(provider: AgentProvider, call: ProviderCall): Promise<Failure> {
  const { outcome } = await callProvider(provider, call);
  if (outcome.status === 'failed') return outcome.failure;
  throw new Error(`it has not failed: ${JSON.stringify(outcome)}`);
}

/** Secrets of one namespace, by name. */
export class StubSecrets extends SecretSource {
  constructor(private readonly values: Readonly<Record<string, string>>) {
    super();
  }

  override get(namespace: string, name: string): Promise<string> {
    const value = namespace === 'default' && Object.hasOwn(this.values, name) ? this.values[name] : undefined;
    if (value !== undefined) return Promise.resolve(value);
    const failure = failureOf(secretErrors['secret.not-found'], `There is no secret "${name}".`);
    return Promise.reject(new AppError(failure));
  }
}
