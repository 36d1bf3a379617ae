/** Who may open a socket, by what its handshake shows. */
import type { Socket } from 'socket.io';

import { failureOf } from '../kernel/failure.js';
import { getOwn, isJsonObject } from '../kernel/json.js';
import { fail, ok, type Result } from '../kernel/result.js';
import { hasKeyInQuery } from '../platform/auth/access.js';
import { authErrors } from '../platform/auth/auth.errors.js';
import type { Credentials } from '../platform/auth/auth.service.js';
import type { Principal } from '../platform/auth/principal.js';

/** Longest key that is looked at. */
const MAX_KEY_LENGTH = 512;

/** What a socket was let in with. */
export interface Admission {
  readonly credentials: Credentials;
  readonly principal: Principal;
  /** The client's address, for limits while there are no keys. */
  readonly address: string;
}

type Handshake = Pick<Socket['handshake'], 'headers' | 'url' | 'auth'>;

/** The credentials of a handshake: its `auth.token`, and where it comes from. A key in the query is refused. */
export function credentialsOf({ headers, url, auth }: Handshake): Result<Credentials> {
  if (hasKeyInQuery(url)) {
    return fail(
      failureOf(
        authErrors['auth.required'],
        'A key in the query is refused, because queries end in logs. Send it in the handshake: `auth: { token }`',
      ),
    );
  }
  return ok({ host: headers.host, origin: headers.origin, key: keyOf(auth) });
}

function keyOf(auth: unknown): string | undefined {
  const token = isJsonObject(auth) ? getOwn(auth, 'token') : undefined;
  return typeof token === 'string' && token.length > 0 && token.length <= MAX_KEY_LENGTH ? token : undefined;
}
