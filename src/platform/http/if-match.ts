/**
 * `If-Match` (RFC 9110 §13.1.1) of things whose entity tag is the number of their version.
 *
 * Decided here: reading the header, the refusal, and the tag of an answer. Decided elsewhere: which version is the
 * present one.
 */
import { applyDecorators } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';

import { AppError } from '../../kernel/failure.js';
import { ApiProblems } from './api.decorator.js';
import { httpErrors } from './http.errors.js';

/** One tag; a number without quotes is taken for a strong one. */
const TAG = /^(?:(W\/)?"([\x21\x23-\x7e]*)"|(\d+))$/;

/**
 * The versions that a request accepts as the present one; undefined when it accepts any.
 *
 * Weak tags never match, nor do tags that are no version: they are left out, so the list may be empty.
 *
 * @throws AppError `request.invalid` when the header is malformed
 */
export function acceptedVersionsOf({
  headers,
}: Pick<FastifyRequest, 'headers'>): readonly number[] | undefined {
  const header = headers['if-match']?.trim();
  if (header === undefined || header === '*') return undefined;
  return header.split(',').flatMap((text) => {
    const [matched, weak, quoted, bare] = TAG.exec(text.trim()) ?? [];
    if (matched === undefined) {
      throw AppError.of(
        httpErrors['request.invalid'],
        'Expected If-Match as in `If-Match: "3"`, with the version',
      );
    }
    const tag = bare ?? quoted ?? '';
    return weak === undefined && /^[1-9]\d{0,8}$/.test(tag) ? [Number(tag)] : [];
  });
}

/** Refuses a change of something that is at another version. @throws AppError `version.stale` */
export function requireVersion(accepted: readonly number[] | undefined, present: number): void {
  if (accepted === undefined || accepted.includes(present)) return;
  throw AppError.of(
    httpErrors['version.stale'],
    `The present version is ${String(present)}, which is not the one named in If-Match. Read it again and repeat the change`,
    { details: { version: present } },
  );
}

/** The entity tag of a version. */
export function entityTagOf(version: number): string {
  return `"${String(version)}"`;
}

/** Documents that a route takes `If-Match`. */
export function ApiIfMatch(): MethodDecorator & ClassDecorator {
  return applyDecorators(
    ApiHeader({
      name: 'If-Match',
      required: false,
      description:
        'The version that the change is based on, as `ETag` gave it: `"3"`. Another one is refused with 412.',
      schema: { type: 'string' },
    }),
    ApiProblems(httpErrors['version.stale']),
  );
}
