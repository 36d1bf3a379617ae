/** Calls out of the service: 127.0.0.2 stands for an allowed address, 127.0.0.1 for a private one. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

import { AppError, type Failure } from '../../src/kernel/failure.js';
import { AddressSource } from '../../src/platform/egress/address.source.js';
import { Egress, type EgressInit } from '../../src/platform/egress/egress.js';

/** Answers each name with one list of addresses after another, the last one for ever. */
class StubAddresses extends AddressSource {
  readonly asked: string[] = [];
  private readonly answers = new Map<string, string[][]>();

  set(name: string, ...answers: string[][]): void {
    this.answers.set(name, answers);
  }

  override resolve(name: string): Promise<readonly string[]> {
    this.asked.push(name);
    const answers = this.answers.get(name) ?? [];
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    return answer === undefined
      ? Promise.reject(new Error(`no such name: ${name}`))
      : Promise.resolve(answer);
  }
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let server: Server;
let port: number;
let answer: Answer;
let requests: IncomingMessage[];
/** Where each request arrived. */
let arrivals: (string | undefined)[];
let addresses: StubAddresses;
let egress: Egress;

beforeAll(async () => {
  server = createServer((request, response) => {
    requests.push(request);
    arrivals.push(request.socket.localAddress);
    answer(request, response);
  });
  // Every loopback address, so that a call that should be refused would arrive.
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  ({ port } = server.address() as AddressInfo);
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

beforeEach(() => {
  requests = [];
  arrivals = [];
  answer = (_request, response) => response.end('hello');
  addresses = new StubAddresses();
  egress = new Egress({ allowedHosts: ['127.0.0.2'] }, addresses);
});

afterEach(() => egress.onApplicationShutdown());

const refusal = async (url: string, init: EgressInit = {}): Promise<Failure> => {
  const error: unknown = await egress.fetch(url, init).then(
    () => 'it was answered',
    (reason: unknown) => reason,
  );
  if (!AppError.is(error)) throw new Error('no failure', { cause: error });
  return error.failure;
};

const at = (host: string, path = '/'): string => `http://${host}:${port}${path}`;

describe('a call', () => {
  it('reaches an allowed address, and says what it was told to say', async () => {
    answer = (request, response) => request.pipe(response.setHeader('x-seen', request.headers['x-a'] ?? ''));

    const response = await egress.fetch(at('127.0.0.2', '/path?q=1'), {
      method: 'post',
      headers: { 'x-a': '1' },
      body: 'body',
    });

    expect(response.status).toBe(200);
    expect(response.url).toBe(at('127.0.0.2', '/path?q=1'));
    expect(response.headers.get('x-seen')).toBe('1');
    expect(await response.text()).toBe('body');
    expect(requests.map(({ method, url }) => [method, url])).toEqual([['POST', '/path?q=1']]);
  });

  it.each([
    '127.0.0.1',
    '2130706433',
    '017700000001',
    '0177.0.0.1',
    '0x7f.0.0.1',
    '0x7f000001',
    '127.1',
    '127.0.1',
    '0',
    '0.0.0.0',
    '127.0.0.1.',
    '１２７.0.0.1',
    '①②⑦.0.0.1',
    '127。0。0。1',
    '%31%32%37.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::127.0.0.1]',
    '[0:0:0:0:0:ffff:127.0.0.1]',
    '[::]',
    '[64:ff9b::7f00:1]',
  ])('to %s is refused', async (host) => {
    expect(await refusal(at(host))).toMatchObject({
      code: 'agent.egress-refused',
      retryable: false,
      details: { reason: expect.stringMatching(/^it leads to an? .+ address$/) },
    });
    expect(requests).toEqual([]);
    expect(addresses.asked).toEqual([]);
  });

  it.each([
    ['file:///etc/passwd', 'only http and https are spoken'],
    ['ftp://127.0.0.2/', 'only http and https are spoken'],
    ['data:text/plain,hello', 'only http and https are spoken'],
    ['http://user:canary@127.0.0.2/', 'credentials belong in a header, not in the address'],
    ['/relative', 'it is not an absolute address'],
  ])('to %s is refused', async (url, reason) => {
    const failure = await refusal(url);

    expect(failure).toMatchObject({ code: 'agent.egress-refused', details: { reason } });
    expect(JSON.stringify(failure)).not.toContain('canary');
  });

  it('ends when its caller leaves', async () => {
    const leaving = new AbortController();
    answer = () => {
      leaving.abort(new Error('left'));
    };

    await expect(egress.fetch(at('127.0.0.2'), { signal: leaving.signal })).rejects.toThrow('left');
  });

  it('without connection is a TypeError with the system error as its cause', async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.2', resolve));
    const { port: closedPort } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));

    await expect(egress.fetch(`http://127.0.0.2:${closedPort}/`)).rejects.toMatchObject({
      name: 'TypeError',
      cause: { code: 'ECONNREFUSED' },
    });
  });
});

