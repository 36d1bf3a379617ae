/**
 * Which addresses the service may call: public ones, and those that EGRESS_ALLOWED_HOSTS names.
 *
 * Decided here: what counts as public. Decided elsewhere: how a name becomes addresses (address.source.ts).
 */
import ipaddr from 'ipaddr.js';

import { addressOf, covers, type Address, type AllowedHost, type Destination } from './allowed-host.js';

/** Global unicast, RFC 4291 §2.4: everything outside is special or not assigned. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/** How the ranges of ipaddr.js are called in a message; those that are not here stand for themselves. */
const RANGE_NAMES: Readonly<Record<string, string>> = {
  linkLocal: 'link-local',
  uniqueLocal: 'private',
  carrierGradeNat: 'carrier-grade NAT',
  deprecatedSiteLocal: 'private',
};

/**
 * Why a destination may not be called, to be read after "the address … is refused:"; undefined when it may.
 *
 * One address that may not be called refuses all: which of them a connection takes is nobody's choice.
 */
export function problemOf(
  destination: Destination,
  addresses: readonly string[],
  allowed: readonly AllowedHost[],
): string | undefined {
  if (addresses.length === 0) return 'it has no address';
  const problems = addresses.map((text) => {
    const address = addressOf(text);
    if (address === undefined) return 'its address can not be read';
    if (allowed.some((entry) => covers(entry, destination, address))) return undefined;
    const range = specialRangeOf(address);
    return range === undefined ? undefined : `it leads to a ${range} address`;
  });
  return problems.find((problem) => problem !== undefined);
}

function specialRangeOf(address: Address): string | undefined {
  const range = address.range();
  if (range !== 'unicast') return Object.hasOwn(RANGE_NAMES, range) ? RANGE_NAMES[range] : range;
  return address.kind() === 'ipv6' && !address.match(...GLOBAL_UNICAST) ? 'special' : undefined;
}
