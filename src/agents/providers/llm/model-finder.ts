import { Injectable } from '@nestjs/common';

import { ok, type Result } from '../../../kernel/result.js';
import { ProviderConfig } from '../../../platform/config/app.config.js';
import { Egress } from '../../../platform/egress/egress.js';
import { SecretSource } from '../../../platform/ports/secret.source.js';
import { CallSecrets, type SecretCall } from '../../call-secrets.js';
import { findTargets, type Fetch, type ModelTarget } from './model.js';
import type { LlmSettings } from './settings.schema.js';

/** An answer of a model, streamed: as long as the step allows, and larger than any model writes. */
const CALL_BOUNDS = { timeoutMs: 3_600_000, maxResponseBytes: 64 * 1024 * 1024 };

/** Finds where the calls of an agent go. */
@Injectable()
export class ModelFinder {
  private readonly checkedFetch: Fetch;

  constructor(
    private readonly config: ProviderConfig,
    private readonly secrets: SecretSource,
    egress: Egress,
  ) {
    this.checkedFetch = (url, init) => egress.fetch(url, { ...init, ...CALL_BOUNDS });
  }

  /**
   * The models of an agent, the first one to be asked first. Fails with `agent.not-configured`, `secret.not-found` and
   * what else keeps a secret from being read.
   */
  async find(
    settings: LlmSettings,
    call: SecretCall,
  ): Promise<Result<readonly [ModelTarget, ...ModelTarget[]]>> {
    const name = settings.apiKey?.secret;
    if (name === undefined) return this.targetsOf(settings, undefined);
    const secret = await new CallSecrets(this.secrets, call).find(name);
    return secret.ok ? this.targetsOf(settings, secret.value) : secret;
  }

  /** Whether the configuration has all that an agent needs; secrets are not looked at. */
  check(settings: LlmSettings): Result<undefined> {
    const found = this.targetsOf(settings, settings.apiKey && 'unseen');
    return found.ok ? ok(undefined) : found;
  }

  private targetsOf(
    settings: LlmSettings,
    secret: string | undefined,
  ): Result<readonly [ModelTarget, ...ModelTarget[]]> {
    const { config, checkedFetch } = this;
    return findTargets(settings, { config, secret, checkedFetch });
  }
}
