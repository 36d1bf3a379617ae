import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';

import { StorageConfig } from '../platform/config/app.config.js';
import { SecretService } from './secret.service.js';

const NAMESPACE = 'default';

/** The name of the secret that the example of `DELETE /secrets/:name` deletes. */
export const EXAMPLE_OLD_SECRET = 'example-old';

/**
 * A secret that means nothing, so that every example of the API can be executed on a fresh start. Made on the embedded
 * record only, while it has no secret.
 */
@Injectable()
export class ExampleSecretsService implements OnApplicationBootstrap {
  constructor(
    private readonly secrets: SecretService,
    private readonly storage: StorageConfig,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    if (this.storage.databaseUrl !== undefined) return;
    const { items } = await this.secrets.list(NAMESPACE, { limit: 1 });
    if (items.length === 0)
      await this.secrets.put(NAMESPACE, EXAMPLE_OLD_SECRET, 'an example without meaning');
  }
}
