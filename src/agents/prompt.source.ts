/**
 * PromptSource: prompt templates, for agents whose settings name one.
 *
 * Decided here: how a text is asked for. Decided elsewhere: versions, labels and the language of templates.
 */
import type { JsonObject } from '../kernel/json.js';

/** Which text: a template by id or name, in a version or under a label. */
export interface PromptReference {
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  readonly version?: number | undefined;
  readonly label?: string | undefined;
}

export abstract class PromptSource {
  /**
   * The text of a template with these variables.
   *
   * @throws AppError `template.not-found`, `template.variable-missing` and what else rendering can fail with;
   *   `agent.not-configured` for a template that is a conversation
   */
  abstract render(namespace: string, reference: PromptReference, variables: JsonObject): Promise<string>;
}
