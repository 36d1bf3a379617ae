/**
 * The one schema over environment variables: every name, its default, what is allowed, and the group it goes to.
 *
 * Decided here: parsing, and rules between variables. All problems are reported at once, by name and expectation,
 * never by value: a value may be a secret.
 */
import { z } from 'zod';

import { fail, ok, type Result } from '../../kernel/result.js';
import { parseAllowedHost } from '../egress/allowed-host.js';
import type { AppConfig } from './app.config.js';

/** One variable that is not as it must be. */
export interface ConfigProblem {
  readonly variable: string;
  /** What is expected, to be read after "must be". */
  readonly expectation: string;
}

/** Environment variables as they come; an empty one counts as unset. */
export type Environment = Readonly<Record<string, string | undefined>>;

const MAX_TIMER_MS = 2_147_483_647;
const HOUR_MS = 3_600_000;

function checked<T>(expectation: string, parse: (text: string) => T | undefined): z.ZodType<T, string> {
  return z.string().transform((text, context) => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: expectation });
    return z.NEVER;
  });
}

function wholeNumber(min: number, max: number): z.ZodType<number, string> {
  return checked(`a whole number from ${min} to ${max}`, (text) => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? value : undefined;
  });
}

const flag = checked('true or false', (text) => {
  if (text === 'true' || text === '1') return true;
  return text === 'false' || text === '0' ? false : undefined;
});

function oneOf<T extends string>(...values: readonly T[]): z.ZodType<T, string> {
  return checked(`one of ${values.join(', ')}`, (text) => values.find((value) => value === text));
}

function url(...schemes: readonly string[]): z.ZodType<string, string> {
  return checked(`a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`, (text) =>
    URL.canParse(text) && schemes.includes(new URL(text).protocol.slice(0, -1)) ? text : undefined,
  );
}

function text(expectation: string, pattern: RegExp): z.ZodType<string, string> {
  return checked(expectation, (value) => (pattern.test(value) ? value : undefined));
}

const trustProxy = checked(
  'true, false, a number of hops, or a list of addresses and networks divided by commas',
  (value) => {
    if (value === 'true' || value === 'false') return value === 'true';
    if (/^\d{1,2}$/.test(value)) return Number(value);
    const list = value.split(',').map((part) => part.trim());
    return list.every((part) => /^[0-9a-fA-F:.]+(\/\d{1,3})?$/.test(part)) ? list : undefined;
  },
);

/** As the OpenTelemetry specification writes them: `name=value`, divided by commas, values percent-encoded. */
const traceHeaders = checked('a list of name=value divided by commas', (value) => {
  const pairs = value.split(',').map((pair) => /^\s*([\w-]+)=([^\s,]*)\s*$/.exec(pair) ?? []);
  if (pairs.some(([, name, content]) => name === undefined || /%(?![0-9A-Fa-f]{2})/.test(content ?? ''))) {
    return undefined;
  }
  return Object.fromEntries(pairs.map(([, name = '', content = '']) => [name, decodeURIComponent(content)]));
});
const allowedHosts = checked(
  'a list of names, addresses and networks, each with a port or without, divided by commas',
  (value) => {
    const list = value.split(',').map((part) => part.trim());
    return list.every((part) => parseAllowedHost(part) !== undefined) ? list : undefined;
  },
);

const count = wholeNumber(1, 1_000_000);
const rate = wholeNumber(0, 1_000_000_000);
const secret = text('visible characters without spaces', /^[\x21-\x7e]+$/);

const secretsKey = checked('32 bytes in base64', (value) =>
  /^[A-Za-z0-9+/]{43}=$/.test(value) ? value : undefined,
);

