/**
 * The kind of a step that does not say it.
 *
 * Decided here: a step that names a workflow runs it, any other one calls an agent. Decided elsewhere: what a kind is
 * (kinds/).
 */
import { getOwn, isJsonObject, setOwn, type Json, type JsonObject } from '../../kernel/json.js';

/** The kind of a step, whether or not there is such a kind. */
export function kindOf(step: JsonObject): string {
  const kind = getOwn(step, 'kind');
  if (typeof kind === 'string') return kind;
  return impliesWorkflow(step) ? 'workflow' : 'agent';
}

/** The same definition with the kind on each step that runs a workflow and does not say so; anything else as it is. */
export function withKinds(definition: unknown): unknown {
  const steps = isJsonObject(definition) ? getOwn(definition, 'steps') : undefined;
  if (!Array.isArray(steps)) return definition;
  const known = (steps as readonly Json[]).map(withKind);
  return known.every((step, index) => step === steps[index])
    ? definition
    : replaced(definition as JsonObject, 'steps', known);
}

function withKind(step: Json): Json {
  if (!isJsonObject(step)) return step;
  if (impliesWorkflow(step)) return replaced(step, 'kind', 'workflow');
  const repeat = getOwn(step, 'repeat');
  const body = isJsonObject(repeat) ? getOwn(repeat, 'body') : undefined;
  const known = withKinds(body) as Json | undefined;
  if (known === undefined || known === body) return step;
  return replaced(step, 'repeat', replaced(repeat as JsonObject, 'body', known));
}

function impliesWorkflow(step: JsonObject): boolean {
  const [kind, agent, workflow] = ['kind', 'agent', 'workflow'].map((field) => getOwn(step, field));
  return kind === undefined && agent === undefined && workflow !== undefined;
}

function replaced(json: JsonObject, field: string, value: Json): JsonObject {
  const out = {};
  for (const [key, member] of Object.entries(json)) setOwn(out, key, member);
  setOwn(out, field, value);
  return out;
}
