/**
 * Resources with versions (agents, workflows): heads, immutable versions, labels, facets, references. Times are
 * milliseconds since the epoch.
 */
import { sql, type RawBuilder } from 'kysely';

import type { SqlDialect } from '../dialect.js';
import type { Migration } from './migration.js';

export const resourcesMigration: Migration = {
  name: '0003-resources',
  async up(db, dialect) {
    for (const table of TABLES) await table(dialect).execute(db);
    for (const index of INDEXES) await sql.raw(index).execute(db);
  },
};

type Table = (dialect: SqlDialect) => RawBuilder<unknown>;

const resources: Table = ({ columns: { text, integer }, tables }) => sql`
  create table resources (
    id ${text} not null primary key,
    namespace ${text} not null,
    type ${text} not null,
    name ${text} not null,
    title ${text},
    description ${text},
    facets ${text} not null,
    status ${text},
    latest_version ${integer} not null,
    created_at ${integer} not null,
    updated_at ${integer} not null
  ) ${tables.plain}`;

const resourceVersions: Table = ({ columns: { text, integer }, tables }) => sql`
  create table resource_versions (
    resource_id ${text} not null,
    version ${integer} not null,
    namespace ${text} not null,
    type ${text} not null,
    body ${text} not null,
    author ${text} not null,
    change_note ${text},
    created_at ${integer} not null,
    primary key (resource_id, version)
  ) ${tables.plain}`;

const resourceLabels: Table = ({ columns: { text, integer }, tables }) => sql`
  create table resource_labels (
    resource_id ${text} not null,
    label ${text} not null,
    namespace ${text} not null,
    version ${integer} not null,
    reason ${text},
    moved_by ${text} not null,
    moved_at ${integer} not null,
    primary key (resource_id, label)
  ) ${tables.plain}`;

const resourceFacets: Table = ({ columns: { text }, tables }) => sql`
  create table resource_facets (
    namespace ${text} not null,
    type ${text} not null,
    facet ${text} not null,
    value ${text} not null,
    resource_id ${text} not null,
    primary key (namespace, type, facet, value, resource_id)
  ) ${tables.keyed}`;

const resourceReferences: Table = ({ columns: { text, integer }, tables }) => sql`
  create table resource_references (
    namespace ${text} not null,
    type ${text} not null,
    target_type ${text} not null,
    target ${text} not null,
    resource_id ${text} not null,
    version ${integer} not null,
    primary key (namespace, type, target_type, target, resource_id, version)
  ) ${tables.keyed}`;

const TABLES: readonly Table[] = [
  resources,
  resourceVersions,
  resourceLabels,
  resourceFacets,
  resourceReferences,
];

const INDEXES: readonly string[] = [
  `create index resources_listed on resources (namespace, type, id)`,
  `create unique index resources_by_name on resources (namespace, type, name)`,
  `create index resource_facets_of_resource on resource_facets (resource_id)`,
  `create index resource_references_of_resource on resource_references (resource_id)`,
];
