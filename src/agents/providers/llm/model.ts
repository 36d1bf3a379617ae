/** Finds the model that an agent's settings mean, with what configuration says about its provider. */
import { createAnthropic } from '@ai-sdk/anthropic';
import type { LanguageModel } from 'ai';

import { failureOf, type Failure } from '../../../kernel/failure.js';
import { fail, ok, type Result } from '../../../kernel/result.js';
import type { ProviderConfig } from '../../../platform/config/app.config.js';
import { agentErrors } from '../../agent.errors.js';
import type { LlmSettings } from './settings.schema.js';

const ANTHROPIC_URL = 'https://api.anthropic.com';

/** Where a call goes. */
export interface ModelTarget {
  readonly modelId: string;
  readonly apiKey: string;
  readonly baseUrl: string;
}

/** The target of an agent, or `agent.not-configured` naming every variable that is missing or unusable. */
export function findTarget(settings: LlmSettings, config: ProviderConfig): Result<ModelTarget> {
  const apiKey = config.anthropicApiKey ?? '';
  const modelId = settings.model ?? config.claudeModel;
  const baseUrl = config.anthropicBaseUrl ?? ANTHROPIC_URL;
  const missing = [
    ...(apiKey === '' ? ['ANTHROPIC_API_KEY'] : []),
    ...(modelId === '' ? ['CLAUDE_MODEL'] : []),
  ];
  if (missing.length > 0) return fail(notConfigured(`Set ${missing.join(' and ')}.`));
  if (!isHeaderValue(apiKey))
    return fail(notConfigured('ANTHROPIC_API_KEY has characters that a key can not have.'));
  if (!isHttpUrl(baseUrl)) return fail(notConfigured('ANTHROPIC_BASE_URL is not an http or https address.'));
  return ok({ modelId, apiKey, baseUrl: versioned(baseUrl) });
}

/** The model as an object: a bare id would go to a hosted gateway. Nothing is read from the environment. */
export function modelAt(target: ModelTarget): LanguageModel {
  const anthropic = createAnthropic({
    apiKey: target.apiKey,
    baseURL: target.baseUrl,
    fetch: fetchOnce,
  });
  return anthropic(target.modelId);
}

/** No answer came, not even a status. The cause has the code of the system error. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';

  constructor(cause: unknown) {
    super('No connection', { cause });
  }
}

/** Follows no redirect: the key travels in a header that would be carried to wherever one points. */
async function fetchOnce(...[url, init]: Parameters<typeof fetch>): Promise<Response> {
  try {
    return await globalThis.fetch(url, { ...init, redirect: 'manual' });
  } catch (error) {
    if (init?.signal?.aborted === true) throw error;
    throw new ConnectionError(error);
  }
}

function notConfigured(what: string): Failure {
  return failureOf(agentErrors['agent.not-configured'], `The model provider is not configured. ${what}`);
}

/** Anthropic's own clients take the address without the version, the library below takes it with. */
function versioned(baseUrl: string): string {
  const trimmed = baseUrl.replace(/\/+$/, '');
  return /\/v\d+$/.test(trimmed) ? trimmed : `${trimmed}/v1`;
}

function isHeaderValue(text: string): boolean {
  return /^[!-~]+$/.test(text);
}

function isHttpUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null) return false;
  return ['http:', 'https:'].includes(url.protocol) && url.username === '' && url.password === '';
}
