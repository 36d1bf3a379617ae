import { sql, type SelectQueryBuilder } from 'kysely';

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
import { likeAnywhere, lowerAscii } from './like-pattern.js';
import type { SqlDatabase } from './sql-database.js';
import { statementOf, type Prepared, type Slots, type Statement } from './statement.js';
import type {
  Tables,
  TemplateLabelsTable,
  TemplatesTable,
  TemplateTagsTable,
  TemplateVersionsTable,
} from './tables.js';
import {
  bodyIn,
  headColumns,
  headOf,
  labelIn,
  revisionOf,
  versionColumns,
  versionOf,
  type LabelledRow,
} from './template-rows.js';

type Listing = SelectQueryBuilder<Tables, 'templates', TemplatesTable>;

/** What names the rows of one template. */
interface Owned {
  readonly namespace: string;
  readonly template_id: string;
}

/** What is looked for in texts, as patterns, and from where on. */
interface Quotation {
  readonly namespace: string;
  readonly after: string;
  readonly below: number;
  readonly double: string;
  readonly single: string;
}

/** Greater than any id. */
const NO_ID = '~';
/** Larger than the number of any version. */
const NO_VERSION = Number.MAX_SAFE_INTEGER;

export class SqlTemplateStore extends TemplateStore {
  constructor(private readonly database: SqlDatabase) {
    super();
  }

  private readonly insertHead = this.database.prepare('template.create', (p: Slots<TemplatesTable>) =>
    this.database.kysely
      .insertInto('templates')
      .values({
        id: p.id,
        namespace: p.namespace,
        name: p.name,
        kind: p.kind,
        description: p.description,
        tags: p.tags,
        latest_version: p.latest_version,
        created_at: p.created_at,
        updated_at: p.updated_at,
      })
      .onConflict((conflict) => conflict.doNothing()),
  );

  private readonly insertVersion = this.database.prepare(
    'template.add-version',
    (p: Slots<TemplateVersionsTable>) =>
      this.database.kysely.insertInto('template_versions').values({
        template_id: p.template_id,
        version: p.version,
        namespace: p.namespace,
        kind: p.kind,
        body: p.body,
        undeclared: p.undeclared,
        author: p.author,
        change_note: p.change_note,
        created_at: p.created_at,
      }),
  );

  /** The number of the latest version is what a new one must follow. */
  private readonly raiseHead = this.database.prepare(
    'template.raise',
    (p: Slots<Omit<TemplatesTable, 'name' | 'created_at'> & { readonly before: number }>) =>
      this.database.kysely
        .updateTable('templates')
        .set({
          kind: p.kind,
          description: p.description,
          tags: p.tags,
          latest_version: p.latest_version,
          updated_at: p.updated_at,
        })
        .where('id', '=', p.id)
        .where('namespace', '=', p.namespace)
        .where('latest_version', '=', p.before),
  );

  private readonly insertTag = this.database.prepare('template.tag', (p: Slots<TemplateTagsTable>) =>
    this.database.kysely
      .insertInto('template_tags')
      .values({ namespace: p.namespace, tag: p.tag, template_id: p.template_id })
      .onConflict((conflict) => conflict.doNothing()),
  );

  private readonly findById = this.database.prepare('template.find', (p: Slots<Owned>) =>
    this.labelled().where('templates.id', '=', p.template_id).where('templates.namespace', '=', p.namespace),
  );

  private readonly findByName = this.database.prepare(
    'template.find-name',
    (p: Slots<{ readonly namespace: string; readonly name: string }>) =>
      this.labelled().where('templates.namespace', '=', p.namespace).where('templates.name', '=', p.name),
  );

  private readonly findNumber = this.database.prepare(
    'template.version',
    (p: Slots<Owned & { readonly version: number }>) =>
      this.database.kysely
        .selectFrom('template_versions')
        .selectAll()
        .where('template_id', '=', p.template_id)
        .where('version', '=', p.version)
        .where('namespace', '=', p.namespace),
  );

  private readonly listRevisions = this.database.prepare(
    'template.versions',
    (p: Slots<Owned & { readonly below: number; readonly limit: number }>) =>
      this.database.kysely
        .selectFrom('template_versions')
        .select(['template_id', 'version', 'namespace', 'kind', 'author', 'change_note', 'created_at'])
        .where('template_id', '=', p.template_id)
        .where('namespace', '=', p.namespace)
        .where('version', '<', p.below)
        .orderBy('version', 'desc')
        .limit(p.limit),
  );

