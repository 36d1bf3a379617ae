import { decodeCursor, pageOf, type Page, type PageRequest } from '../../kernel/page.js';
import type {
  LabelMark,
  TemplateHead,
  TemplateRevision,
  TemplateVersion,
} from '../../templates/domain/template.js';
import {
  TemplateStore,
  type NewTemplate,
  type QuotingVersion,
  type TemplateFilter,
  type TemplateKey,
} from '../../templates/template.store.js';

interface Entry {
  readonly namespace: string;
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  /** Number n stands at n - 1. */
  readonly versions: TemplateVersion[];
  readonly labels: Map<string, LabelMark>;
}

export class MemoryTemplateStore extends TemplateStore {
  private readonly entries = new Map<string, Entry>();

  override create(namespace: string, { id, name, first }: NewTemplate): Promise<boolean> {
    const isTaken = this.entries.has(id) || this.entryOf(namespace, { name }) !== undefined;
    if (isTaken) return Promise.resolve(false);
    const { createdAt } = first;
    this.entries.set(id, { namespace, id, name, createdAt, versions: [first], labels: new Map() });
    return Promise.resolve(true);
  }

  override addVersion(namespace: string, id: string, version: TemplateVersion): Promise<boolean> {
    const entry = this.entryOf(namespace, { id });
    if (entry?.versions.length !== version.version - 1) return Promise.resolve(false);
    entry.versions.push(version);
    return Promise.resolve(true);
  }

  override find(namespace: string, key: TemplateKey): Promise<TemplateHead | undefined> {
    const entry = this.entryOf(namespace, key);
    return Promise.resolve(entry && headOf(entry));
  }

  override findVersion(namespace: string, id: string, version: number): Promise<TemplateVersion | undefined> {
    return Promise.resolve(this.entryOf(namespace, { id })?.versions[version - 1]);
  }

  override list(
    namespace: string,
    { tag, search }: TemplateFilter,
    page: PageRequest,
  ): Promise<Page<TemplateHead>> {
    // Every id is greater than the empty text, so a cursor that is not one of ours leaves nothing.
    const below = page.cursor === undefined ? undefined : (decodeCursor(page.cursor) ?? '');
    const found = [...this.entries.values()]
      .filter((entry) => entry.namespace === namespace && (below === undefined || entry.id < below))
      .map(headOf)
      .filter((head) => tag === undefined || head.tags.includes(tag))
      .filter((head) => search === undefined || textOf(head).includes(search.toLowerCase()))
      .sort((a, b) => (a.id < b.id ? 1 : -1));
    return Promise.resolve(pageOf(found.slice(0, page.limit + 1), page.limit, ({ id }) => id));
  }

  override listVersions(namespace: string, id: string, page: PageRequest): Promise<Page<TemplateRevision>> {
    const below = page.cursor === undefined ? Infinity : Number(decodeCursor(page.cursor));
    const versions = this.entryOf(namespace, { id })?.versions ?? [];
    const found = versions.filter(({ version }) => version < below).toReversed();
    const revisions = found.slice(0, page.limit + 1).map(revisionOf);
    return Promise.resolve(pageOf(revisions, page.limit, ({ version }) => String(version)));
  }

  override findQuoting(
    namespace: string,
    name: string,
    after?: Pick<QuotingVersion, 'id' | 'version'>,
  ): Promise<QuotingVersion | undefined> {
    const found = [...this.entries.values()]
      .filter((entry) => entry.namespace === namespace)
      .sort((a, b) => (a.id < b.id ? 1 : -1))
      .flatMap(({ id, name: of, versions }) =>
        versions.toReversed().map(({ version, body }) => ({ id, name: of, version, body })),
      )
      .filter(
        ({ id, version }) =>
          after === undefined || id < after.id || (id === after.id && version < after.version),
      )
      .find(({ body }) => ['"', "'"].some((mark) => JSON.stringify(body).includes(mark + name)));
    return Promise.resolve(found);
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

  override delete(namespace: string, id: string): Promise<boolean> {
    return Promise.resolve(this.entryOf(namespace, { id }) !== undefined && this.entries.delete(id));
  }

  private entryOf(namespace: string, key: TemplateKey): Entry | undefined {
    const entry =
      'id' in key
        ? this.entries.get(key.id)
        : [...this.entries.values()].find((one) => one.namespace === namespace && one.name === key.name);
    return entry?.namespace === namespace ? entry : undefined;
  }
}

function headOf({ id, name, createdAt, versions, labels }: Entry): TemplateHead {
  const latest = versions.at(-1);
  if (latest === undefined) throw new Error(`template ${id} has no version`);
  const { kind, description, tags } = latest.body;
  return {
    id,
    name,
    kind,
    ...(description !== undefined && { description }),
    tags,
    latest: latest.version,
    labels: [...labels.values()].sort((a, b) => (a.label < b.label ? -1 : 1)),
    createdAt,
    updatedAt: latest.createdAt,
  };
}

function textOf({ name, description = '' }: TemplateHead): string {
  return `${name} ${description}`.toLowerCase();
}

function revisionOf({ version, body, author, changeNote, createdAt }: TemplateVersion): TemplateRevision {
  return { version, kind: body.kind, author, ...(changeNote !== undefined && { changeNote }), createdAt };
}
