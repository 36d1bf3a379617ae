import type { CallHandler, ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { lastValueFrom, of } from 'rxjs';

import { ManualClock } from '../../../test/support/manual-clock.js';
import { MemoryIdempotencyStore } from '../../storage/memory/memory-idempotency.store.js';
import { MemoryRecord } from '../../storage/memory/memory-record.js';
import { IdempotencyInterceptor } from './idempotency.interceptor.js';
import { idempotencyRowOf } from './idempotency.js';

const MINUTE_MS = 60_000;

const request = {
  method: 'POST',
  headers: { 'idempotency-key': 'key-1' },
  routeOptions: { url: '/api/v1/things' },
  params: {},
  query: {},
  body: { a: 1 },
  principal: { namespace: 'default', role: 'admin' },
} as unknown as FastifyRequest;

/** As much of a Fastify reply as an interceptor touches. */
class TestReply {
  statusCode = 201;
  readonly sent: Record<string, string> = {};

  status(code: number): this {
    this.statusCode = code;
    return this;
  }

  headers(headers: Record<string, string>): this {
    Object.assign(this.sent, headers);
    return this;
  }

  header(name: string, value: string): this {
    return this.headers({ [name]: value });
  }

  getHeader(name: string): string | undefined {
    return this.sent[name];
  }
}

describe('IdempotencyInterceptor', () => {
  const clock = new ManualClock();
  const store = new MemoryIdempotencyStore(new MemoryRecord(clock));
  const interceptor = new IdempotencyInterceptor(store, clock);

  async function send(answer: unknown, location?: string): Promise<{ reply: TestReply; body: unknown }> {
    const reply = new TestReply();
    if (location !== undefined) reply.header('location', location);
    const context = {
      switchToHttp: () => ({ getRequest: () => request, getResponse: () => reply }),
    } as unknown as ExecutionContext;
    const next: CallHandler = { handle: () => of(answer) };
    return { reply, body: await lastValueFrom(interceptor.intercept(context, next)) };
  }

  it('takes over a key whose first request died, but not before it must have ended', async () => {
    const row = idempotencyRowOf(request, clock.now());
    if (row === undefined) throw new Error('no key');
    await store.begin(row);

    clock.advance(14 * MINUTE_MS);
    await expect(send('early')).rejects.toMatchObject({ failure: { code: 'idempotency.in-progress' } });
    clock.advance(2 * MINUTE_MS);
    expect(await send({ n: 1 }, '/api/v1/things/1')).toMatchObject({ body: { n: 1 } });
  });

  it('gives status, location and body again', async () => {
    const { reply, body } = await send({ n: 2 });

    expect(body).toEqual({ n: 1 });
    expect(reply.statusCode).toBe(201);
    expect(reply.sent).toEqual({ location: '/api/v1/things/1', 'idempotent-replayed': 'true' });
  });

  it('forgets after a day', async () => {
    clock.advance(24 * 60 * MINUTE_MS);

    expect((await send({ n: 3 })).body).toEqual({ n: 3 });
  });
});
