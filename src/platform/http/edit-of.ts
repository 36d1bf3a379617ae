/** What a request says about who changes something, and why. */
import type { FastifyRequest } from 'fastify';

import type { Principal } from '../auth/principal.js';
import type { ResourceEdit } from '../versions/resource-editor.js';
import { acceptedVersionsOf } from './if-match.js';

/** Who asks for a change of what. The author is the key, or `anonymous` while there are none. */
export function editOf(
  reference: string,
  { namespace, keyId }: Principal,
  { changeNote }: { readonly changeNote?: string } = {},
): ResourceEdit {
  const author = keyId ?? 'anonymous';
  return { namespace, reference, author, ...(changeNote !== undefined && { changeNote }) };
}

/** The same change, based on the versions that `If-Match` names. @throws AppError `request.invalid` */
export function withAccepted(edit: ResourceEdit, request: FastifyRequest): ResourceEdit {
  const accepted = acceptedVersionsOf(request);
  return { ...edit, ...(accepted !== undefined && { accepted }) };
}
