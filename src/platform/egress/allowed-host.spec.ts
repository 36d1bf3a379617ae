import { addressOf, canonicalHost, covers, parseAllowedHost } from './allowed-host.js';

const covered = (entry: string, host: string, port: number, address: string): boolean => {
  const parsed = parseAllowedHost(entry);
  const at = addressOf(address);
  if (parsed === undefined || at === undefined) throw new Error(`${entry} or ${address} can not be read`);
  return covers(parsed, { host, port }, at);
};

describe('an entry of EGRESS_ALLOWED_HOSTS', () => {
  it.each([
    ['localhost', 'localhost', 80, '127.0.0.1', true],
    ['LOCALHOST', 'localhost', 80, '::1', true],
    ['localhost', 'local', 80, '127.0.0.1', false],
    ['localhost', '127.0.0.1', 80, '127.0.0.1', false],
    ['localhost:11434', 'localhost', 11_434, '127.0.0.1', true],
    ['localhost:11434', 'localhost', 80, '127.0.0.1', false],
    ['127.0.0.2', '127.0.0.2', 80, '127.0.0.2', true],
    ['127.0.0.2', 'a.name', 80, '127.0.0.2', true],
    ['127.0.0.2', '127.0.0.1', 80, '127.0.0.1', false],
    ['127.0.0.2:8080', '127.0.0.2', 8080, '127.0.0.2', true],
    ['127.0.0.2:8080', '127.0.0.2', 8081, '127.0.0.2', false],
    ['10.1.0.0/16', 'a.name', 80, '10.1.255.1', true],
    ['10.1.0.0/16', 'a.name', 80, '10.2.0.1', false],
    ['10.1.0.0/16', 'a.name', 80, '::ffff:10.1.0.1', true],
    ['fd00::/8', 'a.name', 80, 'fd12::1', true],
    ['fd00::/8', 'a.name', 80, '10.0.0.1', false],
    ['::1', '::1', 80, '::1', true],
    ['[::1]:8080', '::1', 8080, '::1', true],
    ['[::1]:8080', '::1', 80, '::1', false],
  ])('%s covers %s:%d at %s: %s', (entry, host, port, address, expected) => {
    expect(covered(entry, host, port, address)).toBe(expected);
  });

  it.each([
    '',
    'a b',
    'http://a',
    'a/b',
    '10.0.0.0/33',
    'a:0',
    'a:65536',
    'a:b',
    'user@a',
    '[::1',
    '1.2.3.4.5',
  ])('is not "%s"', (text) => {
    expect(parseAllowedHost(text)).toBeUndefined();
  });
});

it.each([
  ['2130706433', '127.0.0.1'],
  ['017700000001', '127.0.0.1'],
  ['0x7f.1', '127.0.0.1'],
  ['127.1', '127.0.0.1'],
  ['１２７.0.0.1', '127.0.0.1'],
  ['127。0。0。1', '127.0.0.1'],
  ['127.0.0.1.', '127.0.0.1'],
  ['[::FFFF:127.0.0.1]', '::ffff:7f00:1'],
  ['::FFFF:127.0.0.1', '::ffff:7f00:1'],
  ['ExAmple.COM', 'example.com'],
  ['a b', undefined],
  ['', undefined],
  ['a/b', undefined],
])('%s is the host %s', (spelling, host) => {
  expect(canonicalHost(spelling)).toBe(host);
});
