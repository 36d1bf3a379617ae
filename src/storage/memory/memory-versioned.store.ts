import { decodeCursor, pageOf, type Page, type PageRequest } from '../../kernel/page.js';
import type { LabelMark, Revision } from '../../kernel/versions.js';
import {
  VersionedStore,
  type NewResource,
  type Referrer,
  type ResourceFilter,
  type ResourceHead,
  type ResourceKey,
  type ResourceReference,
  type ResourceVersion,
  type VersionEntry,
} from '../../platform/ports/versioned.store.js';

interface Entry {
  readonly type: string;
  readonly namespace: string;
  readonly id: string;
  readonly name: string;
  status?: string | undefined;
  /** Number n stands at n - 1. */
  readonly versions: VersionEntry<unknown>[];
  readonly labels: Map<string, LabelMark>;
}

/** Resources of all types, by id. */
export type MemoryResources = Map<string, Entry>;

export class MemoryVersionedStore<B> extends VersionedStore<B> {
  constructor(
    private readonly resources: MemoryResources,
    private readonly type: string,
  ) {
    super();
  }

  override create(namespace: string, { id, name, first }: NewResource<B>): Promise<boolean> {
    const isTaken = this.resources.has(id) || this.entryOf(namespace, { name }) !== undefined;
    if (isTaken) return Promise.resolve(false);
    this.resources.set(id, {
      ...{ type: this.type, namespace, id, name },
      versions: [first],
      labels: new Map(),
    });
    return Promise.resolve(true);
  }

  override addVersion(namespace: string, id: string, entry: VersionEntry<B>): Promise<boolean> {
    const known = this.entryOf(namespace, { id });
    if (known?.versions.length !== entry.content.version - 1) return Promise.resolve(false);
    known.versions.push(entry);
    return Promise.resolve(true);
  }

  override find(namespace: string, key: ResourceKey): Promise<ResourceHead | undefined> {
    const entry = this.entryOf(namespace, key);
    return Promise.resolve(entry && headOf(entry));
  }

  override findVersion(
    namespace: string,
    id: string,
    version: number,
  ): Promise<ResourceVersion<B> | undefined> {
    const found = this.entryOf(namespace, { id })?.versions[version - 1]?.content;
    return Promise.resolve(found && (structuredClone(found) as ResourceVersion<B>));
  }

  override list(namespace: string, filter: ResourceFilter, page: PageRequest): Promise<Page<ResourceHead>> {
    // Every id is greater than the empty text, so a cursor that is not one of ours leaves nothing.
    const below = page.cursor === undefined ? undefined : (decodeCursor(page.cursor) ?? '');
    const found = this.ofNamespace(namespace)
      .filter(({ id }) => below === undefined || id < below)
      .map(headOf)
      .filter((head) => matches(head, filter))
      .sort((a, b) => (a.id < b.id ? 1 : -1));
    return Promise.resolve(pageOf(found.slice(0, page.limit + 1), page.limit, ({ id }) => id));
  }

  override listVersions(namespace: string, id: string, page: PageRequest): Promise<Page<Revision>> {
    const below = page.cursor === undefined ? Infinity : Number(decodeCursor(page.cursor));
    const versions = this.entryOf(namespace, { id })?.versions ?? [];
    const found = versions.map(({ content }) => content).filter(({ version }) => version < below);
    const revisions = found.toReversed().map(({ body: _, ...revision }) => revision);
    return Promise.resolve(
      pageOf(revisions.slice(0, page.limit + 1), page.limit, ({ version }) => String(version)),
    );
  }

  override moveLabel(namespace: string, id: string, mark: LabelMark): Promise<boolean> {
    const entry = this.entryOf(namespace, { id });
    if (entry?.versions[mark.version - 1] === undefined) return Promise.resolve(false);
    entry.labels.set(mark.label, mark);
    return Promise.resolve(true);
  }

  override removeLabel(namespace: string, id: string, label: string): Promise<boolean> {
    return Promise.resolve(this.entryOf(namespace, { id })?.labels.delete(label) ?? false);
  }

  override setStatus(namespace: string, id: string, status: string | undefined): Promise<boolean> {
    const entry = this.entryOf(namespace, { id });
    if (entry !== undefined) entry.status = status;
    return Promise.resolve(entry !== undefined);
  }

  override referrers(
    namespace: string,
    wanted: readonly ResourceReference[],
    limit: number,
  ): Promise<readonly Referrer[]> {
    const uses = ({ references = [] }: VersionEntry<unknown>): boolean =>
      references.some((one) => wanted.some(({ type, target }) => one.type === type && one.target === target));
    const found = this.ofNamespace(namespace)
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .flatMap(({ id, name, versions }) =>
        versions.filter(uses).map(({ content: { version } }) => ({ id, name, version })),
      );
    return Promise.resolve(found.slice(0, limit));
  }

  override delete(namespace: string, id: string): Promise<boolean> {
    return Promise.resolve(this.entryOf(namespace, { id }) !== undefined && this.resources.delete(id));
  }

  private ofNamespace(namespace: string): Entry[] {
    return [...this.resources.values()].filter(
      (entry) => entry.namespace === namespace && entry.type === this.type,
    );
  }

  private entryOf(namespace: string, key: ResourceKey): Entry | undefined {
    const entries = this.ofNamespace(namespace);
    return entries.find((entry) => ('id' in key ? entry.id === key.id : entry.name === key.name));
  }
}

function headOf({ id, name, status, versions, labels }: Entry): ResourceHead {
  const [first, latest] = [versions[0], versions.at(-1)];
  if (first === undefined || latest === undefined) throw new Error(`resource ${id} has no version`);
  return {
    id,
    name,
    ...latest.outline,
    ...(status !== undefined && { status }),
    latest: latest.content.version,
    labels: [...labels.values()].sort((a, b) => (a.label < b.label ? -1 : 1)),
    createdAt: first.content.createdAt,
    updatedAt: latest.content.createdAt,
  };
}

function matches(head: ResourceHead, { facets = {}, status, search = '' }: ResourceFilter): boolean {
  const { name, title = '', description = '' } = head;
  const hasWords = Object.entries(facets).every(([facet, value]) =>
    (head.facets[facet] ?? []).includes(value),
  );
  const isOfStatus = status === undefined || head.status === status;
  const text = `${name} ${title} ${description}`.toLowerCase();
  return hasWords && isOfStatus && text.includes(search.toLowerCase());
}
