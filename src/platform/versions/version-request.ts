/** What a request about a versioned resource says, checked where it comes in. */
import type { FastifyRequest } from 'fastify';

import { AppError } from '../../kernel/failure.js';
import { fieldErrors } from '../../kernel/field.errors.js';
import { LABEL_NAME, type VersionSelector } from '../../kernel/versions.js';
import type { Principal } from '../auth/principal.js';
import { httpErrors } from '../http/http.errors.js';
import { acceptedVersionsOf } from '../http/if-match.js';
import type { ResourceEdit } from './resource-editor.js';

/** Which version is asked for. @throws AppError `request.invalid` when both are given */
export function selectorIn({ version, label }: VersionSelector): VersionSelector {
  if (version !== undefined && label !== undefined)
    throw requestInvalid('/label', 'give a version or a label, not both');
  return { ...(version !== undefined && { version }), ...(label !== undefined && { label }) };
}

/** The number of a version in a path. @throws AppError `request.invalid` */
export function versionIn(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw requestInvalid('', 'the version is a whole number from 1');
}

/** A label in a path. @throws AppError `request.invalid` */
export function labelIn(text: string): string {
  if (LABEL_NAME.test(text)) return text;
  throw requestInvalid('', 'a label is 1 to 64 of small letters, digits and . _ -, and begins with a letter');
}

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

function requestInvalid(pointer: string, message: string): AppError {
  const issues = [{ pointer, code: fieldErrors['field.invalid'].code, message }];
  return AppError.of(httpErrors['request.invalid'], message, { issues });
}
