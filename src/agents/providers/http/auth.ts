/** How a call proves who makes it. */
import { createHmac } from 'node:crypto';

import type { Failure } from '../../../kernel/failure.js';
import type { CallSecrets } from '../../call-secrets.js';
import { setHeader, type HeaderSecrets, type HttpRequest } from './request.js';
import type { HttpAuth } from './settings.schema.js';

export interface Credentials {
  readonly auth: HttpAuth | undefined;
  /** Headers whose value is a secret. */
  readonly headers: HeaderSecrets;
  readonly secrets: CallSecrets;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Puts credentials into the headers of a request, or says which secret there is not. */
export async function authorize(
  request: HttpRequest,
  credentials: Credentials,
): Promise<Failure | undefined> {
  const { auth, headers, secrets } = credentials;
  for (const [name, secret] of headers) {
    const value = await secrets.find(secret);
    const problem = value.ok ? setHeader(request.headers, name, value.value) : value.failure;
    if (problem !== undefined) return problem;
  }
  if (auth === undefined) return undefined;
  const secret = await secrets.find(auth.secret);
  return secret.ok ? prove(request, { ...credentials, auth }, secret.value) : secret.failure;
}

async function prove(
  { headers, body = '' }: HttpRequest,
  { auth, secrets, now }: Credentials & { readonly auth: HttpAuth },
  secret: string,
): Promise<Failure | undefined> {
  switch (auth.type) {
    case 'bearer':
      return setHeader(headers, 'authorization', `Bearer ${secret}`);
    case 'header':
      return setHeader(headers, auth.name, `${auth.prefix ?? ''}${secret}`);
    case 'basic': {
      const username =
        typeof auth.username === 'string'
          ? { ok: true as const, value: auth.username }
          : await secrets.find(auth.username.secret);
      if (!username.ok) return username.failure;
      const pair = `${username.value}:${secret}`;
      secrets.hide(pair);
      return setHeader(headers, 'authorization', `Basic ${Buffer.from(pair).toString('base64')}`);
    }
    case 'hmac': {
      const timestamp = String(Math.floor(now / 1000));
      const signature = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest(auth.encoding);
      return (
        setHeader(headers, auth.timestampHeader, timestamp) ??
        setHeader(headers, auth.signatureHeader, `${auth.prefix}${signature}`)
      );
    }
  }
}
