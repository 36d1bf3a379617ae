/**
 * Metrics: how far the log was counted, the series, their figures by grain, what is remembered of open runs. History:
 * what runs are searched by.
 */
import { sql, type RawBuilder } from 'kysely';

import type { SqlDialect } from '../dialect.js';
import type { Migration } from './migration.js';

export const metricsMigration: Migration = {
  name: '0009-metrics',
  async up(db, dialect) {
    for (const table of TABLES) await table(dialect).execute(db);
    await sql`alter table runs add column failure_message ${dialect.columns.text}`.execute(db);
    for (const index of INDEXES) await sql.raw(index).execute(db);
  },
};

type Table = (dialect: SqlDialect) => RawBuilder<unknown>;

/** One row for each follower of the log across all namespaces. */
const logCursors: Table = ({ columns: { text, integer }, tables }) => sql`
  create table log_cursors (
    follower ${text} not null primary key,
    cursor ${text} not null,
    fold_version ${integer} not null
  ) ${tables.keyed}`;

const metricSeries: Table = ({ columns: { text, counter }, tables }) => sql`
  create table metric_series (
    id ${counter},
    namespace ${text} not null,
    dimension ${text} not null,
    parent ${text} not null,
    key ${text} not null
  ) ${tables.plain}`;

/** `figures` is JSON: counts and histograms. */
const metricFigures: Table = ({ columns: { text, integer }, tables }) => sql`
  create table metric_figures (
    series_id ${integer} not null,
    grain ${text} not null,
    at ${integer} not null,
    namespace ${text} not null,
    figures ${text} not null,
    primary key (series_id, grain, at)
  ) ${tables.keyed}`;

const metricOpenRuns: Table = ({ columns: { text }, tables }) => sql`
  create table metric_open_runs (
    run_id ${text} not null primary key,
    namespace ${text} not null,
    state ${text} not null
  ) ${tables.keyed}`;

const TABLES: readonly Table[] = [logCursors, metricSeries, metricFigures, metricOpenRuns];

const INDEXES: readonly string[] = [
  `create unique index metric_series_by_name on metric_series (namespace, dimension, parent, key)`,
  `create index runs_by_time on runs (namespace, created_at, id)`,
  // Most runs neither fail nor cost anything: these are small, and change once in the life of a run.
  `create index runs_failed on runs (namespace, id) where failure_code is not null`,
  `create index runs_by_failure on runs (namespace, failure_code, id) where failure_code is not null`,
  `create index runs_with_cost on runs (namespace, id) where cost_micros > 0`,
];
