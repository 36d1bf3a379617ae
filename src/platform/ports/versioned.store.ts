/**
 * Named resources with immutable numbered versions and labels: agents, workflows. A feature makes it a port of its own
 * by extending it with the type of its body.
 *
 * Decided here: what changes together, and what is refused. Decided elsewhere: what a body may hold (the feature), who
 * asks again after a refusal, and what is cached (platform/versions).
 */
import type { Page, PageRequest } from '../../kernel/page.js';
import type { LabelMark, Revision, Versioned } from '../../kernel/versions.js';

/** Words that a resource is found by, under the name of a facet: `{ tag: ['music'], kind: ['llm'] }`. */
export type Facets = Readonly<Record<string, readonly string[]>>;

/** What lists show and filters look at: always as the latest version says it. */
export interface ResourceOutline {
  /** A name for people; need not be unique. */
  readonly title?: string;
  readonly description?: string;
  readonly facets: Facets;
}

/** A resource without what its versions hold. */
export interface ResourceHead extends Versioned, ResourceOutline {
  readonly id: string;
  /** Unique among resources of its type in the namespace; never changed. */
  readonly name: string;
  /** What was set last; belongs to the resource and to no version. */
  readonly status?: string;
  /** By name; `latest` is not among them. */
  readonly labels: readonly LabelMark[];
  readonly createdAt: number;
  /** When the latest version was made. */
  readonly updatedAt: number;
}

/** One immutable revision. */
export interface ResourceVersion<B> extends Revision {
  /** JSON; comes back as it was given. */
  readonly body: B;
}

/** Something that a version uses, by the words that its author used. */
export interface ResourceReference {
  /** What it is: `agent`, `template`, `workflow`. */
  readonly type: string;
  /** Its id, name or key. */
  readonly target: string;
}

/** A version to be kept, with what is found by it. */
export interface VersionEntry<B> {
  readonly content: ResourceVersion<B>;
  readonly outline: ResourceOutline;
  /** @default none */
  readonly references?: readonly ResourceReference[];
}

/** A resource with its first version, number 1. */
export interface NewResource<B> {
  readonly id: string;
  readonly name: string;
  readonly first: VersionEntry<B>;
}

/** What names a resource in its namespace. */
export type ResourceKey = { readonly id: string } | { readonly name: string };

/** Conditions of a list; all that are given must hold. */
export interface ResourceFilter {
  /** One word of each of these facets. */
  readonly facets?: Readonly<Record<string, string>>;
  readonly status?: string;
  /** Part of the name, the title or the description, without regard to the case of ASCII letters. */
  readonly search?: string;
}

/** A version that uses something. */
export interface Referrer {
  readonly id: string;
  readonly name: string;
  readonly version: number;
}

export abstract class VersionedStore<B> {
  /** Adds a resource; false when its name is taken in the namespace, or its id anywhere. Atomic. */
  abstract create(namespace: string, resource: NewResource<B>): Promise<boolean>;

  /**
   * Adds a version, if the latest one has the number before it. Atomic: of several that ask for one number, one gets
   * it, so numbers have no gap. False when another was faster, or the resource is gone.
   */
  abstract addVersion(namespace: string, id: string, entry: VersionEntry<B>): Promise<boolean>;

  /** A resource, or undefined when it does not exist in that namespace. */
  abstract find(namespace: string, key: ResourceKey): Promise<ResourceHead | undefined>;

  /** One version, or undefined when there is none of that number in that namespace. */
  abstract findVersion(
    namespace: string,
    id: string,
    version: number,
  ): Promise<ResourceVersion<B> | undefined>;

  /** Resources, newest first. */
  abstract list(namespace: string, filter: ResourceFilter, page: PageRequest): Promise<Page<ResourceHead>>;

  /** Versions, newest first; an empty page when the resource does not exist. */
  abstract listVersions(namespace: string, id: string, page: PageRequest): Promise<Page<Revision>>;

  /** Puts a label on a version, away from the one that had it. False when there is no such version. */
  abstract moveLabel(namespace: string, id: string, mark: LabelMark): Promise<boolean>;

  /** Takes a label away; false when no version has it. */
  abstract removeLabel(namespace: string, id: string, label: string): Promise<boolean>;

  /** Sets the status, or takes it away; makes no version. False when there is no such resource. */
  abstract setStatus(namespace: string, id: string, status: string | undefined): Promise<boolean>;

  /** Versions that use one of these targets, by id and version, at most `limit`; all versions count, old ones too. */
  abstract referrers(
    namespace: string,
    references: readonly ResourceReference[],
    limit: number,
  ): Promise<readonly Referrer[]>;

  /** Deletes a resource with all that is its own; false when there is none. Atomic. Its name is free again. */
  abstract delete(namespace: string, id: string): Promise<boolean>;
}
