import type { LookupFunction } from 'node:net';

import { buildConnector } from 'undici';

import { AppError } from '../../kernel/failure.js';
import { problemOf } from './address-rule.js';
import type { AddressSource } from './address.source.js';
import { addressOf, canonicalHost, type AllowedHost, type Destination } from './allowed-host.js';
import { egressErrors } from './egress.errors.js';

const CONNECT_TIMEOUT_MS = 10_000;

export interface ConnectorRules {
  readonly addresses: AddressSource;
  readonly allowed: readonly AllowedHost[];
}

/**
 * Opens connections to checked addresses only.
 *
 * A name is resolved once, every address is checked, and the connection is made to these very addresses: what the
 * name means a moment later changes nothing. An address in the URL, in whatever spelling, is checked likewise.
 */
export function checkedConnector(rules: ConnectorRules): buildConnector.connector {
  return (options, callback) => {
    addressesFor(options, rules).then(
      (addresses) => {
        connectTo(addresses)(options, callback);
      },
      (error: unknown) => {
        callback(error as Error, null);
      },
    );
  };
}

/** The failure of a call to a host that may not be called. */
export function refused(host: string, reason: string): AppError {
  return AppError.of(egressErrors['agent.egress-refused'], `The address ${host} is refused: ${reason}.`, {
    details: { host, reason },
  });
}

async function addressesFor(
  { hostname, protocol, port }: buildConnector.Options,
  { addresses: source, allowed }: ConnectorRules,
): Promise<readonly string[]> {
  const host = canonicalHost(hostname);
  if (host === undefined) throw refused(hostname, 'it is not a host');
  const destination: Destination = { host, port: Number(port) || (protocol === 'https:' ? 443 : 80) };
  const literal = addressOf(host);
  const addresses = literal === undefined ? await source.resolve(host) : [literal.toString()];
  const problem = problemOf(destination, addresses, allowed);
  if (problem !== undefined) throw refused(host, problem);
  return addresses;
}

/** Without a cache of TLS sessions: it would be thrown away with the connector. */
function connectTo(addresses: readonly string[]): buildConnector.connector {
  return buildConnector({
    lookup: pinnedTo(addresses),
    timeout: CONNECT_TIMEOUT_MS,
    allowH2: false,
    maxCachedSessions: 0,
    autoSelectFamily: true,
  });
}

function pinnedTo(addresses: readonly string[]): LookupFunction {
  const entries = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  return (_host, options, callback) => {
    const wanted = entries.filter(
      ({ family }) => (options.family !== 4 && options.family !== 6) || options.family === family,
    );
    const [first] = wanted;
    if (options.all === true) callback(null, wanted);
    else callback(null, first?.address ?? '', first?.family);
  };
}
