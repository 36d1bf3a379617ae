/**
 * Which hosts may be called although they lie in a private, loopback or otherwise special range.
 *
 * Decided here: how an entry of EGRESS_ALLOWED_HOSTS is read, and what it covers. Decided elsewhere: which ranges are
 * special (address-rule.ts).
 */
import ipaddr from 'ipaddr.js';

export type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** An entry: a name, or a network of one or more addresses; with a port it covers that port only. */
export type AllowedHost = { readonly port?: number } & (
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'network'; readonly network: readonly [Address, number] }
);

/** Where a connection is to go: a host as the URL standard writes it, without brackets. */
export interface Destination {
  readonly host: string;
  readonly port: number;
}

/** An entry such as `ollama.internal`, `localhost:11434`, `10.0.0.0/8`, `[::1]:8080`; undefined when it is none. */
export function parseAllowedHost(text: string): AllowedHost | undefined {
  const network = parseNetwork(text);
  if (network !== undefined) return { kind: 'network', network };
  const { host = '', port } = /^(?<host>\[[^\]]+\]|[^:]+)(?::(?<port>\d{1,5}))?$/.exec(text)?.groups ?? {};
  const canonical = canonicalHost(host);
  if (canonical === undefined || Number(port ?? 1) > 65_535 || Number(port ?? 1) < 1) return undefined;
  const address = addressOf(canonical);
  const covered =
    address === undefined
      ? ({ kind: 'name', name: canonical } as const)
      : ({ kind: 'network', network: [address, bitsOf(address)] } as const);
  return port === undefined ? covered : { ...covered, port: Number(port) };
}

/** Whether an entry covers an address to which a destination resolved. */
export function covers(entry: AllowedHost, { host, port }: Destination, address: Address): boolean {
  if (entry.port !== undefined && entry.port !== port) return false;
  if (entry.kind === 'name') return entry.name === host;
  const [network, bits] = entry.network;
  return network.kind() === address.kind() && address.match(network, bits);
}

/** An address in its one form: IPv4 in IPv6 becomes IPv4. Undefined for a name. */
export function addressOf(host: string): Address | undefined {
  return ipaddr.IPv4.isValidFourPartDecimal(host) || host.includes(':') ? parseAddress(host) : undefined;
}

/**
 * A host as the URL standard writes it (WHATWG URL, host parsing), without brackets: decimal, octal, hexadecimal,
 * short and full-width spellings of an address become the address. Takes IPv6 with and without brackets. Undefined
 * when it is no host.
 */
export function canonicalHost(host: string): string | undefined {
  if (/[/?#@\\\s]/.test(host)) return undefined;
  const isBareIpv6 = host.includes(':') && !host.startsWith('[');
  const hostname = URL.parse(`http://${isBareIpv6 ? `[${host}]` : host}/`)?.hostname;
  return hostname === undefined || hostname === '' ? undefined : hostname.replace(/^\[(.*)\]$/, '$1');
}

function parseNetwork(text: string): readonly [Address, number] | undefined {
  if (/^[0-9a-fA-F:.]+$/.test(text) && ipaddr.IPv6.isValid(text)) {
    const address = ipaddr.process(text);
    return [address, bitsOf(address)];
  }
  if (!/^[0-9a-fA-F:.]+\/\d{1,3}$/.test(text) || !ipaddr.isValidCIDR(text)) return undefined;
  return ipaddr.parseCIDR(text);
}

function parseAddress(text: string): Address | undefined {
  return ipaddr.isValid(text) ? ipaddr.process(text) : undefined;
}

function bitsOf(address: Address): number {
  return address.kind() === 'ipv4' ? 32 : 128;
}
