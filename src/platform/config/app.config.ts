/**
 * The settings of the service, grouped by who needs them. Each class is a type and an injection token at once: a
 * service asks for its own group, never for the whole.
 *
 * Decided here: names and units. Decided elsewhere: which variable sets what, and what is allowed (config.schema.ts).
 */

/** Which work a process does: `api` answers requests, `worker` executes runs, `all` both. Any of them may have duties. */
export type ProcessRole = 'all' | 'api' | 'worker';

/** Pino's levels, and `silent`. */
export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

/** Where the service listens and whom it believes. */
export abstract class ServerConfig {
  abstract readonly host: string;
  /** 0 lets the system choose a free port. */
  abstract readonly port: number;
  abstract readonly role: ProcessRole;
  /** Whose `X-Forwarded-*` headers are believed: nobody, everybody, the last `n` hops, or these addresses. */
  abstract readonly trustProxy: boolean | number | readonly string[];
}

/** Where the record lives. Without a database URL it is SQLite in `dataDir`. */
export abstract class StorageConfig {
  abstract readonly dataDir: string;
  abstract readonly databaseUrl: string | undefined;
  /** Connections of this process to PostgreSQL at most, beside one to wait as standby on. */
  abstract readonly maxConnections: number;
  abstract readonly redisUrl: string | undefined;
  /** What the names of all keys and channels in Redis begin with. */
  abstract readonly redisKeyPrefix: string;
  /** A file of certificates that vouch for Redis, for `rediss://`; undefined: those that the system trusts. */
  abstract readonly redisCaFile: string | undefined;
}

/** How much the engine does at once and for how long. */
export abstract class EngineConfig {
  /** Runs executing at once in this process; waiting and paused runs do not count. 0 in the role `api`. */
  abstract readonly maxConcurrentRuns: number;
  /** Execution timeout of a run whose definition sets none. */
  abstract readonly runTimeoutMs: number;
  /** False: a start beyond `maxConcurrentRuns` is refused instead of queued. */
  abstract readonly queueEnabled: boolean;
  abstract readonly maxQueueSize: number;
  /** Steps in one definition. */
  abstract readonly maxSteps: number;
  /** How long the hot state of a finished run stays. */
  abstract readonly contextTtlMs: number;
  /** False: one step at a time in every run. */
  abstract readonly parallelEnabled: boolean;
  /** Steps of one run executing at once where its definition sets nothing. */
  abstract readonly maxParallelSteps: number;
  abstract readonly runRetentionDays: number;
}

/** Prompt templates. */
export abstract class TemplateConfig {
  /** How long a resolved template may be served from cache. */
  abstract readonly cacheTtlMs: number;
}

/** Agents. */
export abstract class AgentConfig {
  /** How often the agents that somebody uses are probed. 0: only when somebody asks. */
  abstract readonly healthIntervalMs: number;
}

/** Access to model providers. */
export abstract class ProviderConfig {
  abstract readonly anthropicApiKey: string | undefined;
  /** Undefined: the provider's own address. */
  abstract readonly anthropicBaseUrl: string | undefined;
  abstract readonly claudeModel: string;
  abstract readonly openaiCompatibleBaseUrl: string | undefined;
  abstract readonly openaiCompatibleApiKey: string | undefined;
  /** A file of prices that win over those of the service. */
  abstract readonly priceTable: string | undefined;
}

/** Bounds on what one request may carry. */
export abstract class LimitConfig {
  abstract readonly maxBodyBytes: number;
  /** Levels of nested arrays and objects; a flat object is one level. */
  abstract readonly maxJsonDepth: number;
  /** Members of all objects together, and likewise arrays and objects together. */
  abstract readonly maxJsonKeys: number;
}

/** Requests per minute and caller, by class of route. 0: no limit. */
export abstract class RateConfig {
  abstract readonly read: number;
  abstract readonly write: number;
  abstract readonly start: number;
  abstract readonly render: number;
  abstract readonly execute: number;
}

/** Who may come in. */
export abstract class SecurityConfig {
  /** The administrator's key, made known at start. */
  abstract readonly adminKey: string | undefined;
  /** 32 bytes in base64, which secrets are encrypted with. */
  abstract readonly secretsKey: string | undefined;
}

/** Whom the service may call. */
export abstract class EgressConfig {
  /** Names, addresses and networks, with or without a port, that may be called although they are not public. */
  abstract readonly allowedHosts: readonly string[];
}

/** Users' code. */
export abstract class SandboxConfig {
  /** Programs that run at once; each has a thread of its own. */
  abstract readonly maxThreads: number;
}

/** How a process ends. */
export abstract class LifecycleConfig {
  /** How long work under way may go on after the signal to stop. */
  abstract readonly shutdownGraceMs: number;
}

/** What is counted of the log, and for how long. */
export abstract class MetricConfig {
  /** False: the log is not counted; figures stay as they are. */
  abstract readonly isEnabled: boolean;
  /** How long figures of minutes, hours and days are kept, in milliseconds. */
  abstract readonly retentionMs: { readonly minute: number; readonly hour: number; readonly day: number };
  /** Series of one dimension in one namespace; the others are counted together. */
  abstract readonly maxSeries: number;
  /** Workflows with a label of their own for Prometheus. */
  abstract readonly maxLabels: number;
}

/** Where traces go (OpenTelemetry). */
export abstract class TraceConfig {
  /** Undefined: no traces are made. */
  abstract readonly endpoint: string | undefined;
  /** Headers of each request, by name. */
  abstract readonly headers: { readonly [name: string]: string };
  abstract readonly serviceName: string;
}

export abstract class LoggingConfig {
  abstract readonly level: LogLevel;
}

/** All groups. Frozen. */
export interface AppConfig {
  readonly server: ServerConfig;
  readonly storage: StorageConfig;
  readonly engine: EngineConfig;
  readonly templates: TemplateConfig;
  readonly agents: AgentConfig;
  readonly providers: ProviderConfig;
  readonly limits: LimitConfig;
  readonly rates: RateConfig;
  readonly security: SecurityConfig;
  readonly egress: EgressConfig;
  readonly sandbox: SandboxConfig;
  readonly lifecycle: LifecycleConfig;
  readonly logging: LoggingConfig;
  readonly metrics: MetricConfig;
  readonly traces: TraceConfig;
}
