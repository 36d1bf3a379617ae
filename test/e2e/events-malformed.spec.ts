/** What no client of ours sends: the service stays up, and honest clients notice nothing. */
import { EventsGateway } from '../../src/events/events.gateway.js';
import { Api } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';
import { chain, SocketClient, upTo } from '../support/socket.js';
import { until } from '../support/until.js';

jest.setTimeout(60_000);

const PACKETS = 20_000;

const PAYLOADS = [
  '',
  'null',
  '0',
  '""',
  '[]',
  '{}',
  '{"runId":1}',
  '{"runId":null}',
  '{"runId":"\\u0000"}',
  '{"runId":"\\ud800"}',
  '{"__proto__":{"runId":"a"}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"runId":"a","afterSeq":1e999}',
  '{"runId":"a","afterSeq":-1}',
  '{"definition":{"steps":[{}]}}',
  '{"definition":[]}',
  '{"runId":{"toString":1}}',
  `${'['.repeat(1_000)}${']'.repeat(1_000)}`,
  `${'{"a":'.repeat(1_000)}1${'}'.repeat(1_000)}`,
  `"${'a'.repeat(110_000)}"`,
  '{"_placeholder":true,"num":0}',
  '{"runId":',
  'x',
];
const NAMES = [
  ...['run.start', 'run.status', 'run.cancel', 'run.subscribe', 'run.unsubscribe', 'nothing'],
  ...['connect', 'disconnect', 'disconnecting', 'newListener', 'error', '__proto__', 'toString', ''],
];
/** Below commands: packets of Socket.IO and Engine.IO that are none. */
const BROKEN = [
  ...[
    '',
    '4',
    '42',
    '42[',
    '42{}',
    '42[1]',
    '42[null]',
    '42[["a"]]',
    '4299999999999999999["a"]',
    '42-1["a"]',
  ],
  ...[
    '40{',
    '40[]',
    '40/admin,',
    '40"x"',
    '41',
    '43[]',
    '43{}',
    '431["x"]',
    '44',
    '44{"message":"x"}',
    '49',
    '4x',
  ],
  ...['450-["a"]', '451-["a",{"_placeholder":true,"num":0}]', '4599999-["a"]', '461-[]', '45-', '451-'],
  ...[
    '0',
    '1',
    '2',
    '2probe',
    '3',
    '3probe',
    '5',
    '6',
    '7',
    'b',
    'bAAAA',
    '\u0000',
    '\u{1F600}',
    'x'.repeat(1_000),
  ],
];

let service: RunningApp;
let api: Api;
let gateway: EventsGateway;

beforeAll(async () => {
  service = await startApp({
    env: { AGENT_MAX_WORKFLOW_STEPS: '1000', RATE_LIMIT_START: '0', RATE_LIMIT_READ: '0' },
  });
  api = new Api(service.url);
  gateway = service.app.get(EventsGateway);
});

afterAll(() => service.close());

/** A connection that speaks as it likes. */
class RawClient {
  /** Refusals that came back. */
  refusals = 0;
  private socket: WebSocket | undefined;

  constructor(private readonly url: string) {}

  /** Sends one text or some bytes, over a new connection when the last one was closed. */
  async send(packet: string | Uint8Array<ArrayBuffer>): Promise<void> {
    if (this.socket?.readyState !== WebSocket.OPEN) this.socket = await this.open();
    this.socket.send(packet);
  }

  close(): void {
    this.socket?.close();
  }

  private async open(): Promise<WebSocket> {
    const socket = new WebSocket(`${this.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = () => {
        reject(new Error('the service takes no connection'));
      };
    });
    socket.onerror = null;
    socket.onmessage = ({ data }) => {
      if (String(data).startsWith('43')) this.refusals += 1;
    };
    socket.send('40');
    return socket;
  }
}

function packetOf(n: number): string | Uint8Array<ArrayBuffer> {
  const kind = n % 4;
  if (kind === 0) return BROKEN[(n / 4) % BROKEN.length] ?? '';
  if (kind === 1 && n % 16 === 1) return new Uint8Array([4, 2, n % 256]);
  const name = NAMES[n % NAMES.length] ?? '';
  const payload = PAYLOADS[n % PAYLOADS.length] ?? '';
  return `42${kind === 2 ? String(n) : ''}[${JSON.stringify(name)}${payload === '' ? '' : ','}${payload}]`;
}

it(`${PACKETS} malformed packets crash nothing and hinder no honest client`, async () => {
  const honest = await SocketClient.open(service.url);
  const { id: runId } = await honest.done('run.start', { definition: chain(200, { delayMs: 5 }) });
  const raw = upTo(4).map(() => new RawClient(service.url));
  for (let n = 0; n < PACKETS; n += 1) await raw[n % raw.length]?.send(packetOf(n));
  await honest.untilEvent(runId, 'run.completed');
  for (const client of raw) client.close();
  await until(() => gateway.connectionCount === 1, 'only the honest client is left');
  const refusals = raw.reduce((sum, client) => sum + client.refusals, 0);
  const answer = await honest.refusal('run.status', { runId: 'other' });
  honest.close();

  expect(honest.events(runId)).toEqual(await api.events(runId));
  expect(honest.problems()).toEqual([]);
  expect(refusals).toBeGreaterThan(PACKETS / 20);
  expect(answer).toBe('run.not-found');
  expect((await fetch(`${service.url}/health/live`)).status).toBe(200);
  expect(Object.keys(Object.prototype)).toEqual([]);
});

it('a payload that is too large is answered, a packet beyond all bounds ends the connection', async () => {
  const client = await SocketClient.open(service.url);
  const tooLarge = await client.refusal('run.status', { runId: 'a'.repeat(200_000) });
  const start = await client.refusal('run.start', { definition: {}, input: 'a'.repeat(500_000) });
  const closed = new Promise((resolve) => client.socket.once('disconnect', resolve));
  client.socket.emit('run.start', { definition: {}, input: 'a'.repeat(2_000_000) });
  await closed;

  expect([tooLarge, start]).toEqual(['request.too-large', 'definition.invalid']);
});

it('requests that are no Socket.IO are refused', async () => {
  const base = `${service.url}/socket.io/`;
  const statuses = [];
  for (const [query, body] of [
    ['', undefined],
    ['?EIO=3&transport=polling', undefined],
    ['?EIO=4&transport=nothing', undefined],
    ['?EIO=4&transport=polling&sid=__proto__', undefined],
    ['?EIO=4&transport=polling&sid=unknown', '40'],
    ['?EIO=4&transport=polling', '40'],
    ['?EIO=4&transport=websocket', undefined],
  ]) {
    const init = body === undefined ? {} : { method: 'POST', body };
    statuses.push((await fetch(base + (query ?? ''), init)).status);
  }

  expect(statuses).toEqual(Array(7).fill(400));
});
