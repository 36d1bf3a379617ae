/** The settings of a `workflow` agent: a stored workflow, or a definition of its own. */
import { z } from 'zod';

const storedSchema = z
  .strictObject({
    id: z.string('Expected the id of a workflow').min(1).max(200).optional(),
    name: z.string('Expected the name of a workflow').min(1).max(200).optional(),
    version: z.int('Expected the number of a version').min(1, 'Expected the number of a version').optional(),
    label: z.string('Expected a label').min(1).max(64).optional(),
  })
  .refine(({ id, name }) => (id === undefined) !== (name === undefined), 'Expected either id or name')
  .refine(
    ({ version, label }) => version === undefined || label === undefined,
    'Expected a version or a label, not both',
  )
  .describe('A stored workflow; without version and label `production` where that exists, else `latest`.');

export const workflowSettingsSchema = z
  .strictObject({
    workflow: storedSchema.optional(),
    definition: z
      .record(z.string(), z.unknown(), 'Expected a definition')
      .describe('A definition that is stored nowhere else.')
      .optional(),
  })
  .refine(
    ({ workflow, definition }) => (workflow === undefined) !== (definition === undefined),
    'Expected either workflow or definition',
  );
