import { connect } from 'node:net';

import { Body, Controller, Get, HttpCode, Module, Param, Post, Query } from '@nestjs/common';
import { IsArray, IsOptional, IsString } from 'class-validator';

import { CurrentPrincipal } from '../../src/platform/auth/principal.decorator.js';
import type { Principal } from '../../src/platform/auth/principal.js';
import { NestedList, RawJson } from '../../src/platform/http/dto.decorator.js';
import { PageQueryDto } from '../../src/platform/http/dto/page.dto.js';
import { Idempotent } from '../../src/platform/http/idempotent.decorator.js';
import { RateClass } from '../../src/platform/http/rate-class.decorator.js';
import { startApp, type RunningApp } from '../support/app.js';
import { problemIn } from '../support/problem.js';

class PartDto {
  @IsString()
  readonly name!: string;
}

class ThingDto {
  @IsString()
  readonly name!: string;

  @RawJson()
  @IsOptional()
  readonly input?: unknown;

  @NestedList(() => PartDto)
  @IsArray()
  @IsOptional()
  readonly parts?: readonly PartDto[];
}

@Controller('things')
class ThingController {
  private made = 0;

  @Post()
  @RateClass('write')
  echo(@Body() body: ThingDto): ThingDto {
    return body;
  }

  @Post('make')
  @RateClass('start')
  @HttpCode(202)
  @Idempotent()
  make(@Body() { name }: ThingDto): object {
    this.made += 1;
    if (name === 'broken') throw new Error('a secret of the inside');
    return { name, made: this.made };
  }

  @Get()
  @RateClass('read')
  list(@Query() query: PageQueryDto): PageQueryDto {
    return query;
  }

  @Get('me')
  @RateClass('execute')
  me(@CurrentPrincipal() principal: Principal): Principal {
    return principal;
  }

  @Get(':id')
  @RateClass('read')
  one(@Param('id') id: string): object {
    return { id };
  }
}

@Module({ controllers: [ThingController] })
class ThingModule {}

const JSON_TYPE = { 'content-type': 'application/json' };

