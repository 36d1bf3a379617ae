/** What a request for a change of a versioned resource says of who asks, and on what it is based. */
import type { FastifyRequest } from 'fastify';

import type { Principal } from '../auth/principal.js';
import { acceptedVersionsOf } from '../http/if-match.js';
import type { ResourceEdit } from './resource-editor.js';

/** Who asks for a change of a resource, and why. */
export function editOf(
  reference: string,
  { namespace, keyId }: Principal,
  { changeNote }: { readonly changeNote?: string | undefined } = {},
): ResourceEdit {
  return {
    ...{ namespace, reference, author: keyId ?? 'anonymous' },
    ...(changeNote !== undefined && { changeNote }),
  };
}

/** The same, based on the versions that `If-Match` names. @throws AppError `request.invalid` */
export function withAccepted(edit: ResourceEdit, request: FastifyRequest): ResourceEdit {
  const accepted = acceptedVersionsOf(request);
  return { ...edit, ...(accepted !== undefined && { accepted }) };
}