describe('a name', () => {
  it('that leads to an allowed address is called there', async () => {
    addresses.set('good.test', ['127.0.0.2']);

    const response = await egress.fetch(at('good.test'));

    expect(await response.text()).toBe('hello');
    expect(requests[0]?.headers.host).toBe(`good.test:${port}`);
    expect(arrivals).toEqual(['127.0.0.2']);
  });

  it.each([
    ['a private address', ['127.0.0.1']],
    ['an allowed and a private one', ['127.0.0.2', '127.0.0.1']],
    ['a mapped private one', ['::ffff:127.0.0.1']],
  ])('that leads to %s is refused', async (_, found) => {
    addresses.set('bad.test', found);

    expect(await refusal(at('bad.test'))).toMatchObject({
      code: 'agent.egress-refused',
      details: { host: 'bad.test', reason: 'it leads to a loopback address' },
    });
    expect(requests).toEqual([]);
  });

  it('that changes its meaning after the check is called at the checked address', async () => {
    addresses.set('rebind.test', ['127.0.0.2'], ['127.0.0.1']);
    answer = (_request, response) => response.setHeader('connection', 'close').end('hello');

    expect(await (await egress.fetch(at('rebind.test'))).text()).toBe('hello');
    expect(addresses.asked).toEqual(['rebind.test']);
    expect(arrivals).toEqual(['127.0.0.2']);

    expect(await refusal(at('rebind.test'))).toMatchObject({ code: 'agent.egress-refused' });
    expect(requests).toHaveLength(1);
  });

  it('that EGRESS_ALLOWED_HOSTS has may lead anywhere, on its port', async () => {
    const own = new Egress({ allowedHosts: [`good.test:${port}`] }, addresses);
    addresses.set('good.test', ['127.0.0.1']);
    try {
      expect(await (await own.fetch(at('good.test'))).text()).toBe('hello');
      await expect(own.fetch('http://good.test:1024/')).rejects.toMatchObject({
        failure: { code: 'agent.egress-refused' },
      });
    } finally {
      await own.onApplicationShutdown();
    }
  });
});