const variables = z.object({
  HOST: text('a host name or an address, without scheme and port', /^[^\s/@]+$/).default('127.0.0.1'),
  PORT: wholeNumber(0, 65_535).default(3000),
  ROLE: oneOf('all', 'api', 'worker').default('all'),
  TRUST_PROXY: trustProxy.default(false),
  DATA_DIR: text('a folder', /\S/).default('./data'),
  DATABASE_URL: url('postgres', 'postgresql').optional(),
  DATABASE_MAX_CONNECTIONS: wholeNumber(2, 1_000).default(10),
  REDIS_URL: url('redis', 'rediss').optional(),
  REDIS_KEY_PREFIX: text('letters, digits and -_.', /^[\w.-]{1,64}$/).default('ensemble'),
  REDIS_TLS_CA_FILE: text('the path of a file', /\S/).optional(),
  AGENT_MAX_CONCURRENT_WORKFLOWS: count.default(10),
  AGENT_WORKFLOW_TIMEOUT_MS: wholeNumber(1, MAX_TIMER_MS).default(600_000),
  AGENT_ENABLE_QUEUE: flag.default(true),
  AGENT_MAX_QUEUE_SIZE: wholeNumber(0, 1_000_000).default(100),
  AGENT_MAX_WORKFLOW_STEPS: wholeNumber(1, 100_000).default(50),
  AGENT_CONTEXT_TTL_SECONDS: wholeNumber(0, 31_536_000).default(3600),
  AGENT_TEMPLATE_CACHE_TTL: wholeNumber(0, 31_536_000).default(300),
  AGENT_HEALTH_INTERVAL_MS: wholeNumber(0, 86_400_000).default(60_000),
  AGENT_ENABLE_PARALLEL_EXECUTION: flag.default(true),
  AGENT_MAX_PARALLEL_STEPS: wholeNumber(1, 1000).default(5),
  RUN_RETENTION_DAYS: wholeNumber(1, 36_500).default(30),
  ANTHROPIC_API_KEY: secret.optional(),
  ANTHROPIC_BASE_URL: url('https', 'http').optional(),
  CLAUDE_MODEL: secret.default('claude-sonnet-4-5'),
  OPENAI_COMPATIBLE_BASE_URL: url('https', 'http').optional(),
  OPENAI_COMPATIBLE_API_KEY: secret.optional(),
  PRICE_TABLE: z.string().min(1, 'Expected the path of a file').optional(),
  ADMIN_KEY: text('24 to 256 visible characters without spaces', /^[\x21-\x7e]{24,256}$/).optional(),
  SECRETS_KEY: secretsKey.optional(),
  EGRESS_ALLOWED_HOSTS: allowedHosts.optional(),
  SANDBOX_MAX_THREADS: wholeNumber(1, 64).default(4),
  MAX_BODY_BYTES: wholeNumber(1024, 268_435_456).default(4_194_304),
  MAX_JSON_DEPTH: wholeNumber(4, 512).default(64),
  MAX_JSON_KEYS: wholeNumber(100, 10_000_000).default(100_000),
  RATE_LIMIT_READ: rate.default(6000),
  RATE_LIMIT_WRITE: rate.default(600),
  RATE_LIMIT_START: rate.default(1200),
  RATE_LIMIT_RENDER: rate.default(6000),
  RATE_LIMIT_EXECUTE: rate.default(300),
  SHUTDOWN_GRACE_MS: wholeNumber(0, 3_600_000).default(25_000),
  METRICS_ENABLED: flag.default(true),
  METRICS_MINUTE_RETENTION_HOURS: wholeNumber(1, 8_760).default(48),
  METRICS_HOUR_RETENTION_DAYS: wholeNumber(2, 3_650).default(90),
  METRICS_DAY_RETENTION_DAYS: wholeNumber(2, 36_500).default(1_095),
  METRICS_MAX_SERIES: wholeNumber(10, 1_000_000).default(10_000),
  METRICS_MAX_LABELS: wholeNumber(1, 10_000).default(50),
  OTEL_EXPORTER_OTLP_ENDPOINT: url('https', 'http').optional(),
  OTEL_EXPORTER_OTLP_HEADERS: traceHeaders.optional(),
  OTEL_SERVICE_NAME: text('a name', /\S/).default('ensemble'),
  LOG_LEVEL: oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent').default('info'),
});

type Variables = z.output<typeof variables>;

/** Every variable that the service reads. */
export const variableNames: readonly string[] = Object.keys(variables.shape);

/** The default of a variable as the schema holds it; undefined where there is none. */
export function defaultOf(variable: string): unknown {
  const parsed = variables.parse({});
  return parsed[variable as keyof Variables];
}

/** Parses the environment into the frozen configuration, or lists everything that is wrong with it. */
export function parseConfig(environment: Environment): Result<AppConfig, readonly ConfigProblem[]> {
  const present = withoutEmpty(environment);
  const parsed = variables.safeParse(present);
  const problems = [
    ...(parsed.success ? [] : parsed.error.issues.map(problemOfIssue)),
    ...crossProblems(present),
  ];
  return parsed.success && problems.length === 0 ? ok(grouped(parsed.data)) : fail(problems);
}

function withoutEmpty(environment: Environment): Record<string, string> {
  const out: Record<string, string> = {};
  for (const name of variableNames) {
    const value = environment[name]?.trim();
    if (value !== undefined && value !== '') out[name] = value;
  }
  return out;
}

function problemOfIssue(issue: z.core.$ZodIssue): ConfigProblem {
  return { variable: String(issue.path[0]), expectation: issue.message };
}

