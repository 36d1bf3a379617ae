/** What the files of deployments say fits the service: variables, ports, probes, and the times of its end. */
import { readFileSync } from 'node:fs';
import { parse, parseAllDocuments } from 'yaml';

import { defaultOf, parseConfig, variableNames } from '../../src/platform/config/config.schema.js';

/** From SIGTERM to the end, beyond the time of grace (src/platform/lifecycle/shut-down.ts). */
const CLOSE_MS = 4_000;
/** Passwords that a file puts into URLs. */
const PASSWORDS = ['POSTGRES_PASSWORD', 'REDIS_PASSWORD'];
const COMPOSE = 'docs/deploy/compose.yaml';
const KUBERNETES = 'docs/deploy/kubernetes.yaml';

interface ComposeService {
  readonly environment: Readonly<Record<string, string | null>>;
  readonly stop_grace_period: string;
  readonly ports?: readonly string[];
  readonly command?: readonly string[];
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

interface Container {
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly lifecycle?: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } };
}

interface KubernetesObject {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec: {
    readonly selector?: Readonly<Record<string, unknown>>;
    readonly ports?: readonly { readonly targetPort: string }[];
    readonly scaleTargetRef?: { readonly name: string };
    readonly template: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly [Container];
      };
    };
  };
}

const composeText = readFileSync(COMPOSE, 'utf8');
const { services } = parse(composeText, { merge: true }) as {
  readonly services: Readonly<Record<'api' | 'worker' | 'postgres' | 'redis', ComposeService>>;
};
const kubernetesText = readFileSync(KUBERNETES, 'utf8');
const objects = parseAllDocuments(kubernetesText).map((document) => document.toJS() as KubernetesObject);
const deployments = objects.filter(({ kind }) => kind === 'Deployment');
const settings = objects.find(({ kind }) => kind === 'ConfigMap')?.data ?? {};
const dockerfile = readFileSync('Dockerfile', 'utf8');
const imagePort = Number(/\bPORT=(\d+)/.exec(dockerfile)?.[1]);

function namesIn(text: string, pattern: RegExp): readonly string[] {
  return Array.from(text.matchAll(pattern), ([, name = '']) => name);
}

/** Paths that the probes of the service have. */
function isServed(path: string): boolean {
  return readFileSync('docs/api.md', 'utf8').includes(`GET ${path}`);
}

describe('the Dockerfile', () => {
  it('sets variables of the service, and asks a path that it has at the port it listens on', () => {
    const set = namesIn(dockerfile, /^(?:ENV|   ) +([A-Z_]+)=/gm);

    expect(set).toEqual(['NODE_ENV', 'HOST', 'PORT', 'DATA_DIR']);
    expect(set.filter((name) => name !== 'NODE_ENV' && !variableNames.includes(name))).toEqual([]);
    expect(namesIn(dockerfile, /^EXPOSE (\d+)$/gm)).toEqual([String(imagePort)]);
    expect(namesIn(dockerfile, /process\.env\.PORT\}([\w/]+)`/g).map(isServed)).toEqual([true]);
  });
});

describe(COMPOSE, () => {
  it('sets variables of the service only', () => {
    const set = [services.api, services.worker].flatMap(({ environment }) => Object.keys(environment));
    const substituted = namesIn(composeText, /\$\{([A-Z_]+)/g);

    expect(set.length).toBeGreaterThan(0);
    expect(set.filter((name) => !variableNames.includes(name))).toEqual([]);
    expect(substituted.filter((name) => ![...variableNames, ...PASSWORDS].includes(name))).toEqual([]);
  });

  it('has no default for a password or key', () => {
    const open = namesIn(composeText, /\$\{((?:\w*PASSWORD|\w*KEY)\b(?!:\?)[^}]*)/g);

    expect(open).toEqual([]);
  });

  it('gives each process its part of the work, and the port that the image listens on', () => {
    expect([services.api.environment['ROLE'], services.worker.environment['ROLE']]).toEqual([
      'api',
      'worker',
    ]);
    expect(services.api.ports?.map((port) => port.split(':').at(-1))).toEqual([String(imagePort)]);
    expect(services.worker.ports).toBeUndefined();
  });

  it('lets a process end in good order', () => {
    for (const { environment, stop_grace_period } of [services.api, services.worker]) {
      const graceMs = Number(environment['SHUTDOWN_GRACE_MS'] ?? defaultOf('SHUTDOWN_GRACE_MS'));

      expect(stop_grace_period).toMatch(/^\d+s$/);
      expect(Number.parseInt(stop_grace_period, 10) * 1_000).toBeGreaterThan(graceMs + CLOSE_MS);
    }
  });

  it('keeps what is in Redis', () => {
    expect(services.redis.command?.join(' ')).toMatch(
      /--appendonly yes --maxmemory \w+ --maxmemory-policy noeviction/,
    );
  });
});

describe(KUBERNETES, () => {
  it('sets variables of the service only', () => {
    const set = [
      ...Object.keys(settings),
      ...namesIn(kubernetesText, /--from-literal=([A-Z_]+)=/g),
      ...deployments.flatMap(({ spec }) => spec.template.spec.containers[0].env.map(({ name }) => name)),
    ];

    expect(set.length).toBeGreaterThan(0);
    expect(set.filter((name) => !variableNames.includes(name))).toEqual([]);
  });

  it.each(['api', 'worker'])('is a valid configuration of role %s', (role) => {
    const deployment = deployments.find(({ metadata }) => metadata.name === `ensemble-${role}`);
    const env =
      deployment?.spec.template.spec.containers[0].env.map(({ name, value }) => [name, value]) ?? [];
    const secrets = { DATABASE_URL: 'postgres://postgres/ensemble', REDIS_URL: 'rediss://redis' };

    expect(parseConfig({ ...settings, ...secrets, ...(Object.fromEntries(env) as object) })).toMatchObject({
      ok: true,
      value: { server: { role } },
    });
  });

  it('asks paths that the service has, at the port that the image listens on', () => {
    expect(deployments).toHaveLength(2);
    for (const { spec } of deployments) {
      const [{ ports, startupProbe, livenessProbe, readinessProbe }] = spec.template.spec.containers;

      expect(ports).toEqual([{ name: 'http', containerPort: imagePort }]);
      for (const { httpGet } of [startupProbe, livenessProbe, readinessProbe]) {
        expect(httpGet.port).toBe('http');
        expect(isServed(httpGet.path)).toBe(true);
      }
    }
  });

  it('lets a process end in good order', () => {
    for (const { spec } of deployments) {
      const [{ lifecycle }] = spec.template.spec.containers;
      const waitMs = Number(lifecycle?.preStop.exec.command[1] ?? 0) * 1_000;

      expect(spec.template.spec.terminationGracePeriodSeconds * 1_000).toBeGreaterThan(
        waitMs + Number(settings['SHUTDOWN_GRACE_MS']) + CLOSE_MS,
      );
    }
  });

  it('selects processes and scales deployments that are there', () => {
    const labels = deployments.map(({ spec }) => spec.template.metadata.labels);
    const selectors = objects.flatMap(({ spec }) => {
      const { selector } = (spec as KubernetesObject['spec'] | undefined) ?? {};
      return selector === undefined ? [] : [selector['matchLabels'] ?? selector];
    });
    const scaled = objects.flatMap(({ kind, spec }) =>
      kind === 'HorizontalPodAutoscaler' ? [spec.scaleTargetRef?.name] : [],
    );

    expect(selectors).toHaveLength(6);
    for (const selector of selectors) expect(labels).toContainEqual(selector);
    expect(scaled).toEqual(['ensemble-worker']);
  });
});
