import { sql, type SelectQueryBuilder } from 'kysely';

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
import {
  headColumns,
  headOf,
  labelIn,
  revisionOf,
  versionOf,
  type LabelledResource,
} from './resource-rows.js';
import { labelledResources, ResourceStatements, type OwnedResource } from './resource-statements.js';
import type { SqlDatabase } from './sql-database.js';
import { statementOf, type Statement } from './statement.js';
import type { ResourcesTable, Tables } from './tables.js';

type Listing = SelectQueryBuilder<Tables, 'resources', ResourcesTable>;

/** Larger than the number of any version. */
const NO_VERSION = Number.MAX_SAFE_INTEGER;

/** Resources of one type; all types share the tables. */
export abstract class SqlVersionedStore<B> extends VersionedStore<B> {
  private readonly statements = new ResourceStatements(this.database);

  protected constructor(
    private readonly database: SqlDatabase,
    private readonly type: string,
  ) {
    super();
  }

  override async create(namespace: string, { id, name, first }: NewResource<B>): Promise<boolean> {
    const { type } = this;
    const created = { status: null, created_at: first.content.createdAt };
    const head = { id, namespace, type, name, ...created, ...headColumns(first) };
    const { held } = await this.database.write({
      statements: [this.statements.insertHead.guard(head), ...this.rowsOf(namespace, id, first)],
    });
    return held;
  }

  override async addVersion(namespace: string, id: string, entry: VersionEntry<B>): Promise<boolean> {
    const raise = { ...this.owned(namespace, id), ...headColumns(entry), before: entry.content.version - 1 };
    const { held } = await this.database.write({
      statements: [
        this.statements.raiseHead.guard(raise),
        this.statements.removeFacets.bind({ namespace, id }),
        ...this.rowsOf(namespace, id, entry),
      ],
    });
    return held;
  }

  override async find(namespace: string, key: ResourceKey): Promise<ResourceHead | undefined> {
    const statement =
      'id' in key
        ? this.statements.findById.bind(this.owned(namespace, key.id))
        : this.statements.findByName.bind({ namespace, type: this.type, name: key.name });
    const rows: readonly LabelledResource[] = await this.database.read(statement);
    const [row] = rows;
    return row && headOf(row, rows.flatMap(labelIn));
  }

  override async findVersion(
    namespace: string,
    id: string,
    version: number,
  ): Promise<ResourceVersion<B> | undefined> {
    const values = { ...this.owned(namespace, id), version };
    const [row] = await this.database.read(this.statements.findNumber.bind(values));
    return row && versionOf(row);
  }

  override async list(
    namespace: string,
    filter: ResourceFilter,
    page: PageRequest,
  ): Promise<Page<ResourceHead>> {
    const below = page.cursor === undefined ? undefined : decodeCursor(page.cursor);
    if (page.cursor !== undefined && below === undefined) return { items: [] };
    const query = this.listing(namespace, filter, below).limit(page.limit + 1);
    const rows = await this.database.read(statementOf(query));
    const { items, ...rest } = pageOf(rows, page.limit, ({ id }) => id);
    const labels = await this.labelsOf(items.map(({ id }) => id));
    return { ...rest, items: items.map((row) => headOf(row, labels.get(row.id) ?? [])) };
  }

  override async listVersions(
    namespace: string,
    id: string,
    { limit, cursor }: PageRequest,
  ): Promise<Page<Revision>> {
    const below = cursor === undefined ? NO_VERSION : Number(decodeCursor(cursor));
    if (!Number.isSafeInteger(below)) return { items: [] };
    const values = { ...this.owned(namespace, id), below, limit: limit + 1 };
    const rows = await this.database.read(this.statements.listRevisions.bind(values));
    return pageOf(rows.map(revisionOf), limit, ({ version }) => String(version));
  }

  override moveLabel(namespace: string, id: string, mark: LabelMark): Promise<boolean> {
    const { label, version, reason, movedBy, movedAt } = mark;
    const values = { namespace, type: this.type, resource_id: id, label, version };
    const moved = { reason: reason ?? null, moved_by: movedBy, moved_at: movedAt };
    return this.changes(this.statements.putLabel.bind({ ...values, ...moved }));
  }

  override removeLabel(namespace: string, id: string, label: string): Promise<boolean> {
    return this.changes(this.statements.takeLabel.bind({ ...this.owned(namespace, id), label }));
  }

  override setStatus(namespace: string, id: string, status: string | undefined): Promise<boolean> {
    const values = { ...this.owned(namespace, id), status: status ?? null };
    return this.changes(this.statements.setStatus.bind(values));
  }

  override async referrers(
    namespace: string,
    references: readonly ResourceReference[],
    limit: number,
  ): Promise<readonly Referrer[]> {
    if (references.length === 0) return [];
    return this.database.read(statementOf(this.referring(namespace, references).limit(limit)));
  }

