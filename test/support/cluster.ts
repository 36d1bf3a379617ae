/**
 * A service of several processes on one database and one Redis, each process behind proxies of its own, so that a test
 * can kill, freeze or cut off any of them.
 */
import type { ServerConfig } from '../../src/platform/config/app.config.js';
import { aFreePort } from './free-port.js';
import { ServiceProcess, type ProcessEnd } from './service-process.js';
import { TcpProxy } from './tcp-proxy.js';

/** What a process does. */
export type Role = ServerConfig['role'];

export interface ClusterOptions {
  readonly databaseUrl: string;
  /** Absent: one process at a time is active. */
  readonly redisUrl?: string;
  /** One process for each; the first answers requests. */
  readonly roles: readonly Role[];
  readonly env?: Readonly<Record<string, string>>;
  /** What each process runs. @default dist/main.js */
  readonly script?: string;
  /** Whether there are proxies between the processes and what they are connected to. @default false */
  readonly isProxied?: boolean;
}

/** What a load needs not be hindered by: rates of requests, and a short queue. */
export const UNHINDERED = {
  RATE_LIMIT_READ: '0',
  RATE_LIMIT_WRITE: '0',
  RATE_LIMIT_START: '0',
  RATE_LIMIT_EXECUTE: '0',
  AGENT_MAX_QUEUE_SIZE: '100000',
  SECRETS_KEY: Buffer.alloc(32, 7).toString('base64'),
};

/** A process at its place: it may be killed and started again. */
export class Member {
  private current: ServiceProcess | undefined;
  private readonly former: ServiceProcess[] = [];

  constructor(
    readonly name: string,
    private readonly options: { readonly script?: string; readonly env: Readonly<Record<string, string>> },
    /** Between it and PostgreSQL, where there are proxies. */
    readonly sql?: TcpProxy,
    /** Between it and Redis, where there are proxies. */
    readonly redis?: TcpProxy,
  ) {}

  /** The process. @throws Error where there is none */
  get process(): ServiceProcess {
    if (this.current === undefined) throw new Error(`${this.name} does not run`);
    return this.current;
  }

  get isAlive(): boolean {
    return this.current?.isAlive === true;
  }

  /** Starts the process, and resolves when it listens. */
  async start(): Promise<ServiceProcess> {
    if (this.current !== undefined) this.former.push(this.current);
    this.current = ServiceProcess.spawn({ name: this.name, ...this.options });
    await this.current.listening();
    return this.current;
  }

  async kill(): Promise<void> {
    await this.current?.kill();
  }

  /** Asks the process to stop, and resolves with how it has ended. */
  stop(): Promise<ProcessEnd> {
    return this.process.stop();
  }

  /** Of the process and of those before it. */
  troubles(): readonly string[] {
    return this.all().flatMap((process) => process.troubles());
  }

  /** Everything that it and those before it have written. */
  log(): string {
    return this.all()
      .map(({ log }) => log)
      .join('');
  }

  /** Kills what is left, and takes the proxies away. */
  async end(): Promise<void> {
    this.current?.thaw();
    await this.kill();
    await Promise.all([this.sql?.stop(), this.redis?.stop()]);
  }

  private all(): readonly ServiceProcess[] {
    return [...this.former, ...(this.current === undefined ? [] : [this.current])];
  }
}

export class Cluster {
  private constructor(readonly members: readonly Member[]) {}

  /** Starts the processes, the first one before the others: it makes the tables. */
  static async start(options: ClusterOptions): Promise<Cluster> {
    const members = await Promise.all(options.roles.map((role, index) => memberOf(options, role, index)));
    const cluster = new Cluster(members);
    const [first, ...rest] = members;
    try {
      await first?.start();
      await Promise.all(rest.map((member) => member.start()));
      return cluster;
    } catch (error) {
      await cluster.end();
      throw error;
    }
  }

  /** The process that answers requests, always at the same address. */
  get front(): Member {
    const [first] = this.members;
    if (first === undefined) throw new Error('there is no process');
    return first;
  }

  /** The processes that execute runs. */
  get workers(): readonly Member[] {
    return this.members.length === 1 ? this.members : this.members.slice(1);
  }

  /** The address of the process that answers requests. */
  get url(): string {
    return this.front.process.url;
  }

  /** Cuts, holds or mends the way of every process to PostgreSQL. */
  async sql(what: 'cut' | 'hold' | 'mend' | 'dropAll'): Promise<void> {
    await Promise.all(
      this.members.map(async ({ sql }) => {
        await sql?.[what]();
      }),
    );
  }

  /** I13: everything that processes have said of deaths and rejections that nobody asked for. */
  troubles(): readonly string[] {
    return this.members.flatMap((member) => member.troubles());
  }

  /** Asks all processes to stop, and resolves with how they have ended. */
  stop(): Promise<readonly ProcessEnd[]> {
    return Promise.all(this.members.filter(({ isAlive }) => isAlive).map((member) => member.stop()));
  }

  /** Kills what is left, and takes away what there was. */
  async end(): Promise<void> {
    await Promise.all(this.members.map((member) => member.end()));
  }
}

async function memberOf(options: ClusterOptions, role: Role, index: number): Promise<Member> {
  const { databaseUrl, redisUrl, script, isProxied = false } = options;
  const sql = isProxied ? await TcpProxy.before(databaseUrl, 5432) : undefined;
  const redis = isProxied && redisUrl !== undefined ? await TcpProxy.before(redisUrl, 6379) : undefined;
  const env = {
    ...UNHINDERED,
    ROLE: role,
    PORT: String(await aFreePort()),
    DATABASE_URL: sql?.through(databaseUrl) ?? databaseUrl,
    ...(redisUrl === undefined ? {} : { REDIS_URL: redis?.through(redisUrl) ?? redisUrl }),
    ...options.env,
  };
  return new Member(`${role}-${index}`, { env, ...(script === undefined ? {} : { script }) }, sql, redis);
}
