/** The settings of an `http` agent. */
import { z } from 'zod';

import type { Json } from '../../../kernel/json.js';
import { secretRefSchema } from '../../domain/remote.schema.js';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** They belong to the connection, not to the caller. */
const CONNECTION_HEADERS =
  /^(?:host|connection|content-length|transfer-encoding|keep-alive|upgrade|te|trailer|expect|proxy-.*)$/i;
const MAX_TIMEOUT_MS = 600_000;
const MAX_BYTES = 50 * 1024 * 1024;
const TIMEOUT = `Expected a whole number of milliseconds from 1 to ${MAX_TIMEOUT_MS}`;
const BYTES = `Expected a whole number of bytes from 1 to ${MAX_BYTES}`;

const headerNameSchema = z
  .string()
  .regex(TOKEN, 'Expected the name of a header')
  .refine((name) => !CONNECTION_HEADERS.test(name), 'This header belongs to the connection');

const secretNameSchema = z.string().min(1).max(200).describe('The name of a secret.');

export const authSchema = z.discriminatedUnion(
  'type',
  [
    z.strictObject({ type: z.literal('bearer'), secret: secretNameSchema }),
    z.strictObject({
      type: z.literal('basic'),
      username: z.union([z.string().regex(/^[^:]*$/, 'Expected no colon'), secretRefSchema]),
      secret: secretNameSchema.describe('The name of the secret that holds the password.'),
    }),
    z.strictObject({
      type: z.literal('header'),
      name: headerNameSchema.describe('The header that carries the secret.'),
      secret: secretNameSchema,
      prefix: z.string().max(100).describe('Before the secret, such as `Token `.').optional(),
    }),
    z
      .strictObject({
        type: z.literal('hmac'),
        secret: secretNameSchema,
        signatureHeader: headerNameSchema.default('x-signature'),
        timestampHeader: headerNameSchema.default('x-timestamp'),
        encoding: z.enum(['hex', 'base64']).default('hex'),
        prefix: z.string().max(100).describe('Before the signature, such as `sha256=`.').default(''),
      })
      .describe('HMAC-SHA-256 over the timestamp in seconds, a full stop and the body.'),
  ],
  'Expected `type`: bearer, basic, header or hmac',
);

export type HttpAuth = z.infer<typeof authSchema>;

const statusSchema = z.union(
  [z.int().min(100).max(599), z.string().regex(/^[1-5]xx$/)],
  'Expected a status such as 404, or a class such as "2xx"',
);

const responseSchema = z
  .strictObject({
    output: z
      .custom<Json>()
      .describe('The output, with braces that read `status`, `headers`, `body`, `input`, `agent`, `run`.')
      .optional(),
    transform: z
      .string()
      .describe('The output as CEL over the same values, in place of `output`: `body.items[0].id`.')
      .optional(),
    successStatus: z
      .array(statusSchema)
      .min(1)
      .max(50)
      .describe('Statuses that are a success.')
      .default(['2xx']),
  })
  .refine(
    ({ output, transform }) => output === undefined || transform === undefined,
    'Expected `output` or `transform`, not both',
  );

export const httpSettingsSchema = z
  .strictObject({
    method: z
      .enum(METHODS, `Expected one of ${METHODS.join(', ')}`)
      .default('POST')
      .describe('The method.'),
    url: z
      .string()
      .max(8000)
      .regex(
        /^https?:\/\/[^/?#{}\s@]+(?:[/?#]|$)/i,
        'Expected an http or https address without user and password, whose host has no braces',
      )
      .describe('The address. Braces after the host read the input; values are encoded for it.'),
    headers: z
      .record(
        headerNameSchema,
        z.union([z.string(), secretRefSchema], 'Expected a text or `{ "secret": name }`'),
      )
      .describe('Headers of the call; a value is a text with braces, or a secret.')
      .optional(),
    query: z
      .record(z.string(), z.custom<Json>())
      .describe('Parameters put after the address; a list gives one for each item, null none.')
      .optional(),
    body: z
      .custom<Json>()
      .describe('The body, with braces that read `input`, `agent`, `run`, `secrets`. Default: the input.')
      .optional(),
    response: responseSchema.optional(),
    auth: authSchema.optional(),
    timeoutMs: z
      .int(TIMEOUT)
      .min(1, TIMEOUT)
      .max(MAX_TIMEOUT_MS, TIMEOUT)
      .default(30_000)
      .describe('The whole exchange, redirects included, in milliseconds.'),
    maxResponseBytes: z
      .int(BYTES)
      .min(1, BYTES)
      .max(MAX_BYTES, BYTES)
      .default(10 * 1024 * 1024)
      .describe('The largest answer in bytes; a larger one is broken off.'),
  })
  .refine(({ method, body }) => body === undefined || (method !== 'GET' && method !== 'HEAD'), {
    path: ['body'],
    message: 'GET and HEAD send no body',
  });

export type HttpSettings = z.infer<typeof httpSettingsSchema>;
