-- append.advance
update "runs" set "last_seq" = ?, "started_at" = ?, "ended_at" = ?, "steps_total" = ?, "steps_completed" = ?, "steps_failed" = ?, "steps_skipped" = ?, "input_tokens" = ?, "output_tokens" = ?, "cost_micros" = ?, "failure_code" = ?, "failure_message" = ?, "updated_at" = ?, "wake_at" = case when inbox_pending > 0 or owner_id is null
  then case when ? < ? then ? else ? end else ? end where "id" = ? and "namespace" = ? and "epoch" = ? and "last_seq" = ? returning "inbox_seq";

-- append.end
update "runs" set "status" = ?, "owner_id" = ? where "id" = ?;

-- append.find
select "append_id" from "run_appends" where "run_id" = ? and "first_seq" = ?;

-- append.insert
insert into "run_appends" ("run_id", "namespace", "first_seq", "last_seq", "append_id", "events") values (?, ?, ?, ?, ?, ?);

-- append.insert-first
insert into "run_appends" ("run_id", "namespace", "first_seq", "last_seq", "append_id", "events") values (?, ?, ?, ?, ?, ?) on conflict ("run_id", "first_seq") do nothing;

-- append.quiet
update "runs" set "last_seq" = ?, "started_at" = ?, "ended_at" = ?, "steps_total" = ?, "steps_completed" = ?, "steps_failed" = ?, "steps_skipped" = ?, "input_tokens" = ?, "output_tokens" = ?, "cost_micros" = ?, "failure_code" = ?, "failure_message" = ?, "updated_at" = ?, "wake_at" = ? where "id" = ? and "namespace" = ? and "epoch" = ? and "last_seq" = ? and "owner_id" = ? and "inbox_seq" = ? and "inbox_pending" = 0;

-- append.read
select "runs"."last_seq", "run_appends"."first_seq", "run_appends"."events" from "runs" left join "run_appends" on "run_appends"."run_id" = ? and "run_appends"."first_seq" <= ? and "run_appends"."first_seq" >= (select coalesce(max(first_seq), 1) from run_appends
  where run_id = ? and first_seq <= ? + 1) where "runs"."id" = ? and "runs"."namespace" = ? order by "run_appends"."first_seq";

-- append.settle-inbox
update "runs" set "inbox_pending" = (select count(*) from run_inbox where run_inbox.run_id = runs.id), "wake_at" = case when (select count(*) from run_inbox where run_inbox.run_id = runs.id) > 0 or owner_id is null then wake_at else ? end where "id" = ?;

-- append.status
update "runs" set "status" = ? where "id" = ? and "status" <> ?;

-- approval.assign
insert into "approval_assignees" ("namespace", "assignee", "requested_at", "approval_id") values (?, ?, ?, ?) on conflict do nothing;

-- approval.close
update "approvals" set "status" = ?, "decision" = ?, "data" = ?, "answered_by" = ?, "resolved_at" = ? where "run_id" = ? and "path" = ? and "namespace" = ? and "status" = ?;

-- approval.find
select * from "approvals" where "id" = ? and "namespace" = ?;

