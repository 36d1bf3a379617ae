/**
 * Reads JSON request bodies on Fastify.
 *
 * Decided here: which media types are taken, and that bytes are checked (json-scan.ts) before they are parsed. Keys
 * named `__proto__` or `constructor` become ordinary own keys. A body without bytes is no body.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';

import { AppError } from '../../kernel/failure.js';
import { httpErrors } from './http.errors.js';
import { findJsonProblem, type JsonBounds, type JsonProblem } from './json-scan.js';

const MEDIA_TYPES = ['application/json', 'application/merge-patch+json'];

/** Replaces every body parser of a server by the one for JSON. */
export function useJsonBodies(server: FastifyInstance, bounds: JsonBounds): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser(MEDIA_TYPES, { parseAs: 'buffer' }, (request, body, done) => {
    try {
      done(null, parseJsonBody(request, body as Buffer, bounds));
    } catch (error) {
      done(error as Error);
    }
  });
}

/**
 * Parses JSON bytes within bounds; undefined when there are none.
 *
 * @throws AppError `request.invalid` with the place of the problem, `request.too-large` for too many keys
 */
export function parseJson(bytes: Buffer, bounds: JsonBounds): unknown {
  if (bytes.length === 0) return undefined;
  const problem = findJsonProblem(bytes, bounds);
  if (problem !== undefined) throw errorOf(problem, bytes);
  return JSON.parse(bytes.toString('utf8'));
}

function parseJsonBody(request: FastifyRequest, bytes: Buffer, bounds: JsonBounds): unknown {
  const { 'content-type': type = '', 'content-encoding': encoding = 'identity' } = request.headers;
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(type)?.[1]?.toLowerCase() ?? 'utf-8';
  if (charset !== 'utf-8' && charset !== 'utf8') {
    throw AppError.of(httpErrors['request.unsupported-media'], 'Expected a body in UTF-8');
  }
  if (encoding.toLowerCase() !== 'identity') {
    throw AppError.of(httpErrors['request.unsupported-media'], 'Expected a body without content encoding');
  }
  return parseJson(bytes, bounds);
}

function errorOf({ reason, offset, message }: JsonProblem, bytes: Buffer): AppError {
  const before = bytes.toString('utf8', 0, offset);
  const line = before.split('\n').length;
  const column = before.length - before.lastIndexOf('\n');
  const place = `line ${line}, column ${column}`;
  const type = httpErrors[reason === 'too-many-keys' ? 'request.too-large' : 'request.invalid'];
  return AppError.of(type, `The body is not accepted at ${place}: ${message}`, {
    details: { offset, line, column },
  });
}
