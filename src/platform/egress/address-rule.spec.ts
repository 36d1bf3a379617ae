import { problemOf } from './address-rule.js';
import { parseAllowedHost, type AllowedHost } from './allowed-host.js';

const destination = { host: 'a.name', port: 443 };
const problem = (addresses: readonly string[], ...allowed: readonly string[]): string | undefined =>
  problemOf(destination, addresses, allowed.map(parseAllowedHost) as AllowedHost[]);

it.each(['1.1.1.1', '93.184.215.14', '2606:4700::1111', '::ffff:1.1.1.1'])('%s is public', (address) => {
  expect(problem([address])).toBeUndefined();
});

it.each([
  ['127.0.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['10.0.0.1', 'private'],
  ['172.16.0.1', 'private'],
  ['192.168.1.1', 'private'],
  ['169.254.169.254', 'link-local'],
  ['100.64.0.1', 'carrier-grade NAT'],
  ['0.0.0.0', 'unspecified'],
  ['224.0.0.1', 'multicast'],
  ['255.255.255.255', 'broadcast'],
  ['240.0.0.1', 'reserved'],
  ['192.0.2.1', 'reserved'],
  ['198.18.0.1', 'reserved'],
  ['::', 'unspecified'],
  ['::1', 'loopback'],
  ['::127.0.0.1', 'loopback'],
  ['::7f00:1', 'special'],
  ['::ffff:127.0.0.1', 'loopback'],
  ['::ffff:7f00:1', 'loopback'],
  ['64:ff9b::7f00:1', 'rfc6052'],
  ['2002:7f00:1::', '6to4'],
  ['2001::1', 'teredo'],
  ['fe80::1', 'link-local'],
  ['fec0::1', 'private'],
  ['fd00:ec2::254', 'private'],
  ['ff02::1', 'multicast'],
])('%s is refused as %s', (address, range) => {
  expect(problem([address])).toBe(`it leads to a ${range} address`);
});

it('refuses a name with one special address among public ones', () => {
  expect(problem(['1.1.1.1', '10.0.0.1'])).toBe('it leads to a private address');
});

it('refuses a name without address, and what is no address', () => {
  expect(problem([])).toBe('it has no address');
  expect(problem(['1.1.1.1%x'])).toBe('its address can not be read');
});

it('takes a special address that an entry covers, and only that', () => {
  expect(problem(['10.0.0.1'], 'a.name')).toBeUndefined();
  expect(problem(['10.0.0.1'], '10.0.0.0/8')).toBeUndefined();
  expect(problem(['10.0.0.1', '192.168.0.1'], '10.0.0.0/8')).toBe('it leads to a private address');
  expect(problem(['10.0.0.1'], 'b.name')).toBe('it leads to a private address');
});
