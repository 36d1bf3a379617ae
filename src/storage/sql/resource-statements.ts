/** The statements of resources with versions. All types share them: the type is one of the values. */
import { sql, type SelectQueryBuilder } from 'kysely';

import type { LabelledResource } from './resource-rows.js';
import type { SqlDatabase } from './sql-database.js';
import type { Prepared, Slots } from './statement.js';
import type {
  ResourceFacetsTable,
  ResourceLabelsTable,
  ResourceReferencesTable,
  ResourcesTable,
  ResourceVersionsTable,
  Tables,
} from './tables.js';

/** What names the rows of one resource. */
export interface OwnedResource {
  readonly namespace: string;
  readonly type: string;
  readonly id: string;
}

/** Heads, each beside its labels. */
export function labelledResources({
  kysely,
}: SqlDatabase): SelectQueryBuilder<Tables, 'resources', LabelledResource> {
  return kysely
    .selectFrom('resources')
    .leftJoin('resource_labels', 'resource_labels.resource_id', 'resources.id')
    .selectAll('resources')
    .select(['label', 'version', 'reason', 'moved_by', 'moved_at'])
    .orderBy('label');
}

/** Compiled once for a database; another type that asks again is given the same ones. */
export class ResourceStatements {
  constructor(private readonly database: SqlDatabase) {}