-- approval.insert
insert into "approvals" ("id", "namespace", "run_id", "path", "status", "asked", "requested_at", "expires_at") values (?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing;

-- audit.insert
insert into "audit_log" ("id", "namespace", "actor", "action", "target", "details", "at") values (?, ?, ?, ?, ?, ?, ?) on conflict do nothing;

-- blob.delete-own
delete from "blobs" where "namespace" = ? and "created_at" < ? and hash in (select hash from run_blobs where namespace = ? and run_id = ?) and not exists (select 1 from run_blobs where run_blobs.namespace = blobs.namespace
  and run_blobs.hash = blobs.hash and run_blobs.run_id <> ?);

-- blob.find
select "bytes" from "blobs" where "namespace" = ? and "hash" = ?;

-- blob.find-of-run
select "blobs"."bytes" from "run_blobs" inner join "blobs" on "blobs"."namespace" = "run_blobs"."namespace" and "blobs"."hash" = "run_blobs"."hash" where "run_blobs"."namespace" = ? and "run_blobs"."run_id" = ? and "run_blobs"."hash" = ?;

-- blob.forget-run
delete from "run_blobs" where "namespace" = ? and "run_id" = ?;

-- blob.put
insert into "blobs" ("namespace", "hash", "bytes", "created_at") values (?, ?, ?, ?) on conflict ("namespace", "hash") do update set "created_at" = "excluded"."created_at" where "blobs"."created_at" < excluded.created_at - cast(1800000 as bigint);

-- blob.refer
insert into "run_blobs" ("namespace", "run_id", "hash") values (?, ?, ?) on conflict do nothing;

-- checkpoint.find
select "seq", "fold_version", "state" from "run_checkpoints" where "run_id" = ? and "fold_version" = ?;

-- checkpoint.put
insert into "run_checkpoints" ("run_id", "seq", "fold_version", "state") select id, cast(? as bigint), cast(? as bigint), ? from runs
  where id = ? on conflict ("run_id") do update set "seq" = "excluded"."seq", "fold_version" = "excluded"."fold_version", "state" = "excluded"."state" where "run_checkpoints"."seq" <= "excluded"."seq";

-- database.now
select cast(? as bigint) as "now";

-- delivery.cursor
select "cursor" from "webhook_cursors" where "id" = ?;

-- delivery.find
select * from "webhook_deliveries" where "id" = ? and "webhook_id" = ?;

-- delivery.forget
delete from "webhook_deliveries" where "webhook_id" = ? and "created_at" < ? and "status" <> ?;

-- delivery.insert
insert into webhook_deliveries
  (id, webhook_id, namespace, run_id, seq, type, status, tries, attempts, created_at, next_at)
  values (?, ?, ?, ?, ?, ?, 'pending', 0, '[]',
  ?, case when exists (
  select 1 from webhook_deliveries before
  where before.webhook_id = ? and before.run_id = ? and before.status = 'pending'
  ) then null else cast(? as bigint) end);

-- delivery.lock-webhook
update "webhooks" set "failures" = "failures" where "id" = ?;

-- delivery.move-cursor
update "webhook_cursors" set "cursor" = ? where "id" = ? and "cursor" = ?;

-- delivery.next-closing
select "open_until" from "webhooks" where "is_enabled" = ? and "open_until" > ? order by "open_until" limit ?;

-- delivery.next-due
select "webhook_deliveries"."next_at" from "webhook_deliveries" inner join "webhooks" on "webhooks"."id" = "webhook_deliveries"."webhook_id" where "webhook_deliveries"."next_at" is not null and "webhooks"."is_enabled" = ? and ("webhooks"."open_until" is null or "webhooks"."open_until" <= ?) order by "webhook_deliveries"."next_at" limit ?;

-- delivery.release-firsts
update webhook_deliveries set next_at = ?
  where webhook_id = ? and status = 'pending' and next_at is null and not exists (
  select 1 from webhook_deliveries before
  where before.webhook_id = webhook_deliveries.webhook_id and before.run_id = webhook_deliveries.run_id
  and before.status = 'pending' and before.seq < webhook_deliveries.seq);

-- delivery.release-next
update "webhook_deliveries" set "next_at" = ? where "next_at" is null and "id" = (select "id" from "webhook_deliveries" where "webhook_id" = ? and "run_id" = ? and "status" = 'pending' order by "seq" limit ?);

-- delivery.replay-one
update "webhook_deliveries" set "status" = ?, "tries" = ?, "settled_at" = ?, "next_at" = ? where "id" = ? and "webhook_id" = ?;

-- delivery.replay-span
update "webhook_deliveries" set "status" = ?, "tries" = ?, "settled_at" = ?, "next_at" = ? where "webhook_id" = ? and "created_at" >= ? and "created_at" <= ? and "status" <> ?;

-- delivery.set-breaker
update "webhooks" set "failures" = ?, "open_until" = ?, "reason" = ? where "id" = ?;

-- delivery.settle
update "webhook_deliveries" set "status" = ?, "tries" = ?, "next_at" = ?, "attempts" = ?, "settled_at" = ? where "id" = ? and "status" = ? and "tries" = ?;

-- duty.add
insert into "duties" ("name", "owner_id") select name, cast(null as text) from (select value ->> 0 as "name" from json_each(?)) as wanted where true on conflict ("name") do nothing;

-- duty.count-held
select count(*) as "held" from "duties" inner join "owners" on "owners"."id" = "duties"."owner_id" where "duties"."name" in (select name from (select value ->> 0 as "name" from json_each(?)) as wanted) and "owners"."id" <> ? and "owners"."retired_at" is null;

-- duty.give-up
update "duties" set "owner_id" = ? where "owner_id" = ?;

-- duty.take
update "duties" set "owner_id" = ? where "name" in (select name from (select value ->> 0 as "name" from json_each(?)) as wanted) and exists (select "owners"."id" from "owners" where "owners"."id" = ? and "owners"."retired_at" is null and "owners"."expires_at" > ?) and ("duties"."owner_id" is null or not exists (select "holder"."id" from "owners" as "holder" where "holder"."id" = "duties"."owner_id" and "holder"."id" <> ? and "holder"."retired_at" is null)) returning "name";

-- idempotency.abandon
delete from "idempotency_keys" where "namespace" = ? and "operation" = ? and "key" = ? and "answer" is null and "run_id" is null;

-- idempotency.complete
update "idempotency_keys" set "answer" = ? where "namespace" = ? and "operation" = ? and "key" = ? and "answer" is null;

-- idempotency.find
select * from "idempotency_keys" where "namespace" = ? and "operation" = ? and "key" = ? and "expires_at" > ?;

-- idempotency.replace
insert into "idempotency_keys" ("namespace", "operation", "key", "body_hash", "created_at", "expires_at", "run_id", "answer") values (?, ?, ?, ?, ?, ?, ?, ?) on conflict ("namespace", "operation", "key") do update set "body_hash" = "excluded"."body_hash", "created_at" = "excluded"."created_at", "expires_at" = "excluded"."expires_at", "run_id" = "excluded"."run_id", "answer" = "excluded"."answer";

-- idempotency.row
select * from "idempotency_keys" where "namespace" = ? and "operation" = ? and "key" = ?;

-- idempotency.sweep
delete from idempotency_keys where (namespace, operation, key) in (
  select namespace, operation, key from idempotency_keys
  where expires_at <= ? order by expires_at limit ?);

-- idempotency.take
insert into "idempotency_keys" ("namespace", "operation", "key", "body_hash", "created_at", "expires_at", "run_id", "answer") values (?, ?, ?, ?, ?, ?, ?, ?) on conflict ("namespace", "operation", "key") do update set "body_hash" = "excluded"."body_hash", "created_at" = "excluded"."created_at", "expires_at" = "excluded"."expires_at", "run_id" = "excluded"."run_id", "answer" = "excluded"."answer" where "idempotency_keys"."expires_at" <= ?;

-- inbox.delete
delete from "run_inbox" where "run_id" = ? and "id" = ?;

-- inbox.hold-claim
update "runs" set "inbox_pending" = inbox_pending where "id" = ? and "owner_id" = ? and "epoch" = ?;

-- inbox.insert
insert into "run_inbox" ("run_id", "namespace", "command", "at") select id, namespace, ?, cast(? as bigint) from runs
  where id = ? and namespace = ?;

-- inbox.insert-open
insert into "run_inbox" ("run_id", "namespace", "command", "at") select id, namespace, ?, cast(? as bigint) from runs
  where id = ? and namespace = ? and ended_at is null;

-- inbox.pending
select "runs"."inbox_seq", "runs"."namespace", "run_inbox"."id", "run_inbox"."command", "run_inbox"."at" from "runs" left join "run_inbox" on "run_inbox"."run_id" = "runs"."id" where "runs"."id" = ? order by "run_inbox"."id";

-- inbox.recount
update "runs" set "inbox_pending" = (select count(*) from run_inbox where run_inbox.run_id = runs.id) where "id" = ?;

-- inbox.wake
update "runs" set "inbox_seq" = inbox_seq + 1, "inbox_pending" = inbox_pending + 1, "wake_at" = ? where "id" = ? and "namespace" = ?;

-- inbox.wake-open
update "runs" set "inbox_seq" = inbox_seq + 1, "inbox_pending" = inbox_pending + 1, "wake_at" = ? where "id" = ? and "namespace" = ? and "ended_at" is null;

-- key.add
insert into "api_keys" ("id", "namespace", "name", "role", "hash", "agents", "created_at", "expires_at", "revoked_at") values (?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict ("hash") do nothing;

-- key.add-first
insert into "api_keys" ("id", "namespace", "name", "role", "hash", "created_at") select ?, ?, ?, ?, ?, cast(? as bigint)
  where not exists (select 1 from api_keys);

-- key.any
select "id" from "api_keys" limit ?;

-- key.find
select * from "api_keys" where "hash" = ?;

-- key.list
select * from "api_keys" where "namespace" = ? order by "created_at" desc, "id" desc;

-- key.revoke
update "api_keys" set "revoked_at" = ? where "id" = ? and "namespace" = ? and "revoked_at" is null;

-- limit.adjust
update limit_buckets set level = level - cast(? as bigint)
  where namespace = ? and key = ? and bucket = ?;

-- limit.drop-expired
delete from limit_slots
  where namespace = ? and key = ? and expires_at <= ?;

-- limit.enter
insert into limit_keys (namespace, key, paused_until) values (?, ?, 0)
  on conflict (namespace, key) do update set paused_until = limit_keys.paused_until
  where limit_keys.paused_until <= ?;

-- limit.fill
insert into limit_buckets (namespace, key, bucket, level, filled_at)
  values (?, ?, ?, ?, ?)
  on conflict (namespace, key, bucket) do update set
  level = case
  when ? <= limit_buckets.filled_at then limit_buckets.level
  when limit_buckets.level + (? - limit_buckets.filled_at) * cast(? as bigint)
  > cast(? as bigint) then cast(? as bigint)
  else limit_buckets.level + (? - limit_buckets.filled_at) * cast(? as bigint) end,
  filled_at = ?;

-- limit.first-free
select ? as now, min(expires_at) as until from limit_slots
  where namespace = ? and key = ? and expires_at > ?
  having count(*) >= cast(? as bigint);

-- limit.level
select namespace, key, bucket, level, filled_at, ? as now from limit_buckets
  where namespace = ? and key = ? and bucket = ?;

-- limit.pause
insert into limit_keys (namespace, key, paused_until)
  values (?, ?, ? + cast(? as bigint))
  on conflict (namespace, key) do update set paused_until = case
  when limit_keys.paused_until > excluded.paused_until then limit_keys.paused_until
  else excluded.paused_until end;

-- limit.pause-left
select ? as now, paused_until as until from limit_keys
  where namespace = ? and key = ? and paused_until > ?;

-- limit.release
delete from limit_slots where namespace = ? and key = ? and holder = ?;

-- limit.renew
update limit_slots set expires_at = ? + cast(? as bigint)
  where holder = ? and expires_at > ?;

-- limit.take
update limit_buckets set level = level - cast(? as bigint)
  where namespace = ? and key = ? and bucket = ?
  and level >= cast(? as bigint);

-- limit.take-slot
insert into limit_slots (namespace, key, holder, expires_at)
  select ?, ?, ?, ? + cast(? as bigint)
  where (select count(*) from limit_slots where namespace = ? and key = ?)
  < cast(? as bigint);

-- log-cursor.find
select "cursor" from "log_cursors" where "follower" = ?;

-- log-cursor.move
insert into "log_cursors" ("follower", "cursor", "fold_version") values (?, ?, ?) on conflict ("follower") do update set "cursor" = ?;

-- log.changes
select run_id, namespace from run_appends
  where position > ? group by run_id, namespace order by max(position) desc limit ?;

-- log.head
select '0' as xid, (select coalesce(max(position), 0) from run_appends) as position;

-- log.read
select '0' as xid, position, namespace, events from run_appends
  where position > ? order by position limit ?;

-- metric.add-series
insert into metric_series (namespace, dimension, parent, key)
  select namespace, dimension, parent, key from (select value ->> 0 as "namespace", value ->> 1 as "dimension", value ->> 2 as "parent", value ->> 3 as "key" from json_each(?)) r
  where true on conflict do nothing;

-- metric.begin
insert into "log_cursors" ("follower", "cursor", "fold_version") values (?, ?, ?) on conflict do nothing;

-- metric.forget
delete from metric_open_runs
  where run_id in (select r.run_id from (select value ->> 0 as "run_id" from json_each(?)) r);

-- metric.kept
select r.namespace, r.dimension, r.parent, r.key, r.grain, r.at, f.figures
  from (select value ->> 0 as "namespace", value ->> 1 as "dimension", value ->> 2 as "parent", value ->> 3 as "key", value ->> 4 as "grain", value ->> 5 as "at" from json_each(?)) r cross join metric_series s cross join metric_figures f
  where s.namespace = r.namespace and s.dimension = r.dimension and s.parent = r.parent and s.key = r.key
  and f.series_id = s.id and f.grain = r.grain and f.at = r.at;

-- metric.move
update "log_cursors" set "cursor" = ? where "follower" = ? and "cursor" = ? and "fold_version" = ?;

-- metric.open
select run_id, state from metric_open_runs
  where run_id in (select r.run_id from (select value ->> 0 as "run_id" from json_each(?)) r);

-- metric.position
select * from "log_cursors" where "follower" = ?;

-- metric.prune
delete from "metric_figures" where "series_id" in (select "id" from "metric_series") and "grain" = ? and "at" < ?;

-- metric.prune-series
delete from metric_series
  where not exists (select 1 from metric_figures where metric_figures.series_id = metric_series.id);

-- metric.put
insert into metric_figures (series_id, grain, at, namespace, figures)
  select s.id, r.grain, r.at, r.namespace, r.figures
  from (select value ->> 0 as "namespace", value ->> 1 as "dimension", value ->> 2 as "parent", value ->> 3 as "key", value ->> 4 as "grain", value ->> 5 as "at", value ->> 6 as "figures" from json_each(?)) r cross join metric_series s
  where s.namespace = r.namespace and s.dimension = r.dimension and s.parent = r.parent and s.key = r.key
  on conflict (series_id, grain, at) do update set figures = excluded.figures;

-- metric.remember
insert into metric_open_runs (run_id, namespace, state)
  select run_id, namespace, state from (select value ->> 0 as "run_id", value ->> 1 as "namespace", value ->> 2 as "state" from json_each(?)) r
  where true on conflict (run_id) do update set state = excluded.state;

-- metric.series
select * from "metric_series" where "namespace" = ?;

-- owner.attention
select "id" from "runs" where "owner_id" = ? and "wake_at" <= ? order by "wake_at", "id" limit 1000;

-- owner.forget
delete from "owners" where "retired_at" < ? - 86400000 and not exists (select "runs"."id" from "runs" where "runs"."owner_id" = "owners"."id");

-- owner.next-expiry
select min(expires_at) as "expires_at" from "owners" where "retired_at" is null;

-- owner.renew
insert into "owners" ("id", "expires_at", "retired_at") values (?, ? + cast(? as bigint), ?) on conflict ("id") do update set "expires_at" = "excluded"."expires_at" where "owners"."expires_at" > ? and "owners"."retired_at" is null returning "expires_at";

-- owner.retire
insert into "owners" ("id", "expires_at", "retired_at") values (?, ?, ?) on conflict ("id") do update set "retired_at" = "excluded"."retired_at" where "owners"."retired_at" is null;

-- owner.retire-all
update "owners" set "retired_at" = ? where "retired_at" is null;

-- owner.retire-expired
update "owners" set "retired_at" = ? where "retired_at" is null and "expires_at" <= ?;

-- purge.approvals
delete from "approvals" where run_id = ?;

-- purge.assignees
delete from approval_assignees
  where approval_id in (select id from approvals where run_id = ?);

-- purge.idempotency_keys
delete from "idempotency_keys" where run_id = ?;

-- purge.metric_open_runs
delete from "metric_open_runs" where run_id = ?;

-- purge.parent
select 1 as is_free where not exists (select 1 from runs where id = ?);

-- purge.remember
insert into purged_runs (run_id, namespace, item, purged_at, blobs_at)
  select ?, ?, ?, cast(? as bigint),
  case when exists (select 1 from run_blobs where namespace = ? and run_id = ?)
  then cast(? as bigint) end
  where true
  on conflict (run_id) do update
  set item = excluded.item, purged_at = excluded.purged_at, blobs_at = excluded.blobs_at;

-- purge.run
delete from runs where id = ? and namespace = ? and last_seq = ?
  and ended_at is not null and owner_id is null;

-- purge.run_appends
delete from "run_appends" where run_id = ?;

-- purge.run_checkpoints
delete from "run_checkpoints" where run_id = ?;

-- purge.run_inbox
delete from "run_inbox" where run_id = ?;

-- purge.tag
delete from run_tags where namespace = ? and tag = ? and run_id = ?;

-- purge.tasks
delete from "tasks" where run_id = ?;

-- purge.unread
select 1 as is_read where not exists (
  select 1 from run_appends where run_id = ? and position > ?);

-- resource.add-facet
insert into "resource_facets" ("namespace", "type", "facet", "value", "resource_id") values (?, ?, ?, ?, ?) on conflict do nothing;

-- resource.add-version
insert into "resource_versions" ("resource_id", "version", "namespace", "type", "body", "author", "change_note", "created_at") values (?, ?, ?, ?, ?, ?, ?, ?);

-- resource.create
insert into "resources" ("id", "namespace", "type", "name", "title", "description", "facets", "status", "latest_version", "created_at", "updated_at") values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing;

-- resource.delete
delete from "resources" where "id" = ? and "namespace" = ? and "type" = ?;

-- resource.delete-facets
delete from "resource_facets" where resource_id = ? and namespace = ?;

-- resource.delete-labels
delete from "resource_labels" where resource_id = ? and namespace = ?;

-- resource.delete-references
delete from "resource_references" where resource_id = ? and namespace = ?;

-- resource.delete-versions
delete from "resource_versions" where resource_id = ? and namespace = ?;

-- resource.find
select "resources".*, "label", "version", "reason", "moved_by", "moved_at" from "resources" left join "resource_labels" on "resource_labels"."resource_id" = "resources"."id" where "resources"."id" = ? and "resources"."namespace" = ? and "resources"."type" = ? order by "label";

-- resource.find-name
select "resources".*, "label", "version", "reason", "moved_by", "moved_at" from "resources" left join "resource_labels" on "resource_labels"."resource_id" = "resources"."id" where "resources"."namespace" = ? and "resources"."type" = ? and "resources"."name" = ? order by "label";

-- resource.label
insert into resource_labels (resource_id, label, namespace, version, reason, moved_by, moved_at)
  select resource_id, ?, namespace, version, ?, ?, cast(? as bigint)
  from resource_versions
  where resource_id = ? and version = ?
  and namespace = ? and type = ?
  on conflict (resource_id, label) do update set version = excluded.version, reason = excluded.reason,
  moved_by = excluded.moved_by, moved_at = excluded.moved_at;

-- resource.raise
update "resources" set "title" = ?, "description" = ?, "facets" = ?, "latest_version" = ?, "updated_at" = ? where "id" = ? and "namespace" = ? and "type" = ? and "latest_version" = ?;

-- resource.refer
insert into "resource_references" ("namespace", "type", "target_type", "target", "resource_id", "version") values (?, ?, ?, ?, ?, ?) on conflict do nothing;

-- resource.status
update "resources" set "status" = ? where "id" = ? and "namespace" = ? and "type" = ?;

-- resource.unlabel
delete from resource_labels
  where resource_id = ? and label = ? and namespace = ?
  and exists (select 1 from resources where id = ? and type = ?);

-- resource.version
select "version", "body", "author", "change_note", "created_at" from "resource_versions" where "resource_id" = ? and "version" = ? and "namespace" = ? and "type" = ?;

-- resource.versions
select "version", "author", "change_note", "created_at" from "resource_versions" where "resource_id" = ? and "namespace" = ? and "type" = ? and "version" < ? order by "version" desc limit ?;

-- retention.blobs-due
select namespace, run_id from purged_runs where blobs_at is not null and blobs_at <= ?
  order by blobs_at limit ?;

-- retention.blobs-gone
update purged_runs set blobs_at = null where run_id = ? and namespace = ?;

-- retention.children
select * from runs where parent_id = ? and namespace = ? and ended_at is not null
  order by id limit ?;

-- retention.due
select runs.*, (select count(*) from webhook_deliveries
  where webhook_deliveries.run_id = runs.id and webhook_deliveries.status = 'pending') as is_told
  from runs
  where ended_at is not null and ended_at < ?
  and (ended_at, id) > (cast(? as bigint), ?) and (runs.parent_id is null
  or not exists (select 1 from runs as parents where parents.id = runs.parent_id))
  order by ended_at, id limit ?;

-- retention.find
select item from purged_runs where run_id = ? and namespace = ?;

-- retention.forget
delete from purged_runs where run_id in (
  select run_id from purged_runs where purged_at < ? and blobs_at is null
  order by purged_at limit ?);

-- retention.next
select (select min(purged_at) from purged_runs) as purged_at,
  (select min(blobs_at) from purged_runs where blobs_at is not null) as blobs_at;

-- retention.next-end
select ended_at from runs
  where ended_at is not null and ended_at >= ? and (runs.parent_id is null
  or not exists (select 1 from runs as parents where parents.id = runs.parent_id))
  order by ended_at, id limit 1;

-- room.clear
delete from "blobs" where "namespace" = ?;

-- room.fill
insert into "blobs" ("namespace", "hash", "bytes", "created_at") values (?, ?, ?, ?);

-- run.claim
update "runs" set "owner_id" = ?, "epoch" = epoch + 1 where "id" = ? and "owner_id" is null and epoch = coalesce(?, epoch) and exists (select "owners"."id" from "owners" where "owners"."id" = ? and "owners"."retired_at" is null and "owners"."expires_at" > ?) returning "namespace", "epoch", "last_seq", "inbox_seq";

-- run.count
select "status", count(*) as "runs" from "runs" group by "namespace", "status";

-- run.count-before
select count(*) as runs from runs
  where status = 'queued' and owner_id is null and wake_at is not null
  and (priority > ?
  or (priority = ? and (wake_at, id) < (cast(? as bigint), ?)));

-- run.count-open
with recursive spaces(namespace) as (
  select min(namespace) from runs
  union all
  select (select min(namespace) from runs where namespace > spaces.namespace) from spaces
  where spaces.namespace is not null)
  select runs.status, count(*) as runs from spaces join runs on runs.namespace = spaces.namespace
  where runs.status in ('queued', 'running', 'waiting', 'paused', 'cancelling') group by runs.status;

-- run.count-queued
select count(*) as "queued" from "runs" where "status" = 'queued' and "owner_id" is null and "parent_id" is null;

-- run.due
select "id", "epoch", "priority", "wake_at" from "runs" where "owner_id" is null and "priority" = ? and "wake_at" <= ? order by "wake_at", "id" limit ?;

-- run.due-levels
with recursive levels(level) as (
  select max(priority) from runs where owner_id is null and wake_at is not null
  union all
  select (select max(priority) from runs where owner_id is null and wake_at is not null and priority < level) from levels where level is not null
  )
  select level as priority,
  (select min(wake_at) from runs where owner_id is null and wake_at is not null and priority = level) as first_at,
  (select min(wake_at) from runs where owner_id is null and wake_at is not null and priority = level and wake_at > ?) as next_at
  from levels where level is not null order by level desc;

-- run.exists
select "id" from "runs" where "id" = ?;

-- run.find
select * from "runs" where "id" = ? and "namespace" = ?;

-- run.find-ahead
select runs.id, runs.namespace, runs.last_seq
  from (select value ->> 0 as "run_id", value ->> 1 as "seq" from json_each(?)) as reached
  join runs on runs.id = reached.run_id where runs.last_seq > reached.seq;

-- run.free-retired
update "runs" set "owner_id" = ?, "wake_at" = ? where "id" in (select "held"."id" from "runs" as "held" where "held"."owner_id" in (select "owners"."id" from "owners" where "owners"."retired_at" is not null) order by "held"."id" );

-- run.insert
insert into "runs" ("id", "namespace", "name", "workflow_id", "workflow_version", "priority", "tags", "parent_id", "created_at", "status", "started_at", "ended_at", "steps_total", "steps_completed", "steps_failed", "steps_skipped", "input_tokens", "output_tokens", "cost_micros", "failure_code", "failure_message", "last_seq", "epoch", "owner_id", "wake_at", "inbox_seq", "inbox_pending", "updated_at") select ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, (select id from owners where id = ?
  and retired_at is null and expires_at > ?), case when cast(? as text) is null or (select id from owners where id = ?
  and retired_at is null and expires_at > ?) is not null
  then cast(? as bigint) else case when ? < ? then ? else ? end end, 0, 0, ?
  where (cast(? as bigint) is null or (select count(*) from (
  select 1 from runs where status = 'queued' and owner_id is null and parent_id is null
  limit cast(? as bigint)) as queued) < cast(? as bigint))
  and not exists (select 1 from idempotency_keys where namespace = ?
  and operation = ? and key = ? and expires_at > ?) on conflict ("id") do nothing;

-- run.park
update "runs" set "owner_id" = ?, "wake_at" = ? where "id" = ? and "owner_id" = ? and "epoch" = ? and "inbox_seq" = ?;

-- run.release
update "runs" set "owner_id" = ?, "wake_at" = ? where "id" = ? and "owner_id" = ? and "epoch" = ?;

-- run.tag
insert into "run_tags" ("namespace", "tag", "run_id") values (?, ?, ?) on conflict do nothing;

-- schedule.delete
delete from "schedules" where "id" = ? and "namespace" = ?;

-- schedule.delete-fires
delete from "schedule_fires" where "schedule_id" = ?;

-- schedule.due
select "id" from "schedules" where "wake_at" <= ? order by "wake_at" limit ?;

-- schedule.find
select * from "schedules" where "id" = ? and "namespace" = ?;

-- schedule.find-any
select * from "schedules" where "id" = ?;

-- schedule.fires-within
select * from "schedule_fires" where "schedule_id" = ? and "scheduled_at" >= ? and "scheduled_at" <= ?;

-- schedule.forget-fires
delete from "schedule_fires" where "schedule_id" = ? and "fired_at" < ? and "is_open" = ?;

-- schedule.insert
insert into "schedules" ("id", "namespace", "name", "status", "workflow", "version", "revision", "body", "next_at", "last_at", "wake_at", "created_at", "updated_at") values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- schedule.next-wake
select "wake_at" from "schedules" where "wake_at" > ? order by "wake_at" limit ?;

-- schedule.open
select distinct "schedule_id" from "schedule_fires" where "is_open" = 1;

-- schedule.open-fires
select * from "schedule_fires" where "schedule_id" = ? and "is_open" = 1 order by "scheduled_at", "id";

-- schedule.put-fire
insert into "schedule_fires" ("id", "schedule_id", "namespace", "scheduled_at", "fired_at", "outcome", "is_open", "body") values (?, ?, ?, ?, ?, ?, ?, ?) on conflict ("id") do update set "fired_at" = "excluded"."fired_at", "outcome" = "excluded"."outcome", "is_open" = "excluded"."is_open", "body" = "excluded"."body";

-- schedule.update
update "schedules" set "name" = ?, "status" = ?, "workflow" = ?, "version" = ?, "revision" = ?, "body" = ?, "next_at" = ?, "last_at" = ?, "wake_at" = ?, "updated_at" = ? where "id" = ? and "revision" = ?;

-- secret.delete
delete from "secrets" where "namespace" = ? and "name" = ?;

-- secret.find
select * from "secrets" where "namespace" = ? and "name" = ?;

-- secret.list
select * from "secrets" where "namespace" = ? and "name" > ? order by "name" limit ?;

-- secret.put
insert into "secrets" ("namespace", "name", "sealed", "created_at", "updated_at") values (?, ?, ?, ?, ?) on conflict ("namespace", "name") do update set "sealed" = "excluded"."sealed", "updated_at" = "excluded"."updated_at";

-- settlement.insert
insert into "budget_settlements" ("reservation_id", "scope", "namespace", "cost_micros", "at") values (?, ?, ?, ?, ?) on conflict do nothing;

-- task.cancel
update tasks set status = 'cancelled', ended_at = ?
  where id = ? and namespace = ? and status in ('queued', 'leased');

-- task.create
insert into tasks (id, namespace, agent_key, lineage, input, idempotency_key, attempt, run_id, step_id,
  heartbeat_timeout_ms, max_deliveries, created_at, status, deliveries)
  values (?, ?, ?, ?, ?, ?, ?,
  ?, ?, ?, ?, ?, 'queued', 0)
  on conflict do nothing;

-- task.end
update tasks set status = ?, outcome = ?, ended_at = ?
  where token_hash = ? and namespace = ? and status = 'leased'
  and lease_until > ?;

-- task.expire
update tasks set status = 'queued', token_hash = null, lease_until = null
  where id in (select id from tasks where status = 'leased' and lease_until <= ?
  order by lease_until limit 500) and status = 'leased' and lease_until <= ? and deliveries < max_deliveries
  returning *;

-- task.expire-spent
update tasks set status = 'failed', outcome = ?, ended_at = ?, token_hash = null,
  lease_until = null
  where id in (select id from tasks where status = 'leased' and lease_until <= ?
  order by lease_until limit 500) and status = 'leased' and lease_until <= ? and deliveries >= max_deliveries
  returning *;

-- task.extend
update tasks set lease_until = ? + heartbeat_timeout_ms
  where token_hash = ? and namespace = ? and status = 'leased'
  and lease_until > ?
  returning *;

-- task.find
select * from "tasks" where "id" = ? and "namespace" = ?;

-- task.find-lineage
select * from tasks
  where namespace = ? and lineage = ? and status <> 'cancelled';

-- task.find-token
select * from "tasks" where "token_hash" = ? and "namespace" = ?;

-- task.lease
update tasks set status = 'leased', deliveries = deliveries + 1, token_hash = ?,
  lease_until = ? + heartbeat_timeout_ms
  where id = ? and status = 'queued'
  returning *;

-- task.next-expiry
select min(lease_until) - ? as in_ms from tasks where status = 'leased';

-- task.open-of-run
select * from tasks
  where run_id = ? and namespace = ? and status in ('queued', 'leased')
  order by id limit 1000;

-- task.purge
delete from tasks where id in (
  select id from tasks where ended_at is not null and ended_at < ? order by ended_at limit ?);

-- task.queued
select id from tasks
  where namespace = ? and agent_key = ? and status = 'queued'
  order by id limit ?;

-- task.release
update tasks set status = 'queued', deliveries = deliveries - 1, token_hash = null, lease_until = null
  where token_hash = ? and namespace = ? and status = 'leased';

-- template.add-version
insert into "template_versions" ("template_id", "version", "namespace", "kind", "body", "undeclared", "author", "change_note", "created_at") values (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- template.create
insert into "templates" ("id", "namespace", "name", "kind", "description", "tags", "latest_version", "created_at", "updated_at") values (?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing;

-- template.delete
delete from "templates" where "id" = ? and "namespace" = ?;

-- template.delete-labels
delete from "template_labels" where "template_id" = ? and "namespace" = ?;

-- template.delete-versions
delete from "template_versions" where "template_id" = ? and "namespace" = ?;

-- template.find
select "templates".*, "label", "version", "reason", "moved_by", "moved_at" from "templates" left join "template_labels" on "template_labels"."template_id" = "templates"."id" where "templates"."id" = ? and "templates"."namespace" = ? order by "label";

-- template.find-name
select "templates".*, "label", "version", "reason", "moved_by", "moved_at" from "templates" left join "template_labels" on "template_labels"."template_id" = "templates"."id" where "templates"."namespace" = ? and "templates"."name" = ? order by "label";

-- template.label
insert into template_labels (template_id, label, namespace, version, reason, moved_by, moved_at)
  select template_id, ?, namespace, version, ?, ?, cast(? as bigint)
  from template_versions
  where template_id = ? and version = ? and namespace = ?
  on conflict (template_id, label) do update set version = excluded.version, reason = excluded.reason,
  moved_by = excluded.moved_by, moved_at = excluded.moved_at;

-- template.quoting
select "templates"."id", "templates"."name", "version", "body" from "template_versions" inner join "templates" on "templates"."id" = "template_versions"."template_id" where "template_versions"."namespace" = ? and "template_id" <= ? and (template_id < ? or version < ?) and (body like ? escape '\' or body like ? escape '\') order by "template_id" desc, "version" desc limit ?;

-- template.raise
update "templates" set "kind" = ?, "description" = ?, "tags" = ?, "latest_version" = ?, "updated_at" = ? where "id" = ? and "namespace" = ? and "latest_version" = ?;

-- template.tag
insert into "template_tags" ("namespace", "tag", "template_id") values (?, ?, ?) on conflict do nothing;

-- template.unlabel
delete from "template_labels" where "template_id" = ? and "label" = ? and "namespace" = ?;

-- template.untag
delete from "template_tags" where "template_id" = ? and "namespace" = ?;

-- template.version
select * from "template_versions" where "template_id" = ? and "version" = ? and "namespace" = ?;

-- template.versions
select "template_id", "version", "namespace", "kind", "author", "change_note", "created_at" from "template_versions" where "template_id" = ? and "namespace" = ? and "version" < ? order by "version" desc limit ?;

-- webhook.delete
delete from "webhooks" where "id" = ? and "namespace" = ?;

-- webhook.delete-deliveries
delete from "webhook_deliveries" where "webhook_id" = ?;

-- webhook.enabled
select * from "webhooks" where "is_enabled" = ?;

-- webhook.find
select * from "webhooks" where "id" = ? and "namespace" = ?;

-- webhook.insert
insert into "webhooks" ("id", "namespace", "body", "is_enabled", "version", "failures", "open_until", "reason", "created_at", "updated_at") values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- webhook.update
update "webhooks" set "body" = ?, "is_enabled" = ?, "version" = ?, "updated_at" = ?, "failures" = ?, "open_until" = ?, "reason" = ? where "id" = ? and "namespace" = ? and "version" = ?;
