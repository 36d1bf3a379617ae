/** Calling an agent: an attempt with the resolved input. */
import { evaluateValue } from '../../../expressions/value.js';
import type { Json, JsonObject } from '../../../kernel/json.js';
import type { Result } from '../../../kernel/result.js';
import { renderProgram, type RenderedTemplate } from '../../../templates/domain/render.js';
import type { AgentWork } from '../../../workflows/domain/kinds/agent.step.js';
import { located } from '../located.js';
import type { EngineKind } from './step-kind.js';

export const agentStep: EngineKind<'agent'> = {
  needsPlace: true,
  resolve(work, resolving) {
    const { input, variables } = work;
    if (input.program === undefined && variables === undefined) return { kind: 'start', input: input.json };
    const { scope } = resolving();
    const value = evaluateValue(input, scope);
    if (!value.ok) return { kind: 'fail', failure: located(value.failure, 'input') };
    if (variables === undefined) return { kind: 'start', input: value.value };
    const rendered = renderTemplate(work, scope);
    if (!rendered.ok) return { kind: 'fail', failure: located(rendered.failure, 'template') };
    return { kind: 'start', input: { ...(value.value as JsonObject), ...promptOf(rendered.value) } };
  },
};

function renderTemplate(
  { agentKey, template, variables }: AgentWork,
  scope: JsonObject,
): Result<RenderedTemplate> {
  if (template === undefined || variables === undefined)
    throw new TypeError(`a step of agent ${agentKey} lacks its template`);
  const values = evaluateValue(variables, scope);
  return values.ok ? renderProgram(template.program, values.value as JsonObject, template.check) : values;
}

/** A text as `prompt`; a chat as `messages`, with what the system says apart, as agents take it. */
function promptOf(rendered: RenderedTemplate): JsonObject {
  if (rendered.kind === 'text') return { prompt: rendered.text };
  const said = rendered.messages.filter(({ role }) => role === 'system').map(({ content }) => content);
  const messages: readonly Json[] = rendered.messages
    .filter(({ role }) => role !== 'system')
    .map((message) => ({ ...message }));
  return { messages, ...(said.length > 0 && { system: said.join('\n\n') }) };
}
