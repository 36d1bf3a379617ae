import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';

import { SecurityConfig, ServerConfig } from '../config/app.config.js';
import { isLoopback } from './access.js';
import { KeyCache } from './key-cache.js';
import { KeyService, type NewKey } from './key.service.js';

const ADMIN: NewKey = { name: 'admin', namespace: 'default', role: 'admin' };

/**
 * Makes sure at start that a service which others can reach has a key: the one of the configuration, else a fresh
 * one, which is printed once.
 */
@Injectable()
export class FirstKeyService implements OnApplicationBootstrap {
  private readonly logger = new Logger('Access');

  constructor(
    private readonly keys: KeyService,
    private readonly cache: KeyCache,
    private readonly server: ServerConfig,
    private readonly security: SecurityConfig,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    if (this.security.adminKey !== undefined) await this.ensureAdminKey(this.security.adminKey);
    if (await this.cache.hasAny()) return;
    if (isLoopback(this.server.host)) {
      this.logger.warn(
        'No API key exists: every program of this machine is served, nobody else. `npm run keys` makes one.',
      );
    } else {
      await this.makeFirstKey();
    }
  }

  private async ensureAdminKey(secret: string): Promise<void> {
    const { revokedAt, id } = await this.keys.ensure(ADMIN, secret);
    if (revokedAt !== undefined) this.logger.warn(`ADMIN_KEY is the secret of ${id}, which has been revoked`);
  }

  /** Printed, not logged: logs are kept and collected. */
  private async makeFirstKey(): Promise<void> {
    const first = await this.keys.createFirst(ADMIN);
    if (first === undefined) return; // a process that started at the same time has printed it
    const { key, secret } = first;
    process.stdout.write(
      `\nNo API key existed, and ${this.server.host} can be reached by others. This is the first key (${key.id}),\n` +
        `shown this once:\n\n  ${secret}\n\nSend it as "Authorization: Bearer …".\n\n`,
    );
  }
}
