import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Agent, fetch as undiciFetch, type RequestInit as UndiciInit } from 'undici';

import { AppError } from '../../kernel/failure.js';
import { EgressConfig } from '../config/app.config.js';
import { AddressSource } from './address.source.js';
import { parseAllowedHost } from './allowed-host.js';
import { boundedAnswer } from './bounded-answer.js';
import { checkedConnector, refused } from './checked-connector.js';
import { Deadline } from './deadline.js';
import { isRedirect, MAX_REDIRECTS, nextHop, type Hop } from './redirect.js';
import { VIA } from './via.js';

/** What a call may cost, beside what `fetch` takes. */
export interface EgressInit extends Omit<RequestInit, 'dispatcher'> {
  /** The whole exchange, redirects and the reading of the body included. @default 60,000 */
  readonly timeoutMs?: number;
  /** The body as it is read, decompressed. @default 10 MiB */
  readonly maxResponseBytes?: number;
}

const DEFAULT_TIMEOUT_MS = 60_000;
const DEFAULT_MAX_RESPONSE_BYTES = 10 * 1024 * 1024;

/**
 * The one way out for calls whose address somebody else chose: `fetch` to public addresses, and to those that
 * EGRESS_ALLOWED_HOSTS names.
 *
 * Every hop of a redirect is checked like the first address; at most 5 are followed, and what may be a credential does
 * not travel to another origin. Proxies of the environment are not used: what is checked is what is called.
 */
@Injectable()
export class Egress implements OnApplicationShutdown {
  private readonly dispatcher: Agent;

  constructor(config: EgressConfig, addresses: AddressSource) {
    const allowed = config.allowedHosts.map(parseAllowedHost).filter((entry) => entry !== undefined);
    this.dispatcher = new Agent({
      connect: checkedConnector({ addresses, allowed }),
      // The deadline of the call is the one that counts.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  /**
   * Calls an address. Usable wherever a `fetch` is asked for.
   *
   * @throws AppError `agent.egress-refused`, `agent.egress-timed-out`; `agent.egress-too-large`, also while the body is
   * read
   * @throws TypeError when no connection came about or it broke, with the system's error as its cause; the reason of
   * the signal when that is aborted
   */
  async fetch(input: string | URL, init: EgressInit = {}): Promise<Response> {
    const { timeoutMs = DEFAULT_TIMEOUT_MS, maxResponseBytes = DEFAULT_MAX_RESPONSE_BYTES } = init;
    const deadline = new Deadline(timeoutMs, init.signal ?? undefined);
    try {
      const { response, hop } = await this.follow(firstHop(input, init), init, deadline.signal);
      return boundedAnswer(response, { url: hop.url, maxBytes: maxResponseBytes, deadline });
    } catch (error) {
      deadline.end();
      throw failureBehind(deadline.explain(error));
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.dispatcher.destroy();
  }

  private async follow(
    first: Hop,
    { redirect = 'follow' }: EgressInit,
    signal: AbortSignal,
  ): Promise<{ readonly response: Response; readonly hop: Hop }> {
    let hop = first;
    for (let redirects = 0; ; redirects += 1) {
      const response = await this.send(hop, signal);
      const location = response.headers.get('location');
      if (redirect === 'manual' || !isRedirect(response.status, location)) return { response, hop };
      await response.body?.cancel();
      const next = nextHop(hop, response.status, location);
      if (typeof next === 'string') throw refused(hop.url.hostname, next);
      if (redirect === 'error') throw refused(hop.url.hostname, 'it redirects');
      if (redirects === MAX_REDIRECTS)
        throw refused(first.url.hostname, `it redirects more than ${MAX_REDIRECTS} times`);
      hop = next;
    }
  }

  private async send({ url, method, headers, body }: Hop, signal: AbortSignal): Promise<Response> {
    checkForm(url);
    headers.set('via', VIA);
    const init = {
      method,
      headers,
      signal,
      redirect: 'manual',
      dispatcher: this.dispatcher,
      ...(body != null && { body, duplex: 'half' }),
    };
    return await undiciFetch(url, init as unknown as UndiciInit);
  }
}

function firstHop(input: string | URL, init: EgressInit): Hop {
  const url = URL.parse(String(input));
  if (url === null) throw refused(String(input).slice(0, 100), 'it is not an absolute address');
  return {
    url,
    method: init.method?.toUpperCase() ?? 'GET',
    headers: new Headers(init.headers),
    body: init.body,
  };
}

function checkForm({ protocol, hostname, username, password }: URL): void {
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw refused(hostname === '' ? protocol : hostname, 'only http and https are spoken');
  }
  if (username !== '' || password !== '')
    throw refused(hostname, 'credentials belong in a header, not in the address');
}

/** The refusal that a failed connection hides, or what failed. */
function failureBehind(error: unknown): unknown {
  const cause = error instanceof Error ? error.cause : undefined;
  return AppError.is(cause) ? cause : error;
}