  /** The text is JSON, in which a quotation mark keeps its look, with a backslash before it. */
  private readonly findNextQuoting = this.database.prepare('template.quoting', (p: Slots<Quotation>) =>
    this.database.kysely
      .selectFrom('template_versions')
      .innerJoin('templates', 'templates.id', 'template_versions.template_id')
      .select(['templates.id', 'templates.name', 'version', 'body'])
      .where('template_versions.namespace', '=', p.namespace)
      .where('template_id', '<=', p.after)
      .where(sql<boolean>`(template_id < ${p.after} or version < ${p.below})`)
      .where(sql<boolean>`(body like ${p.double} escape '\\' or body like ${p.single} escape '\\')`)
      .orderBy('template_id', 'desc')
      .orderBy('version', 'desc')
      .limit(1),
  );

  /** Only on a version that exists. */
  private readonly putLabel = this.database.prepare(
    'template.label',
    (p: Slots<TemplateLabelsTable>) => sql`
    insert into template_labels (template_id, label, namespace, version, reason, moved_by, moved_at)
    select template_id, ${p.label}, namespace, version, ${p.reason}, ${p.moved_by}, cast(${p.moved_at} as bigint)
    from template_versions
    where template_id = ${p.template_id} and version = ${p.version} and namespace = ${p.namespace}
    on conflict (template_id, label) do update set version = excluded.version, reason = excluded.reason,
      moved_by = excluded.moved_by, moved_at = excluded.moved_at`,
  );

  private readonly takeLabel = this.database.prepare(
    'template.unlabel',
    (p: Slots<Owned & { readonly label: string }>) =>
      this.database.kysely
        .deleteFrom('template_labels')
        .where('template_id', '=', p.template_id)
        .where('label', '=', p.label)
        .where('namespace', '=', p.namespace),
  );

  private readonly removeVersions = this.removalFrom('template_versions', 'template.delete-versions');
  private readonly removeLabels = this.removalFrom('template_labels', 'template.delete-labels');
  private readonly removeTags = this.removalFrom('template_tags', 'template.untag');

  private readonly removeHead = this.database.prepare('template.delete', (p: Slots<Owned>) =>
    this.database.kysely
      .deleteFrom('templates')
      .where('id', '=', p.template_id)
      .where('namespace', '=', p.namespace),
  );

  override async create(namespace: string, { id, name, first }: NewTemplate): Promise<boolean> {
    const head = { id, namespace, name, created_at: first.createdAt, ...headColumns(first) };
    const { held } = await this.database.write({
      statements: [
        this.insertHead.guard(head),
        this.insertVersion.bind(versionColumns(namespace, id, first)),
        ...this.tagsOf(namespace, id, first),
      ],
    });
    return held;
  }

  override async addVersion(namespace: string, id: string, version: TemplateVersion): Promise<boolean> {
    const { held } = await this.database.write({
      statements: [
        this.raiseHead.guard({ id, namespace, before: version.version - 1, ...headColumns(version) }),
        this.insertVersion.bind(versionColumns(namespace, id, version)),
        this.removeTags.bind({ namespace, template_id: id }),
        ...this.tagsOf(namespace, id, version),
      ],
    });
    return held;
  }

  override async find(namespace: string, key: TemplateKey): Promise<TemplateHead | undefined> {
    const statement =
      'id' in key
        ? this.findById.bind({ namespace, template_id: key.id })
        : this.findByName.bind({ namespace, name: key.name });
    const rows: readonly LabelledRow[] = await this.database.read(statement);
    const [row] = rows;
    return row && headOf(row, rows.flatMap(labelIn));
  }

  override async findVersion(
    namespace: string,
    id: string,
    version: number,
  ): Promise<TemplateVersion | undefined> {
    const [row] = await this.database.read(this.findNumber.bind({ namespace, template_id: id, version }));
    return row && versionOf(row);
  }

  override async list(
    namespace: string,
    filter: TemplateFilter,
    page: PageRequest,
  ): Promise<Page<TemplateHead>> {
    const below = page.cursor === undefined ? undefined : decodeCursor(page.cursor);
    if (page.cursor !== undefined && below === undefined) return { items: [] };
    const query = this.listing(namespace, filter, below).limit(page.limit + 1);
    const { items, ...rest } = pageOf(
      await this.database.read(statementOf(query)),
      page.limit,
      ({ id }) => id,
    );
    const labels = await this.labelsOf(items.map(({ id }) => id));
    return { ...rest, items: items.map((row) => headOf(row, labels.get(row.id) ?? [])) };
  }

