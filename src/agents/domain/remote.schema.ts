/**
 * What settings say of a service elsewhere: its address, headers and credentials.
 *
 * Decided here: the shapes. Decided elsewhere: what a secret's name stands for, and which addresses may be called.
 */
import { z } from 'zod';

/** A secret by its name; the value is looked up when a call is made and is never in settings. */
export const secretRefSchema = z
  .strictObject({ secret: z.string().min(1).max(200) }, 'Expected `{ "secret": name }`')
  .describe('A secret by its name.');

const ADDRESS = 'Expected an http or https address without user and password';

/** An address that a call may go to; credentials in it would end up in messages. */
export const addressSchema = z.string(ADDRESS).max(2_000, ADDRESS).refine(isHttpAddress, ADDRESS);

/** Headers by name; a value is a text or a secret. */
export const headersSchema = z.record(
  z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'Expected the name of a header'),
  z.union(
    [z.string().regex(/^[\t\x20-\x7e]*$/, 'Expected what a header can carry'), secretRefSchema],
    'Expected a text or `{ "secret": name }`',
  ),
  'Expected an object of header names and values',
);

/** An MCP server that speaks streamable HTTP. */
export const toolServerSchema = z.strictObject({
  url: addressSchema.describe('Address of the MCP server (streamable HTTP).'),
  headers: headersSchema.describe('Headers of every call.').optional(),
  auth: z
    .strictObject({ type: z.literal('bearer'), secret: z.string().min(1).max(200) })
    .describe('A bearer token by the name of its secret.')
    .optional(),
});

export type ToolServer = z.infer<typeof toolServerSchema>;

/** True for an http or https address without credentials. */
export function isHttpAddress(text: string): boolean {
  const url = URL.parse(text);
  if (url === null) return false;
  return ['http:', 'https:'].includes(url.protocol) && url.username === '' && url.password === '';
}