  readonly insertHead = this.database.prepare('resource.create', (p: Slots<ResourcesTable>) =>
    this.database.kysely
      .insertInto('resources')
      .values({
        id: p.id,
        namespace: p.namespace,
        type: p.type,
        name: p.name,
        title: p.title,
        description: p.description,
        facets: p.facets,
        status: p.status,
        latest_version: p.latest_version,
        created_at: p.created_at,
        updated_at: p.updated_at,
      })
      .onConflict((conflict) => conflict.doNothing()),
  );
  /** The number of the latest version is what a new one must follow. */
  readonly raiseHead = this.database.prepare(
    'resource.raise',
    (p: Slots<Omit<ResourcesTable, 'name' | 'status' | 'created_at'> & { readonly before: number }>) =>
      this.database.kysely
        .updateTable('resources')
        .set({
          title: p.title,
          description: p.description,
          facets: p.facets,
          latest_version: p.latest_version,
          updated_at: p.updated_at,
        })
        .where('id', '=', p.id)
        .where('namespace', '=', p.namespace)
        .where('type', '=', p.type)
        .where('latest_version', '=', p.before),
  );
  readonly setStatus = this.database.prepare(
    'resource.status',
    (p: Slots<OwnedResource & { readonly status: string | null }>) =>
      this.database.kysely
        .updateTable('resources')
        .set({ status: p.status })
        .where('id', '=', p.id)
        .where('namespace', '=', p.namespace)
        .where('type', '=', p.type),
  );
  readonly insertVersion = this.database.prepare('resource.add-version', (p: Slots<ResourceVersionsTable>) =>
    this.database.kysely.insertInto('resource_versions').values({
      resource_id: p.resource_id,
      version: p.version,
      namespace: p.namespace,
      type: p.type,
      body: p.body,
      author: p.author,
      change_note: p.change_note,
      created_at: p.created_at,
    }),
  );
  readonly insertFacet = this.database.prepare('resource.add-facet', (p: Slots<ResourceFacetsTable>) =>
    this.database.kysely
      .insertInto('resource_facets')
      .values({
        namespace: p.namespace,
        type: p.type,
        facet: p.facet,
        value: p.value,
        resource_id: p.resource_id,
      })
      .onConflict((conflict) => conflict.doNothing()),
  );
  readonly insertReference = this.database.prepare('resource.refer', (p: Slots<ResourceReferencesTable>) =>
    this.database.kysely
      .insertInto('resource_references')
      .values({
        namespace: p.namespace,
        type: p.type,
        target_type: p.target_type,
        target: p.target,
        resource_id: p.resource_id,
        version: p.version,
      })
      .onConflict((conflict) => conflict.doNothing()),
  );
  /** Only on a version that exists. */
  readonly putLabel = this.database.prepare(
    'resource.label',
    (p: Slots<ResourceLabelsTable & { readonly type: string }>) => sql`
      insert into resource_labels (resource_id, label, namespace, version, reason, moved_by, moved_at)
      select resource_id, ${p.label}, namespace, version, ${p.reason}, ${p.moved_by}, cast(${p.moved_at} as bigint)
      from resource_versions
      where resource_id = ${p.resource_id} and version = ${p.version}
        and namespace = ${p.namespace} and type = ${p.type}
      on conflict (resource_id, label) do update set version = excluded.version, reason = excluded.reason,
        moved_by = excluded.moved_by, moved_at = excluded.moved_at`,
  );
  readonly takeLabel = this.database.prepare(
    'resource.unlabel',
    (p: Slots<OwnedResource & { readonly label: string }>) => sql`
      delete from resource_labels
      where resource_id = ${p.id} and label = ${p.label} and namespace = ${p.namespace}
        and exists (select 1 from resources where id = ${p.id} and type = ${p.type})`,
  );
  readonly findById = this.database.prepare('resource.find', (p: Slots<OwnedResource>) =>
    labelledResources(this.database)
      .where('resources.id', '=', p.id)
      .where('resources.namespace', '=', p.namespace)
      .where('resources.type', '=', p.type),
  );
  readonly findByName = this.database.prepare(
    'resource.find-name',
    (p: Slots<Omit<OwnedResource, 'id'> & { readonly name: string }>) =>
      labelledResources(this.database)
        .where('resources.namespace', '=', p.namespace)
        .where('resources.type', '=', p.type)
        .where('resources.name', '=', p.name),
  );
  readonly findNumber = this.database.prepare(
    'resource.version',
    (p: Slots<OwnedResource & { readonly version: number }>) =>
      this.database.kysely
        .selectFrom('resource_versions')
        .select(['version', 'body', 'author', 'change_note', 'created_at'])
        .where('resource_id', '=', p.id)
        .where('version', '=', p.version)
        .where('namespace', '=', p.namespace)
        .where('type', '=', p.type),
  );
  readonly listRevisions = this.database.prepare(
    'resource.versions',
    (p: Slots<OwnedResource & { readonly below: number; readonly limit: number }>) =>
      this.database.kysely
        .selectFrom('resource_versions')
        .select(['version', 'author', 'change_note', 'created_at'])
        .where('resource_id', '=', p.id)
        .where('namespace', '=', p.namespace)
        .where('type', '=', p.type)
        .where('version', '<', p.below)
        .orderBy('version', 'desc')
        .limit(p.limit),
  );
  readonly removeHead = this.database.prepare('resource.delete', (p: Slots<OwnedResource>) =>
    this.database.kysely
      .deleteFrom('resources')
      .where('id', '=', p.id)
      .where('namespace', '=', p.namespace)
      .where('type', '=', p.type),
  );
  readonly removeVersions = this.ownRows('resource.delete-versions', 'resource_versions');
  readonly removeLabels = this.ownRows('resource.delete-labels', 'resource_labels');
  readonly removeFacets = this.ownRows('resource.delete-facets', 'resource_facets');
  readonly removeReferences = this.ownRows('resource.delete-references', 'resource_references');

  /** Deletes what a resource has in one of its tables. */
  private ownRows(
    name: string,
    table: 'resource_versions' | 'resource_labels' | 'resource_facets' | 'resource_references',
  ): Prepared<Pick<OwnedResource, 'namespace' | 'id'>, unknown> {
    return this.database.prepare(
      name,
      (p: Slots<Pick<OwnedResource, 'namespace' | 'id'>>) =>
        sql`delete from ${sql.table(table)} where resource_id = ${p.id} and namespace = ${p.namespace}`,
    );
  }
}
