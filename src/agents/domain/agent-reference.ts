/** How a step names an agent: its key, alone or with the version or label that is meant. */
import type { VersionSelector } from '../../kernel/versions.js';

/** `key` means `production` where that label exists, else `latest`. */
export type AgentReference =
  | string
  | {
      readonly key: string;
      readonly version?: number | undefined;
      readonly label?: string | undefined;
    };

/** The key, and which version is meant. */
export function partsOf(reference: AgentReference): {
  readonly key: string;
  readonly selector: VersionSelector;
} {
  if (typeof reference === 'string') return { key: reference, selector: {} };
  const { key, version, label } = reference;
  return {
    key,
    selector: { ...(version !== undefined && { version }), ...(label !== undefined && { label }) },
  };
}

/** A reference in one text, `key`, `key@3` or `key@staging`: the name of what it meant in a run's manifest. */
export function textOf(reference: AgentReference): string {
  const { key, selector } = partsOf(reference);
  const wanted = selector.version ?? selector.label;
  return wanted === undefined ? key : `${key}@${String(wanted)}`;
}
