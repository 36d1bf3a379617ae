/**
 * The connections to Redis, and the names of what is kept there.
 *
 * Decided here: that nothing waits for a Redis that is away. A command is refused at once while there is no
 * connection and after a second without an answer, so every caller has a way of its own to go on.
 */
import { readFileSync } from 'node:fs';

import { Logger, type OnApplicationShutdown } from '@nestjs/common';
import { Redis, type RedisOptions } from 'ioredis';

import type { StorageConfig } from '../../platform/config/app.config.js';

/** How long a command may take. */
const COMMAND_TIMEOUT_MS = 1_000;

const CONNECT_TIMEOUT_MS = 2_000;
const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 1_000;

/** What a connection may be asked to do otherwise. */
type ConnectionOptions = Omit<RedisOptions, 'replyMapping'>;

/** What the connections are made from. */
export type RedisSettings = Pick<StorageConfig, 'redisKeyPrefix' | 'redisCaFile'> & {
  readonly redisUrl: string;
};

/** Connections that come back by themselves, as often as Redis goes away. */
export class RedisConnections implements OnApplicationShutdown {
  private readonly logger = new Logger('Redis');
  private readonly opened: Redis[] = [];
  /** For commands. While Redis is away they are refused at once. */
  readonly commands: Redis;
  /** In subscriber mode; it takes its channels up again when Redis is back. Channels asked for meanwhile are refused. */
  readonly subscriber: Redis;

  constructor(private readonly settings: RedisSettings) {
    this.commands = this.open('commands', { enableOfflineQueue: false, commandTimeout: COMMAND_TIMEOUT_MS });
    this.subscriber = this.open('subscriber', { enableOfflineQueue: false });
  }

  /** `prefix:part:part`; the part in braces, where there is one, decides the slot of a cluster. */
  key(...parts: readonly string[]): string {
    return [this.settings.redisKeyPrefix, ...parts].join(':');
  }

  /** What all keys begin with. */
  get keyPrefix(): string {
    return this.settings.redisKeyPrefix;
  }

  /** Another connection, closed with the others. It reports its own outages once each. */
  open(name: string, options: ConnectionOptions): Redis {
    const connection = new Redis(this.settings.redisUrl, {
      connectionName: `ensemble-${name}`,
      connectTimeout: CONNECT_TIMEOUT_MS,
      retryStrategy: (attempt) => Math.min(FIRST_RETRY_MS * 2 ** (attempt - 1), MAX_RETRY_MS),
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: null,
      ...tlsOf(this.settings),
      ...options,
    });
    this.opened.push(connection);
    this.watch(connection, name);
    return connection;
  }

  onApplicationShutdown(): void {
    for (const connection of this.opened) connection.disconnect();
  }

  private watch(connection: Redis, name: string): void {
    let isAway = false;
    connection.on('error', (error: Error) => {
      if (!isAway)
        this.logger.warn({
          msg: 'Redis is away; the service goes on without it',
          connection: name,
          err: error,
        });
      isAway = true;
    });
    connection.on('ready', () => {
      if (isAway) this.logger.log(`Redis is back (${name})`);
      isAway = false;
    });
  }
}

function tlsOf({ redisUrl, redisCaFile }: RedisSettings): Pick<RedisOptions, 'tls'> {
  if (!redisUrl.startsWith('rediss:')) return {};
  return { tls: redisCaFile === undefined ? {} : { ca: readFileSync(redisCaFile) } };
}
