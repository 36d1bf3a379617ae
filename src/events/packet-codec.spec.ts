import { COMMAND_EVENT, packetParser } from './packet-codec.js';

const BOUNDS = { maxDepth: 8, maxKeys: 100 };

/** What the service takes a packet for; throws where the connection would be closed. */
function decode(text: unknown): unknown {
  const { Decoder } = packetParser(BOUNDS);
  const decoder = new Decoder();
  const decoded: unknown[] = [];
  decoder.on('decoded', (packet) => decoded.push(packet));
  decoder.add(text);
  expect(decoded).toHaveLength(1);
  return decoded[0];
}

function command(name: string, content: unknown, ackId?: number): object {
  const asked = { name, content, ...(ackId === undefined ? {} : { ackId }) };
  return { type: 2, nsp: '/', data: [COMMAND_EVENT, asked] };
}

describe('packets of clients', () => {
  it.each([
    ['a handshake without a key', '0', { type: 0, nsp: '/' }],
    ['a handshake', '0{"token":"ens_a"}', { type: 0, nsp: '/', data: { token: 'ens_a' } }],
    ['another namespace', '0/admin,', { type: 0, nsp: '/admin' }],
    ['the end', '1', { type: 1, nsp: '/' }],
    [
      'a command',
      '2["run.status",{"runId":"a"}]',
      command('run.status', { ok: true, value: [{ runId: 'a' }] }),
    ],
    ['one that waits for an answer', '217["run.status"]', command('run.status', { ok: true, value: [] }, 17)],
    ['several payloads', '2["x",1,2]', command('x', { ok: true, value: [1, 2] })],
    ['the name of a listener', '2["disconnect"]', command('disconnect', { ok: true, value: [] })],
    [
      'an answer that nobody asked for',
      '35[{"deep":[[[[[[[[[]]]]]]]]]}]',
      { type: 3, nsp: '/', id: 5, data: [] },
    ],
  ])('reads %s', (_, text, expected) => {
    expect(decode(text)).toEqual(expected);
  });

  it.each([
    ['too deep', `21["run.status",${'['.repeat(9)}${']'.repeat(9)}]`, 'request.invalid'],
    ['broken', '21["run.status",{]', 'request.invalid'],
    [
      'too wide',
      `21["run.status",{${Array.from({ length: 101 }, (_, i) => `"${i}":1`).join()}}]`,
      'request.too-large',
    ],
    ['too large', `21["run.status","${'a'.repeat(102_400)}"]`, 'request.too-large'],
    ['half a surrogate pair', '21["run.status","\\ud800"]', 'request.invalid'],
  ])('answers a payload that is %s', (_, text, code) => {
    const failure = expect.objectContaining({ code });

    expect(decode(text)).toEqual(command('run.status', { ok: false, failure }, 1));
  });

  it('takes a start larger than other commands', () => {
    const payload = 'a'.repeat(500_000);

    expect(decode(`2["run.start","${payload}"]`)).toEqual(
      command('run.start', { ok: true, value: [payload] }),
    );
  });

  it.each([
    ['nothing', ''],
    ['a type that does not exist', '9'],
    ['attachments', '51-["x",{"_placeholder":true,"num":0}]'],
    ['bytes', Buffer.from('2["x"]')],
    ['an event without a name', '2[]'],
    ['an event whose name is a number', '2[1]'],
    ['an event that is an object', '2{"a":1}'],
    ['an event without JSON', '2'],
    ['a handshake that is a list', '0[1]'],
    ['a handshake that is too large', `0{"token":"${'a'.repeat(5_000)}"}`],
    ['a handshake that is broken', '0{'],
    ['a number beyond all bounds', `2${'9'.repeat(16)}["x"]`],
  ])('closes the connection on %s', (_, text) => {
    expect(() => decode(text)).toThrow();
  });

  it('keeps hostile keys as they came', () => {
    const text = '2["run.start",{"__proto__":{"a":1},"constructor":2}]';
    const packet = decode(text) as {
      readonly data: readonly [string, { readonly content: { readonly value: unknown } }];
    };

    expect(JSON.stringify(packet.data[1].content.value)).toBe('[{"__proto__":{"a":1},"constructor":2}]');
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});

describe('packets of Socket.IO itself', () => {
  it.each([
    [{ type: 0, nsp: '/', data: { sid: 'a' } }, '0{"sid":"a"}'],
    [{ type: 4, nsp: '/admin', data: { message: 'no' } }, '4/admin,{"message":"no"}'],
    [{ type: 1, nsp: '/' }, '1'],
    [{ type: 3, nsp: '/', id: 12, data: [1] }, '312[1]'],
  ])('writes %j', (packet, text) => {
    const { Encoder } = packetParser(BOUNDS);

    expect(new Encoder().encode(packet)).toEqual([text]);
  });
});
