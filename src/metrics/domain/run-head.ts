/**
 * What the first event of a run says of the series that the run is counted in.
 *
 * Decided here: which series those are. A run whose first event is not kept any more, or is of a form that this
 * release does not know, is counted among all runs and as unnamed.
 */
import { getOwn, isJsonObject, type Json } from '../../kernel/json.js';
import type { RunEvent } from '../../runs/domain/run.events.js';
import { seriesOf, UNNAMED, type Series, type SeriesGroup } from './series.js';

/** Which agent carries a step out, and which version of which template gives its input. */
interface StepHead {
  readonly agent?: string;
  readonly template?: { readonly id: string; readonly version: number };
  /** Whether its attempts are those of its items or iterations. */
  readonly isRepeated: boolean;
  /** Whether a run of its own does its work. */
  readonly isSubRun: boolean;
}

/** How the attempts of a step are counted. */
export interface CountedStep {
  /** What they are counted in. */
  readonly group: SeriesGroup;
  /** Whether its attempts are those of its items or iterations: the step itself is then no attempt. */
  readonly isRepeated: boolean;
  /** Whether a run of its own does its work. */
  readonly isSubRun: boolean;
}

export interface RunHead {
  readonly namespace: string;
  /** What the run as a whole is counted in. */
  readonly group: SeriesGroup;
  /** How a step is counted, by its id. */
  step(stepId: string): CountedStep;
  /** What attempts that a model answered are counted in, too. */
  modelGroup(model: string): SeriesGroup;
}

/** The head of a run. @param first its first event, when it is kept */
export function headOf(namespace: string, first: RunEvent | undefined): RunHead {
  const begun = (first?.data ?? {}) as Json;
  const definition = member(begun, 'definition');
  const manifest = member(begun, 'manifest');
  const workflow = workflowOf(first);
  const version = member(member(manifest, 'workflow'), 'version');
  const tags = listOf(member(member(begun, 'options'), 'tags')).filter((tag) => typeof tag === 'string');
  const steps = stepsOf(definition, member(manifest, 'templates'));
  const counted = new Map<string, CountedStep>();
  const run = { namespace, workflow, tags, ...(typeof version === 'number' && { version: String(version) }) };
  return {
    namespace,
    group: {
      name: nameOf('run', [namespace, workflow, run.version, ...tags]),
      series: () => seriesOfRun(run),
    },
    step(stepId) {
      let step = counted.get(stepId);
      if (step === undefined) counted.set(stepId, (step = countedStep(run, stepId, steps.get(stepId))));
      return step;
    },
    modelGroup: (model) => ({
      name: nameOf('model', [namespace, model]),
      series: () => [seriesOf(namespace, 'model', model)],
    }),
  };
}

/** The stored workflow's id, else the definition's name. */
export function workflowOf(first: RunEvent | undefined): string {
  const begun = (first?.data ?? {}) as Json;
  const stored = member(member(begun, 'manifest'), 'workflow');
  return textOf(member(stored, 'id')) ?? textOf(member(member(begun, 'definition'), 'name')) ?? UNNAMED;
}

/** The key of the agent of each step, by the id of the step. */
export function agentsOf(first: RunEvent): ReadonlyMap<string, string> {
  const steps = stepsOf(member(first.data as Json, 'definition'), undefined);
  const found = [...steps].flatMap(([id, { agent }]) => (agent === undefined ? [] : [[id, agent] as const]));
  return new Map(found);
}

interface RunNames {
  readonly namespace: string;
  readonly workflow: string;
  readonly version?: string;
  readonly tags: readonly string[];
}

/** Texts with their lengths, so that no two lists have one name. */
function nameOf(kind: string, parts: readonly (string | undefined)[]): string {
  let name = kind;
  for (const part of parts) {
    if (part === undefined) name += ' -';
    else name += ` ${String(part.length)} ${part}`;
  }
  return name;
}

function seriesOfRun({ namespace, workflow, version, tags }: RunNames): readonly Series[] {
  return [
    seriesOf(namespace, 'runs'),
    seriesOf(namespace, 'workflow', workflow),
    ...(version === undefined ? [] : [seriesOf(namespace, 'workflow_version', version, workflow)]),
    ...[...new Set(tags)].map((tag) => seriesOf(namespace, 'tag', tag)),
  ];
}

function countedStep(
  { namespace, workflow }: RunNames,
  stepId: string,
  { agent, template, isRepeated = false, isSubRun = false }: Partial<StepHead> = {},
): CountedStep {
  const group = {
    name: nameOf('step', [namespace, workflow, stepId, agent, template?.id, template?.version.toString()]),
    series: () => [
      seriesOf(namespace, 'attempts'),
      seriesOf(namespace, 'step', stepId, workflow),
      ...(agent === undefined ? [] : [seriesOf(namespace, 'agent', agent)]),
      ...(template === undefined
        ? []
        : [
            seriesOf(namespace, 'template', template.id),
            seriesOf(namespace, 'template_version', String(template.version), template.id),
          ]),
    ],
  };
  return { group, isRepeated, isSubRun };
}

/** Every step of a definition by its id, those within bodies included. */
function stepsOf(definition: Json | undefined, templates: Json | undefined): ReadonlyMap<string, StepHead> {
  const found = new Map<string, StepHead>();
  const open = [...listOf(member(definition, 'steps'))];
  for (let step = open.pop(); step !== undefined; step = open.pop()) {
    const id = textOf(member(step, 'id'));
    if (id === undefined) continue;
    const agent = textOf(member(step, 'agent')) ?? textOf(member(member(step, 'agent'), 'key'));
    const template = templateOf(member(templates, id));
    const isRepeated = member(step, 'forEach') !== undefined || member(step, 'repeat') !== undefined;
    found.set(id, {
      isRepeated,
      isSubRun: member(step, 'workflow') !== undefined,
      ...(agent !== undefined && { agent }),
      ...(template !== undefined && { template }),
    });
    open.push(...listOf(member(member(member(step, 'repeat'), 'body'), 'steps')));
  }
  return found;
}

function templateOf(pinned: Json | undefined): StepHead['template'] {
  const [id, version] = [textOf(member(pinned, 'id')), member(pinned, 'version')];
  return id === undefined || typeof version !== 'number' ? undefined : { id, version };
}

function member(value: Json | undefined, key: string): Json | undefined {
  return value !== undefined && isJsonObject(value) ? getOwn(value, key) : undefined;
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}
