/** Prompt templates: heads, immutable versions, labels, tags. Times are milliseconds since the epoch. */
import { sql, type RawBuilder } from 'kysely';

import type { SqlDialect } from '../dialect.js';
import type { Migration } from './migration.js';

export const templatesMigration: Migration = {
  name: '0002-templates',
  async up(db, dialect) {
    for (const table of TABLES) await table(dialect).execute(db);
    for (const index of INDEXES) await sql.raw(index).execute(db);
  },
};

type Table = (dialect: SqlDialect) => RawBuilder<unknown>;

const templates: Table = ({ columns: { text, integer }, tables }) => sql`
  create table templates (
    id ${text} not null primary key,
    namespace ${text} not null,
    name ${text} not null,
    kind ${text} not null,
    description ${text},
    tags ${text} not null,
    latest_version ${integer} not null,
    created_at ${integer} not null,
    updated_at ${integer} not null
  ) ${tables.plain}`;

const templateVersions: Table = ({ columns: { text, integer }, tables }) => sql`
  create table template_versions (
    template_id ${text} not null,
    version ${integer} not null,
    namespace ${text} not null,
    kind ${text} not null,
    body ${text} not null,
    undeclared ${text} not null,
    author ${text} not null,
    change_note ${text},
    created_at ${integer} not null,
    primary key (template_id, version)
  ) ${tables.plain}`;

const templateLabels: Table = ({ columns: { text, integer }, tables }) => sql`
  create table template_labels (
    template_id ${text} not null,
    label ${text} not null,
    namespace ${text} not null,
    version ${integer} not null,
    reason ${text},
    moved_by ${text} not null,
    moved_at ${integer} not null,
    primary key (template_id, label)
  ) ${tables.plain}`;

const templateTags: Table = ({ columns: { text }, tables }) => sql`
  create table template_tags (
    namespace ${text} not null,
    tag ${text} not null,
    template_id ${text} not null,
    primary key (namespace, tag, template_id)
  ) ${tables.keyed}`;

const TABLES: readonly Table[] = [templates, templateVersions, templateLabels, templateTags];

const INDEXES: readonly string[] = [
  `create unique index templates_by_name on templates (namespace, name)`,
  `create index templates_listed on templates (namespace, id)`,
  `create index template_tags_of_template on template_tags (template_id)`,
];
