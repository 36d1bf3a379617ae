/** Finds the models that an agent's settings mean, with what configuration says about their provider. */
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import type { LanguageModel } from 'ai';

import { failureOf, type Failure } from '../../../kernel/failure.js';
import { fail, ok, type Result } from '../../../kernel/result.js';
import type { ProviderConfig } from '../../../platform/config/app.config.js';
import { agentErrors } from '../../agent.errors.js';
import { isHttpAddress } from '../../domain/remote.schema.js';
import type { LlmSettings } from './settings.schema.js';

const ANTHROPIC_URL = 'https://api.anthropic.com';

/** A `fetch`, or something that is used as one. */
export type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

/** Where a call goes. */
export interface ModelTarget {
  readonly provider: LlmSettings['provider'];
  readonly modelId: string;
  /** Undefined where the endpoint asks for none. */
  readonly apiKey: string | undefined;
  readonly baseUrl: string;
  /** What sets the address, for messages: a variable or a field of the settings. */
  readonly addressFrom: string;
  /** Whether the model takes a JSON Schema of its answer beside the prompt. */
  readonly takesSchema: boolean;
  readonly fetch: Fetch;
}

/** What the service has to offer to a target. */
export interface Surroundings {
  readonly config: ProviderConfig;
  /** The value of the secret that the settings name. */
  readonly secret?: string | undefined;
  /** For addresses that settings name: whoever wrote them is not the operator of the service. */
  readonly checkedFetch: Fetch;
}

/**
 * The targets of an agent: its model, then its fallback models. Fails with `agent.not-configured`, naming every
 * variable that is missing or unusable.
 */
export function findTargets(
  settings: LlmSettings,
  around: Surroundings,
): Result<readonly [ModelTarget, ...ModelTarget[]]> {
  const endpoint =
    settings.provider === 'anthropic' ? anthropicAt(settings, around) : openaiAt(settings, around);
  const { apiKey, baseUrl, addressFrom, missing } = endpoint;
  if (missing.length > 0) return fail(notConfigured(`Set ${missing.join(' and ')}.`));
  if (apiKey !== undefined && !isHeaderValue(apiKey))
    return fail(notConfigured(`${endpoint.keyFrom} has characters that a key can not have.`));
  if (!isHttpAddress(baseUrl)) return fail(notConfigured(`${addressFrom} is not an http or https address.`));
  const fetch = settings.baseUrl === undefined ? globalThis.fetch : around.checkedFetch;
  const at = (modelId: string): ModelTarget => ({
    provider: settings.provider,
    modelId,
    apiKey,
    baseUrl,
    addressFrom,
    takesSchema: endpoint.takesSchema,
    fetch,
  });
  return ok([at(endpoint.modelId), ...(settings.fallbackModels ?? []).map(at)]);
}

/** The model as an object: a bare id would go to a hosted gateway. Nothing is read from the environment. */
export function modelAt(target: ModelTarget): LanguageModel {
  const { apiKey, baseUrl: baseURL, modelId } = target;
  const fetch = fetchOnce(target.fetch);
  if (target.provider === 'anthropic')
    return createAnthropic({ apiKey: apiKey ?? '', baseURL, fetch })(modelId);
  return createOpenAICompatible({
    name: 'openai-compatible',
    baseURL,
    fetch,
    includeUsage: true,
    supportsStructuredOutputs: target.takesSchema,
    ...(apiKey !== undefined && { apiKey }),
  })(modelId);
}

/** No answer came, not even a status. The cause has the code of the system error. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';

  constructor(cause: unknown) {
    super('No connection', { cause });
  }
}

interface Endpoint extends Omit<ModelTarget, 'provider' | 'fetch'> {
  readonly keyFrom: string;
  /** Variables without which nothing can be called. */
  readonly missing: readonly string[];
}

function anthropicAt(
  settings: Extract<LlmSettings, { provider: 'anthropic' }>,
  { config, secret }: Surroundings,
): Endpoint {
  const own = settings.apiKey === undefined ? undefined : (secret ?? '');
  const apiKey = own ?? config.anthropicApiKey ?? '';
  const modelId = settings.model ?? config.claudeModel;
  return {
    modelId,
    apiKey,
    keyFrom: own === undefined ? 'ANTHROPIC_API_KEY' : 'The secret',
    baseUrl: versioned(settings.baseUrl ?? config.anthropicBaseUrl ?? ANTHROPIC_URL),
    addressFrom: settings.baseUrl === undefined ? 'ANTHROPIC_BASE_URL' : 'baseUrl',
    takesSchema: true,
    missing: [...(apiKey === '' ? ['ANTHROPIC_API_KEY'] : []), ...(modelId === '' ? ['CLAUDE_MODEL'] : [])],
  };
}

/** The key of the service goes to the address of the service alone; many endpoints ask for none. */
function openaiAt(
  settings: Extract<LlmSettings, { provider: 'openai-compatible' }>,
  { config, secret }: Surroundings,
): Endpoint {
  const baseUrl = settings.baseUrl ?? config.openaiCompatibleBaseUrl;
  const own = settings.apiKey === undefined ? undefined : (secret ?? '');
  const shared = settings.baseUrl === undefined ? config.openaiCompatibleApiKey : undefined;
  return {
    modelId: settings.model,
    apiKey: own ?? shared,
    keyFrom: own === undefined ? 'OPENAI_COMPATIBLE_API_KEY' : 'The secret',
    baseUrl: rooted(baseUrl ?? ''),
    addressFrom: settings.baseUrl === undefined ? 'OPENAI_COMPATIBLE_BASE_URL' : 'baseUrl',
    takesSchema: settings.structuredOutputs ?? true,
    missing: baseUrl === undefined ? ['OPENAI_COMPATIBLE_BASE_URL'] : [],
  };
}

/** Follows no redirect: the key travels in a header that would be carried to wherever one points. */
function fetchOnce(send: Fetch): typeof globalThis.fetch {
  return async (url, init) => {
    try {
      return await send(url instanceof Request ? url.url : url, { ...init, redirect: 'manual' });
    } catch (error) {
      if (init?.signal?.aborted === true) throw error;
      throw new ConnectionError(error);
    }
  };
}

function notConfigured(what: string): Failure {
  return failureOf(agentErrors['agent.not-configured'], `The model provider is not configured. ${what}`);
}

/** Anthropic's own clients take the address without the version, the library below takes it with. */
function versioned(baseUrl: string): string {
  const trimmed = trimmedOf(baseUrl);
  return /\/v\d+$/.test(trimmed) ? trimmed : `${trimmed}/v1`;
}

/** An address without any path means the usual one. */
function rooted(baseUrl: string): string {
  const trimmed = trimmedOf(baseUrl);
  return URL.parse(trimmed)?.pathname === '/' ? `${trimmed}/v1` : trimmed;
}

function trimmedOf(baseUrl: string): string {
  return baseUrl.replace(/\/+$/, '');
}

function isHeaderValue(text: string): boolean {
  return /^[!-~]+$/.test(text);
}
