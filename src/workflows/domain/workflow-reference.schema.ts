/**
 * How a request names a stored workflow and one of its versions.
 *
 * Decided here: the shape. Decided elsewhere: which version is meant where none is named (kernel/versions.ts).
 */
import { z } from 'zod';

const key = z.string().min(1).max(128);

/** The schema of a reference. */
export const workflowReferenceSchema = z
  .strictObject({
    id: key.exactOptional(),
    name: key.exactOptional(),
    version: z.int().min(1).exactOptional(),
    label: key.exactOptional(),
  })
  .refine(({ id, name }) => (id === undefined) !== (name === undefined), { error: 'give an id or a name' })
  .refine(({ version, label }) => version === undefined || label === undefined, {
    error: 'give a version or a label, not both',
  });

/** A workflow by id or name, at a version or label; with neither, `production` where that exists, else `latest`. */
export type WorkflowReference = z.infer<typeof workflowReferenceSchema>;
