/**
 * Templates: a name, and a row of immutable versions numbered 1, 2, 3, …
 *
 * Decided here: what a version consists of, when two say the same, and which version a reference means.
 * Decided elsewhere: whether a text can be compiled (parse.ts), how versions are kept (template.store.ts).
 */
import { failureOf } from '../../kernel/failure.js';
import { canonicalJson, type Json, type JsonObject } from '../../kernel/json.js';
import { fail, ok, type Result } from '../../kernel/result.js';
import { templateErrors } from './template.errors.js';

/** One prompt, or a conversation. */
export type TemplateKind = 'text' | 'chat';

export const CHAT_ROLES = ['system', 'user', 'assistant'] as const;
export type ChatRole = (typeof CHAT_ROLES)[number];

/** One message of a conversation; its content is a template. */
export interface ChatMessage {
  readonly role: ChatRole;
  readonly content: string;
}

/** The place of a list of messages that a variable gives. */
export interface MessagePlaceholder {
  /** The name of the variable. */
  readonly placeholder: string;
}

/** One member of a chat template. */
export type TemplateMessage = ChatMessage | MessagePlaceholder;

export const VARIABLE_TYPES = [
  'string',
  'number',
  'integer',
  'boolean',
  'array',
  'object',
  'messages',
  'any',
] as const;

/** What a value may be; `messages` is a list of `{ role, content }`. */
export type VariableType = (typeof VARIABLE_TYPES)[number];

/** One declared variable. */
export interface VariableDeclaration {
  readonly name: string;
  readonly type: VariableType;
  /** @default true unless there is a `default` */
  readonly required?: boolean;
  /** The value where none is given. */
  readonly default?: Json;
  readonly description?: string;
  /** JSON Schema (draft 2020-12) that a value must satisfy, beside the type. */
  readonly schema?: JsonObject;
}

/** The text of a template: one, or the messages of a conversation in order. */
export type TemplateText =
  | { readonly kind: 'text'; readonly content: string }
  | { readonly kind: 'chat'; readonly messages: readonly TemplateMessage[] };

/** A text with its declared variables: all that rendering needs, beside what it includes. */
export type TemplateContent = TemplateText & { readonly variables: readonly VariableDeclaration[] };

/** Everything that a version keeps of what its author wrote. */
export type TemplateBody = TemplateContent & {
  readonly description?: string;
  readonly tags: readonly string[];
};

/** Who made a change, why, and when. */
export interface Authorship {
  /** The id of the key, or `anonymous` while the service has none. */
  readonly author: string;
  readonly changeNote?: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

/** One immutable revision. */
export interface TemplateVersion extends Authorship {
  /** From 1, without a gap. */
  readonly version: number;
  readonly body: TemplateBody;
  /** Variables that the text reads and nobody declared, in the order of their first use. */
  readonly undeclared: readonly string[];
}

/** A version without its text, for lists. */
export interface TemplateRevision extends Authorship {
  readonly version: number;
  readonly kind: TemplateKind;
}

/** A label and the version that carries it. */
export interface LabelMark {
  readonly label: string;
  readonly version: number;
  /** Why it was moved there. */
  readonly reason?: string;
  readonly movedBy: string;
  /** Milliseconds since the epoch. */
  readonly movedAt: number;
}

/** A template without the text of its versions. */
export interface TemplateHead {
  readonly id: string;
  /** Unique in the namespace; never changed. */
  readonly name: string;
  /** Of the latest version. */
  readonly kind: TemplateKind;
  readonly description?: string;
  readonly tags: readonly string[];
  /** The number of the latest version, and of all versions. */
  readonly latest: number;
  /** By name; `latest` is not among them. */
  readonly labels: readonly LabelMark[];
  readonly createdAt: number;
  /** When the latest version was made. */
  readonly updatedAt: number;
}

/** Which version is asked for; with neither, `production` where that label exists, else `latest`. */
export interface VersionSelector {
  readonly version?: number;
  readonly label?: string;
}

/** The version that a selector means, and the label that led there. */
export interface SelectedVersion {
  readonly version: number;
  readonly label?: string;
}

/** The label of the newest version. It belongs to the system. */
export const LATEST = 'latest';
/** The label that is meant where none is named. */
export const PRODUCTION = 'production';

/** The largest number of a version that can be asked for. */
export const MAX_VERSION = 999_999_999;

/** A slug. What looks like an id is no name, so one text names a template either way. */
export const TEMPLATE_NAME = /^(?!tpl_)[a-z0-9][a-z0-9._-]{0,99}$/;
/** Begins with a letter, so that it is never taken for a number of a version. */
export const LABEL_NAME = /^[a-z][a-z0-9._-]{0,63}$/;
/** The name of a variable, as Liquid reads it. */
export const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/;

/**
 * The version that a selector means.
 *
 * @returns `template.version-not-found` or `template.label-not-found` when nothing carries what was named
 */
export function selectVersion(
  head: TemplateHead,
  { version, label }: VersionSelector,
): Result<SelectedVersion> {
  if (version !== undefined) {
    if (version <= head.latest) return ok({ version });
    const message = `${head.name} has ${head.latest} versions, not a version ${version}`;
    return fail(failureOf(templateErrors['template.version-not-found'], message));
  }
  const wanted = label ?? PRODUCTION;
  const mark = head.labels.find((one) => one.label === wanted);
  if (mark !== undefined) return ok({ version: mark.version, label: wanted });
  if (label === undefined || label === LATEST) return ok({ version: head.latest, label: LATEST });
  const message = `no version of ${head.name} carries the label "${label}"`;
  return fail(failureOf(templateErrors['template.label-not-found'], message));
}

/** True when two bodies say the same, whatever the order of keys. */
export function isSameBody(left: TemplateBody, right: TemplateBody): boolean {
  return canonicalJson(left as unknown as Json) === canonicalJson(right as unknown as Json);
}

/** True for the place of a list of messages. */
export function isPlaceholder(message: TemplateMessage): message is MessagePlaceholder {
  return 'placeholder' in message;
}

/** A reference as an include writes it: `name`, `name@label` or `name@3`. Undefined for any other text. */
export function parseReference(text: string): ({ readonly name: string } & VersionSelector) | undefined {
  const [, name = '', after] = /^([^@]*)(?:@([^@]*))?$/.exec(text) ?? [];
  if (!TEMPLATE_NAME.test(name)) return undefined;
  if (after === undefined) return { name };
  if (/^[1-9]\d{0,8}$/.test(after)) return { name, version: Number(after) };
  return LABEL_NAME.test(after) ? { name, label: after } : undefined;
}