describe('requests', () => {
  let running: RunningApp;
  let things: string;

  beforeAll(async () => {
    running = await startApp({ imports: [ThingModule], env: { MAX_BODY_BYTES: '2000000' } });
    things = `${running.url}/api/v1/things`;
  });

  afterAll(() => running.close());

  function post(body: string | Buffer, headers: Record<string, string> = JSON_TYPE): Promise<Response> {
    return fetch(things, { method: 'POST', body, headers });
  }

  it.each([
    ['constructor and __proto__', '{"constructor":{"prototype":{"a":1}},"__proto__":{"b":2},"toString":3}'],
    [
      '90,000 keys',
      JSON.stringify(Object.fromEntries(Array.from({ length: 90_000 }, (_, i) => [`k${i}`, i]))),
    ],
    ['strings of every kind', JSON.stringify(['\u0000', '\u{1F600}', '\u2028', '"\\', 'é'])],
    ['60 levels', `${'['.repeat(60)}${']'.repeat(60)}`],
  ])('gives a raw field back as it came: %s', async (_, input) => {
    const response = await post(`{"name":"a","input":${input}}`);

    expect(response.status).toBe(201);
    expect(await response.text()).toBe(`{"name":"a","input":${input}}`);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it.each([
    ['a list for an object', '[]', ['field.invalid ']],
    [
      'hostile keys',
      '{"name":"a","__proto__":{"x":1},"constructor":1}',
      ['field.unknown /__proto__', 'field.unknown /constructor'],
    ],
    [
      'several mistakes',
      '{"name":1,"other":2,"parts":[{"name":"a"},{}]}',
      ['field.unknown /other', 'field.invalid /name', 'field.required /parts/1/name'],
    ],
    ['mistakes in nested DTOs', '{"name":"a","parts":[{"name":"a"},{}]}', ['field.required /parts/1/name']],
  ])('refuses %s with pointers', async (_, body, expected) => {
    const response = await post(body);
    const problem = await problemIn(response);

    expect(response.status).toBe(400);
    expect(problem).toMatchObject({
      type: '/problems/request.invalid',
      title: 'The request is not valid',
      status: 400,
      code: 'request.invalid',
      instance: '/api/v1/things',
      requestId: response.headers.get('x-request-id'),
    });
    expect(problem.issues?.map(({ code, pointer }) => `${code} ${pointer}`)).toEqual(expected);
  });

  it.each([
    ['broken JSON', '{"name":}', 400, 'line 1, column 9'],
    ['2,000 levels', `{"name":"a","input":${'['.repeat(2000)}${']'.repeat(2000)}}`, 400, '64 levels'],
    ['half a surrogate pair', '{"name":"\\ud800"}', 400, 'surrogate'],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 400, 'UTF-8'],
    [
      'too many keys',
      `{"input":{${Array.from({ length: 100_001 }, (_, i) => `"${i}":1`).join()}}}`,
      413,
      'keys',
    ],
    ['too many bytes', `{"name":"${'a'.repeat(2_000_000)}"}`, 413, 'larger'],
  ])('refuses %s', async (_, body, status, detail) => {
    const response = await post(body);
    const code = status === 413 ? 'request.too-large' : 'request.invalid';

    expect(response.status).toBe(status);
    expect(await problemIn(response)).toMatchObject({ code, detail: expect.stringContaining(detail) });
  });

  it.each<[string, Record<string, string>]>([
    ['text', { 'content-type': 'text/plain' }],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['another charset', { 'content-type': 'application/json; charset=utf-16' }],
    ['an encoding', { ...JSON_TYPE, 'content-encoding': 'gzip' }],
    ['a list of types', { 'content-type': 'application/json, text/plain' }],
  ])('refuses %s as media type', async (_, headers) => {
    const response = await post('{"name":"a"}', headers);

    expect(response.status).toBe(415);
    expect(await problemIn(response)).toMatchObject({ code: 'request.unsupported-media' });
  });

  it('takes a POST without a body for one without fields', async () => {
    for (const headers of [{}, JSON_TYPE]) {
      const response = await fetch(things, { method: 'POST', headers });

      expect(response.status).toBe(400);
      expect((await problemIn(response)).issues).toMatchObject([
        { pointer: '/name', code: 'field.required' },
      ]);
    }
  });

  it('reads page queries and refuses wrong ones', async () => {
    expect(await (await fetch(things)).json()).toEqual({ limit: 50 });
    expect(await (await fetch(`${things}?limit=7&cursor=abc`)).json()).toEqual({ limit: 7, cursor: 'abc' });
    for (const query of ['limit=0', 'limit=201', 'limit=x', 'limit=1&limit=2', 'cursor=a%00b', 'other=1']) {
      expect((await fetch(`${things}?${query}`)).status).toBe(400);
    }
  });

  it('refuses a path parameter with a zero byte', async () => {
    expect((await fetch(`${things}/a%00b`)).status).toBe(400);
    expect(await (await fetch(`${things}/a%2Fb`)).json()).toEqual({ id: 'a/b' });
  });

  it('answers unknown routes and methods with problems', async () => {
    for (const [method, path] of [
      ['GET', '/nothing'],
      ['PATCH', '/api/v1/things'],
      ['POST', '/health/live'],
    ]) {
      const response = await fetch(`${running.url}${path ?? ''}`, { method: method ?? '' });

      expect(response.status).toBe(404);
      expect(await problemIn(response)).toMatchObject({ code: 'route.not-found', instance: path });
    }
  });

  it('answers a path that cannot be decoded with a problem', async () => {
    const response = await fetch(`${running.url}/%zz`);

    expect(response.status).toBe(400);
    expect(await problemIn(response)).toMatchObject({ code: 'request.invalid' });
  });

  it('answers what is not HTTP with a problem', async () => {
    const answer = await speak(running.url, 'NONSENSE\r\n\r\n');

    expect(answer).toContain('HTTP/1.1 400');
    expect(answer).toContain('"code":"request.invalid"');
  });

  it('tells nothing of an unexpected error', async () => {
    const response = await fetch(`${things}/make`, {
      method: 'POST',
      body: '{"name":"broken"}',
      headers: JSON_TYPE,
    });
    const problem = await problemIn(response);

    expect(response.status).toBe(500);
    expect(problem.code).toBe('internal.error');
    expect(JSON.stringify(problem)).not.toContain('secret');
  });

  it('gives every answer a request id, the caller’s own when it is sane', async () => {
    const own = await fetch(things, { headers: { 'x-request-id': 'trace-1.a_B' } });
    const fresh = await fetch(things, { headers: { 'x-request-id': 'not sane' } });

    expect(own.headers.get('x-request-id')).toBe('trace-1.a_B');
    expect(fresh.headers.get('x-request-id')).toMatch(/^req_[0-9a-f]{32}$/);
  });

  it('sends security headers and allows no other origin', async () => {
    const { headers } = await fetch(things);

    expect(headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('idempotency keys', () => {
  let running: RunningApp;

  beforeAll(async () => {
    running = await startApp({ imports: [ThingModule] });
  });

  afterAll(() => running.close());

  function make(body: unknown, key?: string): Promise<Response> {
    return fetch(`${running.url}/api/v1/things/make`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { ...JSON_TYPE, ...(key === undefined ? {} : { 'idempotency-key': key }) },
    });
  }

  it('give the first answer again', async () => {
    const first = await make({ name: 'a', input: { x: 1, y: 2 } }, 'key-1');
    const second = await make({ input: { y: 2, x: 1 }, name: 'a' }, 'key-1');

    expect(first.status).toBe(202);
    expect(first.headers.get('idempotent-replayed')).toBeNull();
    expect(second.status).toBe(202);
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    expect(await second.json()).toEqual(await first.json());
  });

  it('refuse another body', async () => {
    await make({ name: 'a' }, 'key-2');
    const response = await make({ name: 'b' }, 'key-2');

    expect(response.status).toBe(422);
    expect(await problemIn(response)).toMatchObject({ code: 'idempotency.mismatch' });
  });

  it('do the work once for requests at once', async () => {
    const responses = await Promise.all(Array.from({ length: 10 }, () => make({ name: 'c' }, 'key-3')));
    const answers = await Promise.all(
      responses.map(async (response) => [response.status, await response.text()]),
    );
    const made = new Set(answers.filter(([status]) => status === 202).map(([, text]) => text));

    expect(made.size).toBe(1);
    expect(answers.every(([status]) => status === 202 || status === 409)).toBe(true);
  });

  it('may be used again after a refusal or a failure', async () => {
    expect((await make({ name: 1 }, 'key-4')).status).toBe(400);
    expect((await make({ name: 'broken' }, 'key-4')).status).toBe(500);
    expect((await make({ name: 'mended' }, 'key-4')).status).toBe(202);
  });

  it('do nothing when absent', async () => {
    const [first, second] = [await make({ name: 'd' }), await make({ name: 'd' })];

    expect(await second.json()).not.toEqual(await first.json());
  });

  it.each([['with space'], ['a'.repeat(256)], ['']])('are refused when malformed: %j', async (key) => {
    expect((await make({ name: 'a' }, key)).status).toBe(400);
  });
});

describe('rate limits', () => {
  let running: RunningApp;

  beforeAll(async () => {
    running = await startApp({
      imports: [ThingModule],
      env: { RATE_LIMIT_READ: '3', RATE_LIMIT_WRITE: '0' },
    });
  });

  afterAll(() => running.close());

  it('refuse what is beyond the limit of its class, and nothing else', async () => {
    const things = `${running.url}/api/v1/things`;
    const statuses = [];
    for (const path of ['', '/a', '/b', '/c']) statuses.push((await fetch(`${things}${path}`)).status);
    const refused = await fetch(things);
    const problem = await problemIn(refused);

    expect(statuses).toEqual([200, 200, 200, 429]);
    expect(problem).toMatchObject({ code: 'rate.limited', retryable: true });
    expect(Number(refused.headers.get('retry-after'))).toBe(problem.retryAfter);
    expect((await fetch(`${things}/me`)).status).toBe(200);
    for (let n = 0; n < 5; n += 1) {
      expect((await fetch(things, { method: 'POST', body: '{"name":"a"}', headers: JSON_TYPE })).status).toBe(
        201,
      );
    }
  });
});

/** Sends text as it stands and reads until the other side ends. */
async function speak(url: string, text: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.end(text);
  const parts: Buffer[] = [];
  for await (const part of socket) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}
