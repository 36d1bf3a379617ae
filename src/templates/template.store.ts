/**
 * Templates and their versions. Every version is there for good, until its template is deleted.
 *
 * Decided here: what changes together, and what is refused. Decided elsewhere: what a version may hold (domain/), who
 * asks again after a refusal (template.service.ts), and what is cached (template-source.ts).
 */
import type { Page, PageRequest } from '../kernel/page.js';
import type { LabelMark, TemplateHead, TemplateRevision, TemplateVersion } from './domain/template.js';

/** A template with its first version. */
export interface NewTemplate {
  readonly id: string;
  readonly name: string;
  /** Number 1. */
  readonly first: TemplateVersion;
}

/** What names a template in its namespace. */
export type TemplateKey = { readonly id: string } | { readonly name: string };

/** Conditions of a list; all that are given must hold. */
export interface TemplateFilter {
  readonly tag?: string;
  /** Part of the name or the description, without regard to the case of ASCII letters. */
  readonly search?: string;
}

/** A version that has a name in its text. */
export interface QuotingVersion extends Pick<TemplateVersion, 'version' | 'body'> {
  /** Of its template. */
  readonly id: string;
  /** Of its template. */
  readonly name: string;
}

export abstract class TemplateStore {
  /** Adds a template; false when its name is taken in the namespace, or its id anywhere. Atomic. */
  abstract create(namespace: string, template: NewTemplate): Promise<boolean>;

  /**
   * Adds a version, if the latest one has the number before it. Atomic: of several that ask for one number, one gets
   * it, so numbers have no gap. False when another was faster, or the template is gone.
   */
  abstract addVersion(namespace: string, id: string, version: TemplateVersion): Promise<boolean>;

  /** A template, or undefined when it does not exist in that namespace. */
  abstract find(namespace: string, key: TemplateKey): Promise<TemplateHead | undefined>;

  /** One version, or undefined when there is none of that number in that namespace. */
  abstract findVersion(namespace: string, id: string, version: number): Promise<TemplateVersion | undefined>;

  /** Templates, newest first. */
  abstract list(namespace: string, filter: TemplateFilter, page: PageRequest): Promise<Page<TemplateHead>>;

  /** Versions, newest first; an empty page when the template does not exist. */
  abstract listVersions(namespace: string, id: string, page: PageRequest): Promise<Page<TemplateRevision>>;

  /**
   * The next version that has a quotation mark before a name, as whatever includes a template of that name has. May
   * give one that has it for another reason. The newest template first, and of each the newest version; looks at every
   * text of the namespace.
   *
   * @param after the version before it; of a version 0 the next one is of another template
   */
  abstract findQuoting(
    namespace: string,
    name: string,
    after?: Pick<QuotingVersion, 'id' | 'version'>,
  ): Promise<QuotingVersion | undefined>;

  /** Puts a label on a version, away from the one that had it. False when there is no such version. */
  abstract moveLabel(namespace: string, id: string, mark: LabelMark): Promise<boolean>;

  /** Takes a label away; false when no version has it. */
  abstract removeLabel(namespace: string, id: string, label: string): Promise<boolean>;

  /** Deletes a template with its versions, labels and tags; false when there is none. Its name is free again. */
  abstract delete(namespace: string, id: string): Promise<boolean>;
}