  override async delete(namespace: string, id: string): Promise<boolean> {
    const { removeHead, removeVersions, removeLabels, removeFacets, removeReferences } = this.statements;
    const rows = [removeVersions, removeLabels, removeFacets, removeReferences];
    const { held } = await this.database.write({
      statements: [
        removeHead.guard(this.owned(namespace, id)),
        ...rows.map((statement) => statement.bind({ namespace, id })),
      ],
    });
    return held;
  }

  /** The query of a page. Facets have an index that gives resources in the order of the page; a search looks at each. */
  listing(
    namespace: string,
    { facets = {}, status, search }: ResourceFilter,
    below: string | undefined,
  ): Listing {
    const [first, ...others] = Object.entries(facets);
    let query = first === undefined ? this.allOf(namespace) : this.withFacet(namespace, first);
    for (const [facet, value] of others) {
      query = query.where((build) =>
        build.exists(
          build
            .selectFrom('resource_facets as also')
            .select('also.resource_id')
            .where('also.namespace', '=', namespace)
            .where('also.type', '=', this.type)
            .where('also.facet', '=', facet)
            .where('also.value', '=', value)
            .whereRef('also.resource_id', '=', 'resources.id'),
        ),
      );
    }
    if (status !== undefined) query = query.where('resources.status', '=', status);
    if (search !== undefined) query = query.where(contains(search));
    return below === undefined ? query : query.where('resources.id', '<', below);
  }

  private allOf(namespace: string): Listing {
    return this.database.kysely
      .selectFrom('resources')
      .selectAll('resources')
      .where('resources.namespace', '=', namespace)
      .where('resources.type', '=', this.type)
      .orderBy('resources.id', 'desc');
  }

  private withFacet(namespace: string, [facet, value]: readonly [string, string]): Listing {
    return this.database.kysely
      .selectFrom('resource_facets')
      .innerJoin('resources', 'resources.id', 'resource_facets.resource_id')
      .selectAll('resources')
      .where('resource_facets.namespace', '=', namespace)
      .where('resource_facets.type', '=', this.type)
      .where('resource_facets.facet', '=', facet)
      .where('resource_facets.value', '=', value)
      .orderBy('resource_facets.resource_id', 'desc');
  }

  private referring(
    namespace: string,
    references: readonly ResourceReference[],
  ): SelectQueryBuilder<Tables, 'resource_references', Referrer> {
    return this.database.kysely
      .selectFrom('resource_references')
      .innerJoin('resources', 'resources.id', 'resource_references.resource_id')
      .select(['resources.id', 'resources.name', 'resource_references.version'])
      .distinct()
      .where('resource_references.namespace', '=', namespace)
      .where('resource_references.type', '=', this.type)
      .where((build) =>
        build.or(references.map(({ type, target }) => build.and({ target_type: type, target }))),
      )
      .orderBy('resources.id')
      .orderBy('resource_references.version');
  }

  private async labelsOf(ids: readonly string[]): Promise<ReadonlyMap<string, readonly LabelMark[]>> {
    const labels = new Map<string, LabelMark[]>();
    if (ids.length === 0) return labels;
    const query = labelledResources(this.database).where('resources.id', 'in', [...ids]);
    for (const row of await this.database.read(statementOf(query))) {
      labels.set(row.id, [...(labels.get(row.id) ?? []), ...labelIn(row)]);
    }
    return labels;
  }

  /** The rows that a version brings along. */
  private rowsOf(namespace: string, id: string, entry: VersionEntry<B>): readonly Statement[] {
    const { content, outline, references = [] } = entry;
    const { version, body, author, changeNote = null, createdAt } = content;
    const owned = { namespace, type: this.type, resource_id: id };
    const written = { author, change_note: changeNote, created_at: createdAt };
    const words = Object.entries(outline.facets).flatMap(([facet, values]) =>
      values.map((value) => ({ facet, value })),
    );
    return [
      this.statements.insertVersion.bind({ ...owned, version, body: JSON.stringify(body), ...written }),
      ...words.map((word) => this.statements.insertFacet.bind({ ...owned, ...word })),
      ...references.map(({ type, target }) =>
        this.statements.insertReference.bind({ ...owned, target_type: type, target, version }),
      ),
    ];
  }

  private owned(namespace: string, id: string): OwnedResource {
    return { namespace, type: this.type, id };
  }

  private async changes(statement: Statement): Promise<boolean> {
    const { results } = await this.database.write({ statements: [statement] });
    return (results[0]?.changes ?? 0) > 0;
  }
}

function contains(search: string): ReturnType<typeof sql<boolean>> {
  const pattern = `%${search.toLowerCase().replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
  const texts = [
    sql`resources.name`,
    sql`coalesce(resources.title, '')`,
    sql`coalesce(resources.description, '')`,
  ];
  const text = sql<string>`lower(${sql.join(texts, sql` || ' ' || `)})`;
  return sql<boolean>`${text} like ${pattern} escape '\\'`;
}
