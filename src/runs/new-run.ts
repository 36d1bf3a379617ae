/** The row of a run that is about to be created. */
import { encodeEvent, type FirstEvent, type RunEvent } from './domain/run.events.js';
import type { RunState } from './domain/run.state.js';
import { summaryOf } from './domain/summary.js';
import type { NewRun } from './run.store.js';

/** The row of a run that begins with some events, whose fold is `state`. */
export function newRunOf(
  { namespace, appendId }: Pick<NewRun, 'namespace' | 'appendId'>,
  events: readonly [FirstEvent, ...RunEvent[]],
  state: RunState,
): NewRun {
  const [{ runId: id, at, data }] = events;
  const createdAt = Date.parse(at);
  const { definition, manifest, options } = data;
  const { name } = definition;
  return {
    id,
    namespace,
    ...(name === undefined ? {} : { name }),
    ...(manifest.workflow && {
      workflowId: manifest.workflow.id,
      workflowVersion: manifest.workflow.version,
    }),
    priority: options.priority,
    tags: options.tags,
    createdAt,
    summary: summaryOf(state, state.status === 'queued' ? createdAt : undefined),
    events: events.map(encodeEvent),
    appendId,
  };
}