describe('a redirect', () => {
  const redirectTo = (location: string): void => {
    answer = (request, response) => {
      if (request.url === '/') response.writeHead(307, { location }).end();
      else response.end(`got ${request.url ?? ''}`);
    };
  };

  it('is followed', async () => {
    redirectTo('/there');

    const response = await egress.fetch(at('127.0.0.2'), { headers: { authorization: 'Bearer own' } });

    expect(await response.text()).toBe('got /there');
    expect(response.url).toBe(at('127.0.0.2', '/there'));
    expect(requests[1]?.headers.authorization).toBe('Bearer own');
  });

  it('takes no credentials to another origin', async () => {
    addresses.set('other.test', ['127.0.0.2']);
    redirectTo(at('other.test', '/there'));

    const response = await egress.fetch(at('127.0.0.2'), {
      headers: { authorization: 'Bearer canary', 'x-api-key': 'canary', cookie: 'a=canary', accept: 'a/b' },
    });

    expect(await response.text()).toBe('got /there');
    expect(JSON.stringify(requests[1]?.rawHeaders)).not.toContain('canary');
    expect(requests[1]?.headers.accept).toBe('a/b');
  });

  it.each([
    ['to a private address', () => at('127.0.0.1', '/there')],
    ['to a private address in disguise', () => at('0x7f.1', '/there')],
    ['to a name of a private address', () => at('bad.test', '/there')],
    ['to another scheme', () => 'file:///etc/passwd'],
    ['to credentials', () => `http://u:canary@127.0.0.2:${port}/there`],
  ])('%s is refused', async (_, location) => {
    addresses.set('bad.test', ['127.0.0.1']);
    redirectTo(location());

    const failure = await refusal(at('127.0.0.2'));

    expect(failure.code).toBe('agent.egress-refused');
    expect(JSON.stringify(failure)).not.toContain('canary');
    expect(requests).toHaveLength(1);
  });

  it('is followed five times, not six', async () => {
    answer = (request, response) => {
      const left = Number(request.url?.slice(1));
      if (left === 0) response.end('arrived');
      else response.writeHead(302, { location: `/${left - 1}` }).end();
    };

    expect(await (await egress.fetch(at('127.0.0.2', '/5'))).text()).toBe('arrived');
    expect(await refusal(at('127.0.0.2', '/6'))).toMatchObject({
      details: { reason: 'it redirects more than 5 times' },
    });
  });

  it.each([
    ['manual', 307],
    ['error', undefined],
  ] as const)('is handed over or refused when the caller says "%s"', async (redirect, status) => {
    redirectTo('/there');

    const outcome = await egress.fetch(at('127.0.0.2'), { redirect }).catch((error: unknown) => error);

    expect(outcome).toMatchObject(
      status === undefined ? { failure: { code: 'agent.egress-refused' } } : { status },
    );
    expect(requests).toHaveLength(1);
  });
});

describe('an answer', () => {
  it.each([
    ['as it is', (body: Buffer) => [body, {}] as const],
    ['compressed', (body: Buffer) => [gzipSync(body), { 'content-encoding': 'gzip' }] as const],
  ])('larger than it may be is broken off, sent %s', async (_, encode) => {
    answer = (_request, response) => {
      const [bytes, headers] = encode(Buffer.alloc(100_001));
      response.writeHead(200, headers).end(bytes);
    };

    const exact = await egress.fetch(at('127.0.0.2'), { maxResponseBytes: 100_001 });
    expect(await exact.bytes()).toHaveLength(100_001);

    const beyond = await egress.fetch(at('127.0.0.2'), { maxResponseBytes: 100_000 });
    await expect(beyond.bytes()).rejects.toMatchObject({
      failure: { code: 'agent.egress-too-large', details: { maxBytes: 100_000 } },
    });
  });

  it('that never comes ends with the time', async () => {
    answer = () => undefined;

    expect(await refusal(at('127.0.0.2'), { timeoutMs: 20 })).toMatchObject({
      code: 'agent.egress-timed-out',
      retryable: true,
      details: { timeoutMs: 20 },
    });
  });

  it('that begins and never ends, ends with the time', async () => {
    answer = (_request, response) => response.write('begin');

    const response = await egress.fetch(at('127.0.0.2'), { timeoutMs: 100 });

    await expect(response.text()).rejects.toMatchObject({ failure: { code: 'agent.egress-timed-out' } });
  });

  it('streams, and leaving it closes the connection', async () => {
    const closed = Promise.withResolvers<string>();
    answer = (request, response) => {
      response.write('begin');
      request.socket.on('close', () => closed.resolve('closed'));
    };

    const reader = (await egress.fetch(at('127.0.0.2'))).body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('begin');
    await reader?.cancel();

    expect(await closed.promise).toBe('closed');
  });

  it('without a body is an answer', async () => {
    answer = (_request, response) => response.writeHead(204).end();

    const response = await egress.fetch(at('127.0.0.2'));

    expect([response.status, await response.text()]).toEqual([204, '']);
  });
});
