/** Traces, as a collector on this machine receives them. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

import { attemptSpan, spanIdOf, traceIdOf } from '../../src/kernel/trace-context.js';
import { Api, scripted } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';
import { until } from '../support/until.js';

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: object }[];
  readonly status?: { readonly code: number };
}

interface OtlpBody {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly { readonly key: string; readonly value: object }[] };
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}

/** A collector that keeps what it takes, and answers with these statuses first. */
class Collector {
  readonly paths: string[] = [];
  readonly headers: (string | undefined)[] = [];
  readonly bodies: OtlpBody[] = [];
  readonly answers: number[] = [];
  private readonly server: Server = createServer((request, response) => {
    void json(request).then((body) => {
      const status = this.answers.shift() ?? 200;
      this.paths.push(request.url ?? '');
      this.headers.push(request.headers['x-team']?.toString());
      if (status === 200) this.bodies.push(body as OtlpBody);
      response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
    });
  });

  async listen(): Promise<string> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  spansOf(runId: string): readonly OtlpSpan[] {
    const spans = this.bodies.flatMap(({ resourceSpans }) =>
      resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)),
    );
    return spans.filter(({ traceId }) => traceId === traceIdOf(runId));
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}

describe('traces', () => {
  const collector = new Collector();
  let service: RunningApp;
  let api: Api;

  beforeAll(async () => {
    const endpoint = await collector.listen();
    service = await startApp({
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
        OTEL_EXPORTER_OTLP_HEADERS: 'x-team=a%20b',
        OTEL_SERVICE_NAME: 'tested',
      },
    });
    api = new Api(service.url);
  });

  afterAll(async () => {
    await service.close();
    collector.close();
  });

  it('tell of a run, its steps and their attempts', async () => {
    const { id } = await api.finish({
      name: 'traced',
      retry: { maxAttempts: 2, initialIntervalMs: 1, jitter: 'none' },
      steps: [
        scripted('flaky', { failTimes: 1 }),
        { id: 'last', agent: 'echo', dependsOn: ['flaky'], input: 'x' },
      ],
    });
    await until(() => collector.spansOf(id).length > 0, 'the trace has come');

    const spans = collector.spansOf(id);
    const run = spanIdOf(id, 'run');
    expect(
      spans.map(({ name, spanId, parentSpanId, status }) => [name, spanId, parentSpanId, status?.code]),
    ).toEqual(
      expect.arrayContaining([
        ['run traced', run, undefined, undefined],
        ['step flaky', spanIdOf(id, 'step flaky'), run, undefined],
        ['step last', spanIdOf(id, 'step last'), run, undefined],
        ['invoke_agent scripted', spanIdOf(id, attemptSpan('flaky', 1)), spanIdOf(id, 'step flaky'), 2],
        [
          'invoke_agent scripted',
          spanIdOf(id, attemptSpan('flaky', 2)),
          spanIdOf(id, 'step flaky'),
          undefined,
        ],
        ['invoke_agent echo', spanIdOf(id, attemptSpan('last', 1)), spanIdOf(id, 'step last'), undefined],
      ]),
    );
    expect(spans).toHaveLength(6);
    for (const { startTimeUnixNano, endTimeUnixNano } of spans) {
      expect(BigInt(endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(startTimeUnixNano));
    }
    expect(collector.paths[0]).toBe('/v1/traces');
    expect(collector.headers[0]).toBe('a b');
    expect(collector.bodies[0]?.resourceSpans[0]?.resource.attributes).toContainEqual({
      key: 'service.name',
      value: { stringValue: 'tested' },
    });
  });

  it('come again when the collector was away, and are left out when it refuses them', async () => {
    collector.answers.push(503, 429);
    const away = await api.finish({ name: 'away', steps: [scripted('a', {})] });
    await until(() => collector.spansOf(away.id).length > 0, 'the trace has come after all');
    collector.answers.push(400);
    const refused = await api.finish({ name: 'refused', steps: [scripted('a', {})] });
    const next = await api.finish({ name: 'next', steps: [scripted('a', {})] });
    await until(() => collector.spansOf(next.id).length > 0, 'the one after it has come');

    expect(collector.spansOf(refused.id)).toEqual([]);
  });
});
