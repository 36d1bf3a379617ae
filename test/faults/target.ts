/**
 * What the agents of a fault run call: it takes its time, answers exactly one text for each attempt, and writes down
 * who came when, when it was over, and what was answered.
 */
import type { ServerResponse } from 'node:http';

import { answerJson, HttpStub, type Received } from '../support/http-stub.js';
import type { CallLine } from '../support/invariants/check-record.js';
import type { LimitEvidence } from '../support/invariants/evidence.js';

/** Places of the agent `limited`, for all processes together. */
export const LIMITED_PLACES = 3;

/** How long the slot of a call is held that nobody renews. */
const SLOT_LEASE_MS = 10_000;

/** What is allowed of the agent `limited`, where faults may have cost so many leases of slots. */
export function limitOf(lostLeases: number): LimitEvidence {
  const leaseMs = lostLeases > 0 ? SLOT_LEASE_MS : 0;
  return { name: 'limited', max: LIMITED_PLACES, lostLeases, leaseMs };
}

interface Call {
  readonly idempotencyKey: string;
  readonly attempt: number;
  readonly at: number;
  readonly limit: string;
  endedAt?: number;
  answer?: string | null;
}

/** What a step asks for: how long it takes, and anything that comes back as it went. */
interface Work {
  readonly delayMs?: number;
}

export class Target {
  private readonly stub = new HttpStub();
  private readonly calls: Call[] = [];
  private readonly tries = new Map<string, number>();
  /** Calls under way now, and the most there were of `limited`. */
  private open = 0;
  mostLimited = 0;

  static async start(): Promise<Target> {
    const target = new Target();
    target.stub.answer = (request, response) => {
      target.stub.received.length = 0; // kept in another form
      target.take(request, response);
    };
    await target.stub.start();
    return target;
  }

  /** For EGRESS_ALLOWED_HOSTS. */
  get host(): string {
    return `127.0.0.1:${this.stub.port}`;
  }

  /** Agents that call this target, as they are created over REST. */
  agents(): readonly object[] {
    const settings = (path: string, headers: object = {}): object => ({
      url: this.stub.url(path, '127.0.0.1'),
      headers: { 'X-Attempt': '{{ run.attempt }}', ...headers },
      timeoutMs: 60_000,
    });
    return [
      { key: 'target', kind: 'http', settings: settings('/target') },
      { key: 'flaky', kind: 'http', settings: settings('/flaky', { 'X-Mark': { secret: 'mark' } }) },
      {
        ...{ key: 'limited', kind: 'http', settings: settings('/limited') },
        limits: { maxConcurrency: LIMITED_PLACES },
      },
    ];
  }

  /** What was called, for the checker. */
  effects(): readonly CallLine[] {
    return this.calls;
  }

  /** Calls under way. */
  get openCalls(): number {
    return this.open;
  }

  stop(): Promise<void> {
    return this.stub.stop();
  }

  private take({ path, headers, body }: Received, response: ServerResponse): void {
    const idempotencyKey = decodeURIComponent(String(headers['idempotency-key']));
    const attempt = Number(headers['x-attempt']);
    const call: Call = { idempotencyKey, attempt, at: Date.now(), limit: path.slice(1) };
    this.calls.push(call);
    this.open += 1;
    if (path === '/limited') this.mostLimited = Math.max(this.mostLimited, this.openOf('limited'));
    const { delayMs = 0 } = JSON.parse(body) as Work;
    const timer = setTimeout(() => {
      this.answer(call, body, response);
    }, delayMs);
    response.on('close', () => {
      clearTimeout(timer);
      this.open -= 1;
      call.endedAt = Date.now();
      call.answer ??= null;
    });
  }

  private answer(call: Call, body: string, response: ServerResponse): void {
    const { idempotencyKey, attempt, limit } = call;
    const tries = (this.tries.get(idempotencyKey) ?? 0) + 1;
    this.tries.set(idempotencyKey, tries);
    if (limit === 'flaky' && tries === 1) {
      // Too many requests: tried again, and no reason to think that the agent is broken.
      call.answer = null;
      answerJson('{"error":"once more"}', 429)(undefined as never, response, undefined as never);
      return;
    }
    call.answer = JSON.stringify({ idempotencyKey, attempt, asked: body, mark: '♪ \u2028 é 💡' });
    answerJson(call.answer)(undefined as never, response, undefined as never);
  }

  private openOf(limit: string): number {
    return this.calls.slice(-1_000).filter((call) => call.limit === limit && call.endedAt === undefined)
      .length;
  }
}
