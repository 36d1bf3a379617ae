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
