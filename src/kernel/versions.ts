/**
 * Immutable numbered versions and the labels on them: what everything that has versions says alike.
 *
 * Decided here: which version a selector means. Decided elsewhere: what a version holds, and how it is kept
 * (platform/ports/versioned.store.ts).
 */
import { fail, ok, type Result } from './result.js';

/** Who made a version, why, and when. */
export interface Authorship {
  /** The id of the key, or `anonymous` while the service has none. */
  readonly author: string;
  readonly changeNote?: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

/** A version without what it holds, for lists. */
export interface Revision extends Authorship {
  /** From 1, without a gap. */
  readonly version: number;
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

/** What a selector asks for and nothing carries. */
export interface MissingVersion {
  readonly missing: 'version' | 'label';
  readonly message: string;
}

/** What has versions, as far as a selector looks at it. */
export interface Versioned {
  readonly name: string;
  /** The number of the latest version, and of all versions. */
  readonly latest: number;
  /** `latest` is not among them. */
  readonly labels: readonly LabelMark[];
}

/** The label of the newest version. It belongs to the system. */
export const LATEST = 'latest';
/** The label that is meant where none is named. */
export const PRODUCTION = 'production';
/** Begins with a letter, so that it is never taken for a number of a version. */
export const LABEL_NAME = /^[a-z][a-z0-9._-]{0,63}$/;

/** The version that a selector means, or what nothing carries. */
export function selectVersion(
  { name, latest, labels }: Versioned,
  { version, label }: VersionSelector,
): Result<SelectedVersion, MissingVersion> {
  if (version !== undefined) {
    if (version <= latest) return ok({ version });
    const message = `${name} has ${latest} versions, not a version ${version}`;
    return fail({ missing: 'version', message });
  }
  const wanted = label ?? PRODUCTION;
  const mark = labels.find((one) => one.label === wanted);
  if (mark !== undefined) return ok({ version: mark.version, label: wanted });
  if (label === undefined || label === LATEST) return ok({ version: latest, label: LATEST });
  return fail({ missing: 'label', message: `no version of ${name} carries the label "${label}"` });
}