function crossProblems(present: Readonly<Record<string, string>>): readonly ConfigProblem[] {
  const { REDIS_URL: redis, DATABASE_URL: database, ROLE: role = 'all' } = present;
  const problems: ConfigProblem[] = [];
  if (database === undefined && redis !== undefined) {
    problems.push({
      variable: 'DATABASE_URL',
      expectation: 'set when REDIS_URL is set: Redis is never the record',
    });
  }
  if (role !== 'all' && (database === undefined || redis === undefined)) {
    problems.push({
      variable: 'ROLE',
      expectation: 'all unless both DATABASE_URL and REDIS_URL are set: parts of one service meet there',
    });
  }
  if (role === 'api' && /^(?:false|0)$/.test(present['AGENT_ENABLE_QUEUE'] ?? '')) {
    problems.push({
      variable: 'AGENT_ENABLE_QUEUE',
      expectation: 'true where ROLE is api: a start waits in the queue until a worker takes it',
    });
  }
  return problems;
}

function grouped(v: Variables): AppConfig {
  return deepFreeze({
    server: { host: v.HOST, port: v.PORT, role: v.ROLE, trustProxy: v.TRUST_PROXY },
    storage: {
      dataDir: v.DATA_DIR,
      databaseUrl: v.DATABASE_URL,
      maxConnections: v.DATABASE_MAX_CONNECTIONS,
      redisUrl: v.REDIS_URL,
      redisKeyPrefix: v.REDIS_KEY_PREFIX,
      redisCaFile: v.REDIS_TLS_CA_FILE,
    },
    engine: engineOf(v),
    templates: { cacheTtlMs: v.AGENT_TEMPLATE_CACHE_TTL * 1000 },
    // Nobody asks a worker how agents are.
    agents: { healthIntervalMs: v.ROLE === 'worker' ? 0 : v.AGENT_HEALTH_INTERVAL_MS },
    providers: {
      anthropicApiKey: v.ANTHROPIC_API_KEY,
      anthropicBaseUrl: v.ANTHROPIC_BASE_URL,
      claudeModel: v.CLAUDE_MODEL,
      openaiCompatibleBaseUrl: v.OPENAI_COMPATIBLE_BASE_URL,
      openaiCompatibleApiKey: v.OPENAI_COMPATIBLE_API_KEY,
      priceTable: v.PRICE_TABLE,
    },
    limits: { maxBodyBytes: v.MAX_BODY_BYTES, maxJsonDepth: v.MAX_JSON_DEPTH, maxJsonKeys: v.MAX_JSON_KEYS },
    rates: {
      read: v.RATE_LIMIT_READ,
      write: v.RATE_LIMIT_WRITE,
      start: v.RATE_LIMIT_START,
      render: v.RATE_LIMIT_RENDER,
      execute: v.RATE_LIMIT_EXECUTE,
    },
    security: { adminKey: v.ADMIN_KEY, secretsKey: v.SECRETS_KEY },
    sandbox: { maxThreads: v.SANDBOX_MAX_THREADS },
    egress: { allowedHosts: v.EGRESS_ALLOWED_HOSTS ?? [] },
    lifecycle: { shutdownGraceMs: v.SHUTDOWN_GRACE_MS },
    logging: { level: v.LOG_LEVEL },
    metrics: metricsOf(v),
    traces: {
      endpoint: v.OTEL_EXPORTER_OTLP_ENDPOINT,
      headers: v.OTEL_EXPORTER_OTLP_HEADERS ?? {},
      serviceName: v.OTEL_SERVICE_NAME,
    },
  });
}

function engineOf(v: Variables): AppConfig['engine'] {
  return {
    maxConcurrentRuns: v.ROLE === 'api' ? 0 : v.AGENT_MAX_CONCURRENT_WORKFLOWS,
    runTimeoutMs: v.AGENT_WORKFLOW_TIMEOUT_MS,
    queueEnabled: v.AGENT_ENABLE_QUEUE,
    maxQueueSize: v.AGENT_MAX_QUEUE_SIZE,
    maxSteps: v.AGENT_MAX_WORKFLOW_STEPS,
    contextTtlMs: v.AGENT_CONTEXT_TTL_SECONDS * 1000,
    parallelEnabled: v.AGENT_ENABLE_PARALLEL_EXECUTION,
    maxParallelSteps: v.AGENT_MAX_PARALLEL_STEPS,
    runRetentionDays: v.RUN_RETENTION_DAYS,
  };
}

function metricsOf(v: Variables): AppConfig['metrics'] {
  return {
    isEnabled: v.METRICS_ENABLED,
    retentionMs: {
      minute: v.METRICS_MINUTE_RETENTION_HOURS * HOUR_MS,
      hour: v.METRICS_HOUR_RETENTION_DAYS * 24 * HOUR_MS,
      day: v.METRICS_DAY_RETENTION_DAYS * 24 * HOUR_MS,
    },
    maxSeries: v.METRICS_MAX_SERIES,
    maxLabels: v.METRICS_MAX_LABELS,
  };
}

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value))
    if (typeof part === 'object' && part !== null) deepFreeze(part as object);
  return Object.freeze(value);
}
