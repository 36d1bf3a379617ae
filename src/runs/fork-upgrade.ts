/** Entries of a manifest that a fork resolves anew. */
import { pinsOf } from '../agents/domain/agent.js';
import { AppError, type Issue } from '../kernel/failure.js';
import { httpErrors } from '../platform/http/http.errors.js';
import type { CheckedDefinition } from '../workflows/workflow.service.js';
import type { RunManifest } from './domain/run.events.js';

/** Which entries; all others stay as they are. */
export interface ForkUpgrade {
  /** References to agents, as the manifest names them: `claude`, `claude@production`. */
  readonly agents?: readonly string[];
  /** Steps whose templates are meant, as the manifest names them. */
  readonly templates?: readonly string[];
}

/**
 * The manifest with the versions that some of its entries mean now.
 *
 * @param now the same definition, resolved now
 * @throws AppError `request.invalid` for entries that the manifest does not have
 */
export function upgradedManifest(
  manifest: RunManifest,
  { agents = [], templates = [] }: ForkUpgrade,
  now: CheckedDefinition,
): RunManifest {
  const issues = [
    ...issuesOf('/upgrade/agents', agents, manifest.agents),
    ...issuesOf('/upgrade/templates', templates, manifest.templates ?? {}),
  ];
  if (issues.length > 0)
    throw AppError.of(httpErrors['request.invalid'], issues[0]?.message ?? '', { issues });
  const pins = pinsOf(now.agents);
  const newAgents = agents.flatMap((reference) => {
    const pin = pins[reference];
    return pin === undefined ? [] : [[reference, pin] as const];
  });
  const newTemplates = templates.flatMap((step) => {
    const template = Object.hasOwn(now.templates, step) ? now.templates[step] : undefined;
    return template === undefined ? [] : [[step, template] as const];
  });
  return {
    ...manifest,
    agents: { ...manifest.agents, ...Object.fromEntries(newAgents) },
    ...(manifest.templates && {
      templates: { ...manifest.templates, ...Object.fromEntries(newTemplates) },
    }),
  };
}

function issuesOf(pointer: string, asked: readonly string[], entries: object): readonly Issue[] {
  return asked.flatMap((name, index) =>
    Object.hasOwn(entries, name)
      ? []
      : [
          {
            pointer: `${pointer}/${String(index)}`,
            code: 'field.invalid',
            message: `the manifest of the run has no entry "${name}"`,
          },
        ],
  );
}
