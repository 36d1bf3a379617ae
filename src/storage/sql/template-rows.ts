/** Templates as rows, and back. */
import type {
  LabelMark,
  TemplateHead,
  TemplateRevision,
  TemplateVersion,
} from '../../templates/domain/template.js';
import { present } from './run-rows.js';
import type { TemplateLabelsTable, TemplatesTable, TemplateVersionsTable } from './tables.js';

/** A template beside one of its labels; the columns of the label are null where it has none. */
export type LabelledRow = TemplatesTable & {
  readonly [K in keyof Pick<TemplateLabelsTable, 'label' | 'version' | 'reason' | 'moved_by' | 'moved_at'>]:
    TemplateLabelsTable[K] | null;
};

/** The columns of a head that each version brings along. */
export function headColumns({
  body,
  version,
  createdAt,
}: TemplateVersion): Pick<TemplatesTable, 'kind' | 'description' | 'tags' | 'latest_version' | 'updated_at'> {
  return {
    kind: body.kind,
    description: body.description ?? null,
    tags: JSON.stringify(body.tags),
    latest_version: version,
    updated_at: createdAt,
  };
}

export function versionColumns(
  namespace: string,
  id: string,
  version: TemplateVersion,
): TemplateVersionsTable {
  return {
    template_id: id,
    version: version.version,
    namespace,
    kind: version.body.kind,
    body: JSON.stringify(version.body),
    undeclared: JSON.stringify(version.undeclared),
    author: version.author,
    change_note: version.changeNote ?? null,
    created_at: version.createdAt,
  };
}

/** The head of a template from its rows, one for each label. */
export function headOf(row: TemplatesTable, labels: readonly LabelMark[]): TemplateHead {
  return {
    id: row.id,
    name: row.name,
    kind: row.kind,
    ...present('description', row.description),
    tags: JSON.parse(row.tags) as readonly string[],
    latest: row.latest_version,
    labels,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** The label of a row; none where its columns are null. */
export function labelIn(row: LabelledRow): readonly LabelMark[] {
  const { label, version, reason, moved_by: movedBy, moved_at: movedAt } = row;
  if (label === null || version === null || movedBy === null || movedAt === null) return [];
  return [{ label, version, ...present('reason', reason), movedBy, movedAt }];
}

export function versionOf(row: TemplateVersionsTable): TemplateVersion {
  return {
    version: row.version,
    body: bodyIn(row),
    undeclared: JSON.parse(row.undeclared) as readonly string[],
    ...authorshipOf(row),
  };
}

export function bodyIn({ body }: Pick<TemplateVersionsTable, 'body'>): TemplateVersion['body'] {
  return JSON.parse(body) as TemplateVersion['body'];
}

export function revisionOf(row: Omit<TemplateVersionsTable, 'body' | 'undeclared'>): TemplateRevision {
  return { version: row.version, kind: row.kind, ...authorshipOf(row) };
}

function authorshipOf(
  row: Pick<TemplateVersionsTable, 'author' | 'change_note' | 'created_at'>,
): Pick<TemplateVersion, 'author' | 'changeNote' | 'createdAt'> {
  return { author: row.author, ...present('changeNote', row.change_note), createdAt: row.created_at };
}
