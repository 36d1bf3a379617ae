/** Resources with versions as rows, and back. */
import type { LabelMark, Revision } from '../../kernel/versions.js';
import type {
  Facets,
  ResourceHead,
  ResourceVersion,
  VersionEntry,
} from '../../platform/ports/versioned.store.js';
import { present } from './run-rows.js';
import type { ResourceLabelsTable, ResourcesTable, ResourceVersionsTable } from './tables.js';

/** A resource beside one of its labels; the columns of the label are null where it has none. */
export type LabelledResource = ResourcesTable & {
  readonly [K in keyof Pick<ResourceLabelsTable, 'label' | 'version' | 'reason' | 'moved_by' | 'moved_at'>]:
    ResourceLabelsTable[K] | null;
};

/** A version without its body. */
export type RevisionRow = Pick<ResourceVersionsTable, 'version' | 'author' | 'change_note' | 'created_at'>;

/** The columns of a head that each version brings along. */
export function headColumns<B>({
  content,
  outline,
}: VersionEntry<B>): Pick<
  ResourcesTable,
  'title' | 'description' | 'facets' | 'latest_version' | 'updated_at'
> {
  return {
    title: outline.title ?? null,
    description: outline.description ?? null,
    facets: JSON.stringify(outline.facets),
    latest_version: content.version,
    updated_at: content.createdAt,
  };
}

/** The head of a resource from its row and its labels. */
export function headOf(row: ResourcesTable, labels: readonly LabelMark[]): ResourceHead {
  return {
    id: row.id,
    name: row.name,
    ...present('title', row.title),
    ...present('description', row.description),
    facets: JSON.parse(row.facets) as Facets,
    ...present('status', row.status),
    latest: row.latest_version,
    labels,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** The label of a row; none where its columns are null. */
export function labelIn(row: LabelledResource): readonly LabelMark[] {
  const { label, version, reason, moved_by: movedBy, moved_at: movedAt } = row;
  if (label === null || version === null || movedBy === null || movedAt === null) return [];
  return [{ label, version, ...present('reason', reason), movedBy, movedAt }];
}

export function versionOf<B>(row: RevisionRow & Pick<ResourceVersionsTable, 'body'>): ResourceVersion<B> {
  return { ...revisionOf(row), body: JSON.parse(row.body) as B };
}

export function revisionOf(row: RevisionRow): Revision {
  return {
    version: row.version,
    author: row.author,
    ...present('changeNote', row.change_note),
    createdAt: row.created_at,
  };
}