  override async listVersions(
    namespace: string,
    id: string,
    { limit, cursor }: PageRequest,
  ): Promise<Page<TemplateRevision>> {
    const below = cursor === undefined ? NO_VERSION : Number(decodeCursor(cursor));
    if (!Number.isSafeInteger(below)) return { items: [] };
    const values = { namespace, template_id: id, below, limit: limit + 1 };
    const rows = await this.database.read(this.listRevisions.bind(values));
    return pageOf(rows.map(revisionOf), limit, ({ version }) => String(version));
  }

  override async findQuoting(
    namespace: string,
    name: string,
    { id, version }: Pick<QuotingVersion, 'id' | 'version'> = { id: NO_ID, version: 0 },
  ): Promise<QuotingVersion | undefined> {
    const place = { namespace, after: id, below: version };
    const patterns = { double: likeAnywhere(`"${name}`), single: likeAnywhere(`'${name}`) };
    const [row] = await this.database.read(this.findNextQuoting.bind({ ...place, ...patterns }));
    return row && { ...row, body: bodyIn(row) };
  }

  override async moveLabel(namespace: string, id: string, mark: LabelMark): Promise<boolean> {
    const { label, version, reason, movedBy, movedAt } = mark;
    const values = { namespace, template_id: id, label, version };
    const moved = { reason: reason ?? null, moved_by: movedBy, moved_at: movedAt };
    return this.changes(this.putLabel.bind({ ...values, ...moved }));
  }

  override removeLabel(namespace: string, id: string, label: string): Promise<boolean> {
    return this.changes(this.takeLabel.bind({ namespace, template_id: id, label }));
  }

  override async delete(namespace: string, id: string): Promise<boolean> {
    const owned = { namespace, template_id: id };
    const { held } = await this.database.write({
      statements: [
        this.removeHead.guard(owned),
        this.removeVersions.bind(owned),
        this.removeLabels.bind(owned),
        this.removeTags.bind(owned),
      ],
    });
    return held;
  }

  /** The query of a page. Tags have an index that gives templates in the order of the page; a search looks at each. */
  listing(namespace: string, { tag, search }: TemplateFilter, below: string | undefined): Listing {
    let query = tag === undefined ? this.allTemplates(namespace) : this.taggedTemplates(namespace, tag);
    if (search !== undefined) {
      const text = sql<string>`lower(templates.name || ' ' || coalesce(templates.description, ''))`;
      query = query.where(sql<boolean>`${text} like ${likeAnywhere(lowerAscii(search))} escape '\\'`);
    }
    return below === undefined ? query : query.where('templates.id', '<', below);
  }

  private allTemplates(namespace: string): Listing {
    return this.database.kysely
      .selectFrom('templates')
      .selectAll('templates')
      .where('templates.namespace', '=', namespace)
      .orderBy('templates.id', 'desc');
  }

  private taggedTemplates(namespace: string, tag: string): Listing {
    return this.database.kysely
      .selectFrom('template_tags')
      .innerJoin('templates', 'templates.id', 'template_tags.template_id')
      .selectAll('templates')
      .where('template_tags.namespace', '=', namespace)
      .where('template_tags.tag', '=', tag)
      .orderBy('template_tags.template_id', 'desc');
  }

  /** All rows that one template has in a table. */
  private removalFrom(
    table: 'template_versions' | 'template_labels' | 'template_tags',
    name: string,
  ): Prepared<Owned, unknown> {
    return this.database.prepare(name, (p: Slots<Owned>) =>
      this.database.kysely
        .deleteFrom(table)
        .where('template_id', '=', p.template_id)
        .where('namespace', '=', p.namespace),
    );
  }

  private labelled(): SelectQueryBuilder<Tables, 'templates', LabelledRow> {
    return this.database.kysely
      .selectFrom('templates')
      .leftJoin('template_labels', 'template_labels.template_id', 'templates.id')
      .selectAll('templates')
      .select(['label', 'version', 'reason', 'moved_by', 'moved_at'])
      .orderBy('label');
  }

  private async labelsOf(ids: readonly string[]): Promise<ReadonlyMap<string, readonly LabelMark[]>> {
    const labels = new Map<string, LabelMark[]>();
    if (ids.length === 0) return labels;
    const query = this.labelled().where('templates.id', 'in', [...ids]);
    for (const row of await this.database.read(statementOf(query))) {
      labels.set(row.id, [...(labels.get(row.id) ?? []), ...labelIn(row)]);
    }
    return labels;
  }

  private tagsOf(namespace: string, id: string, { body }: TemplateVersion): readonly Statement[] {
    return body.tags.map((tag) => this.insertTag.bind({ namespace, tag, template_id: id }));
  }

  private async changes(statement: Statement): Promise<boolean> {
    const { results } = await this.database.write({ statements: [statement] });
    return (results[0]?.changes ?? 0) > 0;
  }
}
