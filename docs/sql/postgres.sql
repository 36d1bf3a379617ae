-- append.advance
update "runs" set "last_seq" = $1, "started_at" = $2, "ended_at" = $3, "steps_total" = $4, "steps_completed" = $5, "steps_failed" = $6, "steps_skipped" = $7, "input_tokens" = $8, "output_tokens" = $9, "cost_micros" = $10, "failure_code" = $11, "failure_message" = $12, "updated_at" = (extract(epoch from statement_timestamp()) * 1000)::bigint, "wake_at" = case when inbox_pending > 0 or owner_id is null
  then case when $13 < (extract(epoch from statement_timestamp()) * 1000)::bigint then $14 else (extract(epoch from statement_timestamp()) * 1000)::bigint end else $15 end where "id" = $16 and "namespace" = $17 and "epoch" = $18 and "last_seq" = $19 returning "inbox_seq";

-- append.batch
with input as (
  select * from unnest((select $1::text[]), (select $2::text[]), (select $3::bigint[]), (select $4::bigint[]), (select $5::text[]), (select $6::text[]), (select $7::text[]), (select $8::text[]), (select $9::text[]), (select $10::bigint[]), (select $11::bigint[]), (select $12::bigint[]), (select $13::bigint[]), (select $14::bigint[]), (select $15::bigint[]), (select $16::bigint[]), (select $17::bigint[]), (select $18::bigint[]), (select $19::bigint[]), (select $20::bigint[])) as input("run_id", "namespace", "first_seq", "last_seq", "append_id", "events", "status", "failure_code", "failure_message", "started_at", "ended_at", "steps_total", "steps_completed", "steps_failed", "steps_skipped", "input_tokens", "output_tokens", "cost_micros", "epoch", "wake_at")
  ), held as (
  select runs.id from runs join input on runs.id = input.run_id
  where runs.namespace = "input"."namespace" and runs.epoch = "input"."epoch"
  and runs.last_seq = "input"."first_seq" - 1 order by runs.id for update of runs
  ), advanced as (
  update runs set
  last_seq = "input"."last_seq",
  "status" = "input"."status", "failure_code" = "input"."failure_code", "failure_message" = "input"."failure_message", "started_at" = "input"."started_at", "ended_at" = "input"."ended_at", "steps_total" = "input"."steps_total", "steps_completed" = "input"."steps_completed", "steps_failed" = "input"."steps_failed", "steps_skipped" = "input"."steps_skipped", "input_tokens" = "input"."input_tokens", "output_tokens" = "input"."output_tokens", "cost_micros" = "input"."cost_micros",
  wake_at = case when runs.inbox_pending > 0 or runs.owner_id is null
  then case when "input"."wake_at" < (extract(epoch from statement_timestamp()) * 1000)::bigint then "input"."wake_at" else (extract(epoch from statement_timestamp()) * 1000)::bigint end else "input"."wake_at" end,
  owner_id = case when "input"."ended_at" is null then runs.owner_id end,
  updated_at = (extract(epoch from statement_timestamp()) * 1000)::bigint
  from input, held where runs.id = held.id and runs.id = input.run_id and runs.namespace = "input"."namespace" and runs.epoch = "input"."epoch"
  and runs.last_seq = "input"."first_seq" - 1
  returning runs.id, runs.inbox_seq
  ), logged as (
  insert into run_appends ("run_id", "namespace", "first_seq", "last_seq", "append_id", "events") select "input"."run_id", "input"."namespace", "input"."first_seq", "input"."last_seq", "input"."append_id", "input"."events"
  from input join advanced on advanced.id = input.run_id
  )
  select id as run_id, inbox_seq from advanced;

-- append.end
update "runs" set "status" = $1, "owner_id" = $2 where "id" = $3;

-- append.find
select "append_id" from "run_appends" where "run_id" = $1 and "first_seq" = $2;

-- append.insert
insert into "run_appends" ("run_id", "namespace", "first_seq", "last_seq", "append_id", "events") values ($1, $2, $3, $4, $5, $6);

-- append.insert-first
insert into "run_appends" ("run_id", "namespace", "first_seq", "last_seq", "append_id", "events") values ($1, $2, $3, $4, $5, $6) on conflict ("run_id", "first_seq") do nothing;

-- append.one
with advanced as (
  update runs set
  last_seq = $1::bigint,
  "status" = $2::text, "failure_code" = $3::text, "failure_message" = $4::text, "started_at" = $5::bigint, "ended_at" = $6::bigint, "steps_total" = $7::bigint, "steps_completed" = $8::bigint, "steps_failed" = $9::bigint, "steps_skipped" = $10::bigint, "input_tokens" = $11::bigint, "output_tokens" = $12::bigint, "cost_micros" = $13::bigint,
  wake_at = case when runs.inbox_pending > 0 or runs.owner_id is null
  then case when $14::bigint < (extract(epoch from statement_timestamp()) * 1000)::bigint then $15::bigint else (extract(epoch from statement_timestamp()) * 1000)::bigint end else $16::bigint end,
  owner_id = case when $17::bigint is null then runs.owner_id end,
  updated_at = (extract(epoch from statement_timestamp()) * 1000)::bigint
  where runs.id = $18::text and runs.namespace = $19::text and runs.epoch = $20::bigint
  and runs.last_seq = $21::bigint - 1
  returning runs.id, runs.inbox_seq
  ), logged as (
  insert into run_appends ("run_id", "namespace", "first_seq", "last_seq", "append_id", "events") select $22::text, $23::text, $24::bigint, $25::bigint, $26::text, $27::text from advanced
  )
  select id as run_id, inbox_seq from advanced;

-- append.quiet
update "runs" set "last_seq" = $1, "started_at" = $2, "ended_at" = $3, "steps_total" = $4, "steps_completed" = $5, "steps_failed" = $6, "steps_skipped" = $7, "input_tokens" = $8, "output_tokens" = $9, "cost_micros" = $10, "failure_code" = $11, "failure_message" = $12, "updated_at" = (extract(epoch from statement_timestamp()) * 1000)::bigint, "wake_at" = $13 where "id" = $14 and "namespace" = $15 and "epoch" = $16 and "last_seq" = $17 and "owner_id" = $18 and "inbox_seq" = $19 and "inbox_pending" = 0;

-- append.read
select "runs"."last_seq", "run_appends"."first_seq", "run_appends"."events" from "runs" left join "run_appends" on "run_appends"."run_id" = $1 and "run_appends"."first_seq" <= $2 and "run_appends"."first_seq" >= (select coalesce(max(first_seq), 1) from run_appends
  where run_id = $3 and first_seq <= $4 + 1) where "runs"."id" = $5 and "runs"."namespace" = $6 order by "run_appends"."first_seq";

-- append.settle-inbox
update "runs" set "inbox_pending" = (select count(*) from run_inbox where run_inbox.run_id = runs.id), "wake_at" = case when (select count(*) from run_inbox where run_inbox.run_id = runs.id) > 0 or owner_id is null then wake_at else $1 end where "id" = $2;

-- append.status
update "runs" set "status" = $1 where "id" = $2 and "status" <> $3;

-- approval.assign
insert into "approval_assignees" ("namespace", "assignee", "requested_at", "approval_id") values ($1, $2, $3, $4) on conflict do nothing;

-- approval.close
update "approvals" set "status" = $1, "decision" = $2, "data" = $3, "answered_by" = $4, "resolved_at" = $5 where "run_id" = $6 and "path" = $7 and "namespace" = $8 and "status" = $9;

-- approval.find
select * from "approvals" where "id" = $1 and "namespace" = $2;

-- approval.insert
insert into "approvals" ("id", "namespace", "run_id", "path", "status", "asked", "requested_at", "expires_at") values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing;

-- audit.insert
insert into "audit_log" ("id", "namespace", "actor", "action", "target", "details", "at") values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing;

-- blob.delete-own
delete from "blobs" where "namespace" = $1 and "created_at" < $2 and hash in (select hash from run_blobs where namespace = $3 and run_id = $4) and not exists (select 1 from run_blobs where run_blobs.namespace = blobs.namespace
  and run_blobs.hash = blobs.hash and run_blobs.run_id <> $5);

-- blob.find
select "bytes" from "blobs" where "namespace" = $1 and "hash" = $2;

-- blob.find-of-run
select "blobs"."bytes" from "run_blobs" inner join "blobs" on "blobs"."namespace" = "run_blobs"."namespace" and "blobs"."hash" = "run_blobs"."hash" where "run_blobs"."namespace" = $1 and "run_blobs"."run_id" = $2 and "run_blobs"."hash" = $3;

-- blob.forget-run
delete from "run_blobs" where "namespace" = $1 and "run_id" = $2;

-- blob.put
insert into "blobs" ("namespace", "hash", "bytes", "created_at") values ($1, $2, $3, $4) on conflict ("namespace", "hash") do update set "created_at" = "excluded"."created_at" where "blobs"."created_at" < excluded.created_at - cast(1800000 as bigint);

-- blob.refer
insert into "run_blobs" ("namespace", "run_id", "hash") values ($1, $2, $3) on conflict do nothing;

-- checkpoint.find
select "seq", "fold_version", "state" from "run_checkpoints" where "run_id" = $1 and "fold_version" = $2;

-- checkpoint.put
insert into "run_checkpoints" ("run_id", "seq", "fold_version", "state") select id, cast($1 as bigint), cast($2 as bigint), $3 from runs
  where id = $4 on conflict ("run_id") do update set "seq" = "excluded"."seq", "fold_version" = "excluded"."fold_version", "state" = "excluded"."state" where "run_checkpoints"."seq" <= "excluded"."seq";

-- database.now
select cast((extract(epoch from statement_timestamp()) * 1000)::bigint as bigint) as "now";

-- delivery.cursor
select "cursor" from "webhook_cursors" where "id" = $1;

-- delivery.find
select * from "webhook_deliveries" where "id" = $1 and "webhook_id" = $2;

-- delivery.forget
delete from "webhook_deliveries" where "webhook_id" = $1 and "created_at" < $2 and "status" <> $3;

-- delivery.insert
insert into webhook_deliveries
  (id, webhook_id, namespace, run_id, seq, type, status, tries, attempts, created_at, next_at)
  values ($1, $2, $3, $4, $5, $6, 'pending', 0, '[]',
  $7, case when exists (
  select 1 from webhook_deliveries before
  where before.webhook_id = $8 and before.run_id = $9 and before.status = 'pending'
  ) then null else cast($10 as bigint) end);

-- delivery.lock-webhook
update "webhooks" set "failures" = "failures" where "id" = $1;

-- delivery.move-cursor
update "webhook_cursors" set "cursor" = $1 where "id" = $2 and "cursor" = $3;

-- delivery.next-closing
select "open_until" from "webhooks" where "is_enabled" = $1 and "open_until" > $2 order by "open_until" limit $3;

-- delivery.next-due
select "webhook_deliveries"."next_at" from "webhook_deliveries" inner join "webhooks" on "webhooks"."id" = "webhook_deliveries"."webhook_id" where "webhook_deliveries"."next_at" is not null and "webhooks"."is_enabled" = $1 and ("webhooks"."open_until" is null or "webhooks"."open_until" <= $2) order by "webhook_deliveries"."next_at" limit $3;

-- delivery.release-firsts
update webhook_deliveries set next_at = $1
  where webhook_id = $2 and status = 'pending' and next_at is null and not exists (
  select 1 from webhook_deliveries before
  where before.webhook_id = webhook_deliveries.webhook_id and before.run_id = webhook_deliveries.run_id
  and before.status = 'pending' and before.seq < webhook_deliveries.seq);

-- delivery.release-next
update "webhook_deliveries" set "next_at" = $1 where "next_at" is null and "id" = (select "id" from "webhook_deliveries" where "webhook_id" = $2 and "run_id" = $3 and "status" = 'pending' order by "seq" limit $4);

-- delivery.replay-one
update "webhook_deliveries" set "status" = $1, "tries" = $2, "settled_at" = $3, "next_at" = $4 where "id" = $5 and "webhook_id" = $6;

-- delivery.replay-span
update "webhook_deliveries" set "status" = $1, "tries" = $2, "settled_at" = $3, "next_at" = $4 where "webhook_id" = $5 and "created_at" >= $6 and "created_at" <= $7 and "status" <> $8;

-- delivery.set-breaker
update "webhooks" set "failures" = $1, "open_until" = $2, "reason" = $3 where "id" = $4;

-- delivery.settle
update "webhook_deliveries" set "status" = $1, "tries" = $2, "next_at" = $3, "attempts" = $4, "settled_at" = $5 where "id" = $6 and "status" = $7 and "tries" = $8;

-- duty.add
insert into "duties" ("name", "owner_id") select name, cast(null as text) from (select (value ->> 0)::text collate "C" as "name" from json_array_elements($1::json)) as wanted where true on conflict ("name") do nothing;

-- duty.count-held
select count(*) as "held" from "duties" inner join "owners" on "owners"."id" = "duties"."owner_id" where "duties"."name" in (select name from (select (value ->> 0)::text collate "C" as "name" from json_array_elements($1::json)) as wanted) and "owners"."id" <> $2 and "owners"."retired_at" is null;

-- duty.give-up
update "duties" set "owner_id" = $1 where "owner_id" = $2;

-- duty.lock
select pg_advisory_xact_lock(1701737316) where true;

-- duty.take
update "duties" set "owner_id" = $1 where "name" in (select name from (select (value ->> 0)::text collate "C" as "name" from json_array_elements($2::json)) as wanted) and exists (select "owners"."id" from "owners" where "owners"."id" = $3 and "owners"."retired_at" is null and "owners"."expires_at" > (extract(epoch from statement_timestamp()) * 1000)::bigint) and ("duties"."owner_id" is null or not exists (select "holder"."id" from "owners" as "holder" where "holder"."id" = "duties"."owner_id" and "holder"."id" <> $4 and "holder"."retired_at" is null)) returning "name";

-- idempotency.abandon
delete from "idempotency_keys" where "namespace" = $1 and "operation" = $2 and "key" = $3 and "answer" is null and "run_id" is null;

-- idempotency.complete
update "idempotency_keys" set "answer" = $1 where "namespace" = $2 and "operation" = $3 and "key" = $4 and "answer" is null;

-- idempotency.find
select * from "idempotency_keys" where "namespace" = $1 and "operation" = $2 and "key" = $3 and "expires_at" > $4;

-- idempotency.replace
insert into "idempotency_keys" ("namespace", "operation", "key", "body_hash", "created_at", "expires_at", "run_id", "answer") values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict ("namespace", "operation", "key") do update set "body_hash" = "excluded"."body_hash", "created_at" = "excluded"."created_at", "expires_at" = "excluded"."expires_at", "run_id" = "excluded"."run_id", "answer" = "excluded"."answer";

-- idempotency.row
select * from "idempotency_keys" where "namespace" = $1 and "operation" = $2 and "key" = $3;

-- idempotency.sweep
delete from idempotency_keys where (namespace, operation, key) in (
  select namespace, operation, key from idempotency_keys
  where expires_at <= $1 order by expires_at limit $2);

-- idempotency.take
insert into "idempotency_keys" ("namespace", "operation", "key", "body_hash", "created_at", "expires_at", "run_id", "answer") values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict ("namespace", "operation", "key") do update set "body_hash" = "excluded"."body_hash", "created_at" = "excluded"."created_at", "expires_at" = "excluded"."expires_at", "run_id" = "excluded"."run_id", "answer" = "excluded"."answer" where "idempotency_keys"."expires_at" <= $9;

-- inbox.delete
delete from "run_inbox" where "run_id" = $1 and "id" = $2;

-- inbox.hold-claim
update "runs" set "inbox_pending" = inbox_pending where "id" = $1 and "owner_id" = $2 and "epoch" = $3;

-- inbox.insert
insert into "run_inbox" ("run_id", "namespace", "command", "at") select id, namespace, $1, cast($2 as bigint) from runs
  where id = $3 and namespace = $4;

-- inbox.insert-open
insert into "run_inbox" ("run_id", "namespace", "command", "at") select id, namespace, $1, cast($2 as bigint) from runs
  where id = $3 and namespace = $4 and ended_at is null;

-- inbox.pending
select "runs"."inbox_seq", "runs"."namespace", "run_inbox"."id", "run_inbox"."command", "run_inbox"."at" from "runs" left join "run_inbox" on "run_inbox"."run_id" = "runs"."id" where "runs"."id" = $1 order by "run_inbox"."id";

-- inbox.recount
update "runs" set "inbox_pending" = (select count(*) from run_inbox where run_inbox.run_id = runs.id) where "id" = $1;

-- inbox.wake
update "runs" set "inbox_seq" = inbox_seq + 1, "inbox_pending" = inbox_pending + 1, "wake_at" = (extract(epoch from statement_timestamp()) * 1000)::bigint where "id" = $1 and "namespace" = $2;

-- inbox.wake-open
update "runs" set "inbox_seq" = inbox_seq + 1, "inbox_pending" = inbox_pending + 1, "wake_at" = (extract(epoch from statement_timestamp()) * 1000)::bigint where "id" = $1 and "namespace" = $2 and "ended_at" is null;

-- key.add
insert into "api_keys" ("id", "namespace", "name", "role", "hash", "agents", "created_at", "expires_at", "revoked_at") values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict ("hash") do nothing;

-- key.add-first
insert into "api_keys" ("id", "namespace", "name", "role", "hash", "created_at") select $1, $2, $3, $4, $5, cast($6 as bigint)
  where not exists (select 1 from api_keys);

-- key.any
select "id" from "api_keys" limit $1;

-- key.find
select * from "api_keys" where "hash" = $1;

-- key.list
select * from "api_keys" where "namespace" = $1 order by "created_at" desc, "id" desc;

-- key.lock
select pg_advisory_xact_lock(1701737323) where true;

-- key.revoke
update "api_keys" set "revoked_at" = $1 where "id" = $2 and "namespace" = $3 and "revoked_at" is null;

-- limit.adjust
update limit_buckets set level = level - cast($1 as bigint)
  where namespace = $2 and key = $3 and bucket = $4;

-- limit.drop-expired
delete from limit_slots
  where namespace = $1 and key = $2 and expires_at <= (extract(epoch from statement_timestamp()) * 1000)::bigint;

-- limit.enter
insert into limit_keys (namespace, key, paused_until) values ($1, $2, 0)
  on conflict (namespace, key) do update set paused_until = limit_keys.paused_until
  where limit_keys.paused_until <= (extract(epoch from statement_timestamp()) * 1000)::bigint;

-- limit.fill
insert into limit_buckets (namespace, key, bucket, level, filled_at)
  values ($1, $2, $3, $4, (extract(epoch from statement_timestamp()) * 1000)::bigint)
  on conflict (namespace, key, bucket) do update set
  level = case
  when (extract(epoch from statement_timestamp()) * 1000)::bigint <= limit_buckets.filled_at then limit_buckets.level
  when limit_buckets.level + ((extract(epoch from statement_timestamp()) * 1000)::bigint - limit_buckets.filled_at) * cast($5 as bigint)
  > cast($6 as bigint) then cast($7 as bigint)
  else limit_buckets.level + ((extract(epoch from statement_timestamp()) * 1000)::bigint - limit_buckets.filled_at) * cast($8 as bigint) end,
  filled_at = (extract(epoch from statement_timestamp()) * 1000)::bigint;

-- limit.first-free
select (extract(epoch from statement_timestamp()) * 1000)::bigint as now, min(expires_at) as until from limit_slots
  where namespace = $1 and key = $2 and expires_at > (extract(epoch from statement_timestamp()) * 1000)::bigint
  having count(*) >= cast($3 as bigint);

-- limit.level
select namespace, key, bucket, level, filled_at, (extract(epoch from statement_timestamp()) * 1000)::bigint as now from limit_buckets
  where namespace = $1 and key = $2 and bucket = $3;

-- limit.pause
insert into limit_keys (namespace, key, paused_until)
  values ($1, $2, (extract(epoch from statement_timestamp()) * 1000)::bigint + cast($3 as bigint))
  on conflict (namespace, key) do update set paused_until = case
  when limit_keys.paused_until > excluded.paused_until then limit_keys.paused_until
  else excluded.paused_until end;

-- limit.pause-left
select (extract(epoch from statement_timestamp()) * 1000)::bigint as now, paused_until as until from limit_keys
  where namespace = $1 and key = $2 and paused_until > (extract(epoch from statement_timestamp()) * 1000)::bigint;

-- limit.release
delete from limit_slots where namespace = $1 and key = $2 and holder = $3;

-- limit.renew
update limit_slots set expires_at = (extract(epoch from statement_timestamp()) * 1000)::bigint + cast($1 as bigint)
  where holder = $2 and expires_at > (extract(epoch from statement_timestamp()) * 1000)::bigint;

-- limit.take
update limit_buckets set level = level - cast($1 as bigint)
  where namespace = $2 and key = $3 and bucket = $4
  and level >= cast($5 as bigint);

-- limit.take-slot
insert into limit_slots (namespace, key, holder, expires_at)
  select $1, $2, $3, (extract(epoch from statement_timestamp()) * 1000)::bigint + cast($4 as bigint)
  where (select count(*) from limit_slots where namespace = $5 and key = $6)
  < cast($7 as bigint);

-- log-cursor.find
select "cursor" from "log_cursors" where "follower" = $1;

-- log-cursor.move
insert into "log_cursors" ("follower", "cursor", "fold_version") values ($1, $2, $3) on conflict ("follower") do update set "cursor" = $4;

-- log.changes
select run_id, namespace from run_appends
  where (xid, position) > ($1::text::xid8, $2::bigint) group by run_id, namespace order by max(position) desc limit $3;

-- log.head
select pg_snapshot_xmin(pg_current_snapshot())::text as xid, 0 as position;

-- log.read
select xid::text as xid, position, namespace, events from run_appends
  where (xid, position) > ($1::text::xid8, $2::bigint)
  and xid < pg_snapshot_xmin(pg_current_snapshot()) order by run_appends.xid, run_appends.position limit $3;

-- metric.add-series
insert into metric_series (namespace, dimension, parent, key)
  select namespace, dimension, parent, key from (select (value ->> 0)::text collate "C" as "namespace", (value ->> 1)::text collate "C" as "dimension", (value ->> 2)::text collate "C" as "parent", (value ->> 3)::text collate "C" as "key" from json_array_elements($1::json)) r
  where true on conflict do nothing;

-- metric.begin
insert into "log_cursors" ("follower", "cursor", "fold_version") values ($1, $2, $3) on conflict do nothing;

-- metric.forget
delete from metric_open_runs
  where run_id in (select r.run_id from (select (value ->> 0)::text collate "C" as "run_id" from json_array_elements($1::json)) r);

-- metric.kept
select r.namespace, r.dimension, r.parent, r.key, r.grain, r.at, f.figures
  from (select (value ->> 0)::text collate "C" as "namespace", (value ->> 1)::text collate "C" as "dimension", (value ->> 2)::text collate "C" as "parent", (value ->> 3)::text collate "C" as "key", (value ->> 4)::text collate "C" as "grain", (value ->> 5)::bigint as "at" from json_array_elements($1::json)) r cross join metric_series s cross join metric_figures f
  where s.namespace = r.namespace and s.dimension = r.dimension and s.parent = r.parent and s.key = r.key
  and f.series_id = s.id and f.grain = r.grain and f.at = r.at;

-- metric.move
update "log_cursors" set "cursor" = $1 where "follower" = $2 and "cursor" = $3 and "fold_version" = $4;

-- metric.open
select run_id, state from metric_open_runs
  where run_id in (select r.run_id from (select (value ->> 0)::text collate "C" as "run_id" from json_array_elements($1::json)) r);

-- metric.position
select * from "log_cursors" where "follower" = $1;

-- metric.prune
delete from "metric_figures" where "series_id" in (select "id" from "metric_series") and "grain" = $1 and "at" < $2;

-- metric.prune-series
delete from metric_series
  where not exists (select 1 from metric_figures where metric_figures.series_id = metric_series.id);

-- metric.put
insert into metric_figures (series_id, grain, at, namespace, figures)
  select s.id, r.grain, r.at, r.namespace, r.figures
  from (select (value ->> 0)::text collate "C" as "namespace", (value ->> 1)::text collate "C" as "dimension", (value ->> 2)::text collate "C" as "parent", (value ->> 3)::text collate "C" as "key", (value ->> 4)::text collate "C" as "grain", (value ->> 5)::bigint as "at", (value ->> 6)::text collate "C" as "figures" from json_array_elements($1::json)) r cross join metric_series s
  where s.namespace = r.namespace and s.dimension = r.dimension and s.parent = r.parent and s.key = r.key
  on conflict (series_id, grain, at) do update set figures = excluded.figures;

-- metric.remember
insert into metric_open_runs (run_id, namespace, state)
  select run_id, namespace, state from (select (value ->> 0)::text collate "C" as "run_id", (value ->> 1)::text collate "C" as "namespace", (value ->> 2)::text collate "C" as "state" from json_array_elements($1::json)) r
  where true on conflict (run_id) do update set state = excluded.state;

-- metric.series
select * from "metric_series" where "namespace" = $1;

-- owner.attention
select "id" from "runs" where "owner_id" = $1 and "wake_at" <= (extract(epoch from statement_timestamp()) * 1000)::bigint order by "wake_at", "id" limit 1000;

-- owner.forget
delete from "owners" where "retired_at" < (extract(epoch from statement_timestamp()) * 1000)::bigint - 86400000 and not exists (select "runs"."id" from "runs" where "runs"."owner_id" = "owners"."id");

-- owner.next-expiry
select min(expires_at) as "expires_at" from "owners" where "retired_at" is null;

-- owner.renew
insert into "owners" ("id", "expires_at", "retired_at") values ($1, (extract(epoch from statement_timestamp()) * 1000)::bigint + cast($2 as bigint), $3) on conflict ("id") do update set "expires_at" = "excluded"."expires_at" where "owners"."expires_at" > (extract(epoch from statement_timestamp()) * 1000)::bigint and "owners"."retired_at" is null returning "expires_at";

-- owner.retire
insert into "owners" ("id", "expires_at", "retired_at") values ($1, $2, (extract(epoch from statement_timestamp()) * 1000)::bigint) on conflict ("id") do update set "retired_at" = "excluded"."retired_at" where "owners"."retired_at" is null;

-- owner.retire-all
update "owners" set "retired_at" = (extract(epoch from statement_timestamp()) * 1000)::bigint where "retired_at" is null;

-- owner.retire-expired
update "owners" set "retired_at" = (extract(epoch from statement_timestamp()) * 1000)::bigint where "retired_at" is null and "expires_at" <= (extract(epoch from statement_timestamp()) * 1000)::bigint;

-- purge.approvals
delete from "approvals" where run_id = $1;

-- purge.assignees
delete from approval_assignees
  where approval_id in (select id from approvals where run_id = $1);

-- purge.idempotency_keys
delete from "idempotency_keys" where run_id = $1;

-- purge.metric_open_runs
delete from "metric_open_runs" where run_id = $1;

-- purge.parent
select 1 as is_free where not exists (select 1 from runs where id = $1);

-- purge.remember
insert into purged_runs (run_id, namespace, item, purged_at, blobs_at)
  select $1, $2, $3, cast($4 as bigint),
  case when exists (select 1 from run_blobs where namespace = $5 and run_id = $6)
  then cast($7 as bigint) end
  where true
  on conflict (run_id) do update
  set item = excluded.item, purged_at = excluded.purged_at, blobs_at = excluded.blobs_at;

-- purge.run
delete from runs where id = $1 and namespace = $2 and last_seq = $3
  and ended_at is not null and owner_id is null;

-- purge.run_appends
delete from "run_appends" where run_id = $1;

-- purge.run_checkpoints
delete from "run_checkpoints" where run_id = $1;

-- purge.run_inbox
delete from "run_inbox" where run_id = $1;

-- purge.tag
delete from run_tags where namespace = $1 and tag = $2 and run_id = $3;

-- purge.tasks
delete from "tasks" where run_id = $1;

-- purge.unread
select 1 as is_read where not exists (
  select 1 from run_appends where run_id = $1 and (xid, position) > ($2::text::xid8, $3::bigint));

-- resource.add-facet
insert into "resource_facets" ("namespace", "type", "facet", "value", "resource_id") values ($1, $2, $3, $4, $5) on conflict do nothing;

-- resource.add-version
insert into "resource_versions" ("resource_id", "version", "namespace", "type", "body", "author", "change_note", "created_at") values ($1, $2, $3, $4, $5, $6, $7, $8);

-- resource.create
insert into "resources" ("id", "namespace", "type", "name", "title", "description", "facets", "status", "latest_version", "created_at", "updated_at") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing;

-- resource.delete
delete from "resources" where "id" = $1 and "namespace" = $2 and "type" = $3;

-- resource.delete-facets
delete from "resource_facets" where resource_id = $1 and namespace = $2;

-- resource.delete-labels
delete from "resource_labels" where resource_id = $1 and namespace = $2;

-- resource.delete-references
delete from "resource_references" where resource_id = $1 and namespace = $2;

-- resource.delete-versions
delete from "resource_versions" where resource_id = $1 and namespace = $2;

-- resource.find
select "resources".*, "label", "version", "reason", "moved_by", "moved_at" from "resources" left join "resource_labels" on "resource_labels"."resource_id" = "resources"."id" where "resources"."id" = $1 and "resources"."namespace" = $2 and "resources"."type" = $3 order by "label";

-- resource.find-name
select "resources".*, "label", "version", "reason", "moved_by", "moved_at" from "resources" left join "resource_labels" on "resource_labels"."resource_id" = "resources"."id" where "resources"."namespace" = $1 and "resources"."type" = $2 and "resources"."name" = $3 order by "label";

-- resource.label
insert into resource_labels (resource_id, label, namespace, version, reason, moved_by, moved_at)
  select resource_id, $1, namespace, version, $2, $3, cast($4 as bigint)
  from resource_versions
  where resource_id = $5 and version = $6
  and namespace = $7 and type = $8
  on conflict (resource_id, label) do update set version = excluded.version, reason = excluded.reason,
  moved_by = excluded.moved_by, moved_at = excluded.moved_at;

-- resource.raise
update "resources" set "title" = $1, "description" = $2, "facets" = $3, "latest_version" = $4, "updated_at" = $5 where "id" = $6 and "namespace" = $7 and "type" = $8 and "latest_version" = $9;

-- resource.refer
insert into "resource_references" ("namespace", "type", "target_type", "target", "resource_id", "version") values ($1, $2, $3, $4, $5, $6) on conflict do nothing;

-- resource.status
update "resources" set "status" = $1 where "id" = $2 and "namespace" = $3 and "type" = $4;

-- resource.unlabel
delete from resource_labels
  where resource_id = $1 and label = $2 and namespace = $3
  and exists (select 1 from resources where id = $4 and type = $5);

-- resource.version
select "version", "body", "author", "change_note", "created_at" from "resource_versions" where "resource_id" = $1 and "version" = $2 and "namespace" = $3 and "type" = $4;

-- resource.versions
select "version", "author", "change_note", "created_at" from "resource_versions" where "resource_id" = $1 and "namespace" = $2 and "type" = $3 and "version" < $4 order by "version" desc limit $5;

-- retention.blobs-due
select namespace, run_id from purged_runs where blobs_at is not null and blobs_at <= $1
  order by blobs_at limit $2;

-- retention.blobs-gone
update purged_runs set blobs_at = null where run_id = $1 and namespace = $2;

-- retention.children
select * from runs where parent_id = $1 and namespace = $2 and ended_at is not null
  order by id limit $3;

-- retention.due
select runs.*, (select count(*) from webhook_deliveries
  where webhook_deliveries.run_id = runs.id and webhook_deliveries.status = 'pending') as is_told
  from runs
  where ended_at is not null and ended_at < $1
  and (ended_at, id) > (cast($2 as bigint), $3) and (runs.parent_id is null
  or not exists (select 1 from runs as parents where parents.id = runs.parent_id))
  order by ended_at, id limit $4;

-- retention.find
select item from purged_runs where run_id = $1 and namespace = $2;

-- retention.forget
delete from purged_runs where run_id in (
  select run_id from purged_runs where purged_at < $1 and blobs_at is null
  order by purged_at limit $2);

-- retention.next
select (select min(purged_at) from purged_runs) as purged_at,
  (select min(blobs_at) from purged_runs where blobs_at is not null) as blobs_at;

-- retention.next-end
select ended_at from runs
  where ended_at is not null and ended_at >= $1 and (runs.parent_id is null
  or not exists (select 1 from runs as parents where parents.id = runs.parent_id))
  order by ended_at, id limit 1;

-- room.clear
delete from "blobs" where "namespace" = $1;

-- room.fill
insert into "blobs" ("namespace", "hash", "bytes", "created_at") values ($1, $2, $3, $4);

-- run.claim
update "runs" set "owner_id" = $1, "epoch" = epoch + 1 where "id" = $2 and "owner_id" is null and epoch = coalesce($3, epoch) and exists (select "owners"."id" from "owners" where "owners"."id" = $4 and "owners"."retired_at" is null and "owners"."expires_at" > (extract(epoch from statement_timestamp()) * 1000)::bigint) returning "namespace", "epoch", "last_seq", "inbox_seq";

-- run.count
select "status", count(*) as "runs" from "runs" group by "namespace", "status";

-- run.count-before
select count(*) as runs from runs
  where status = 'queued' and owner_id is null and wake_at is not null
  and (priority > $1
  or (priority = $2 and (wake_at, id) < (cast($3 as bigint), $4)));

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
select "id", "epoch", "priority", "wake_at" from "runs" where "owner_id" is null and "priority" = $1 and "wake_at" <= (extract(epoch from statement_timestamp()) * 1000)::bigint order by "wake_at", "id" limit $2;

-- run.due-levels
with recursive levels(level) as (
  select max(priority) from runs where owner_id is null and wake_at is not null
  union all
  select (select max(priority) from runs where owner_id is null and wake_at is not null and priority < level) from levels where level is not null
  )
  select level as priority,
  (select min(wake_at) from runs where owner_id is null and wake_at is not null and priority = level) as first_at,
  (select min(wake_at) from runs where owner_id is null and wake_at is not null and priority = level and wake_at > (extract(epoch from statement_timestamp()) * 1000)::bigint) as next_at
  from levels where level is not null order by level desc;

-- run.exists
select "id" from "runs" where "id" = $1;

-- run.find
select * from "runs" where "id" = $1 and "namespace" = $2;

-- run.find-ahead
select runs.id, runs.namespace, runs.last_seq
  from (select (value ->> 0)::text collate "C" as "run_id", (value ->> 1)::bigint as "seq" from json_array_elements($1::json)) as reached
  join runs on runs.id = reached.run_id where runs.last_seq > reached.seq;

-- run.free-retired
update "runs" set "owner_id" = $1, "wake_at" = (extract(epoch from statement_timestamp()) * 1000)::bigint where "id" in (select "held"."id" from "runs" as "held" where "held"."owner_id" in (select "owners"."id" from "owners" where "owners"."retired_at" is not null) order by "held"."id" for update of "held");

-- run.insert
insert into "runs" ("id", "namespace", "name", "workflow_id", "workflow_version", "priority", "tags", "parent_id", "created_at", "status", "started_at", "ended_at", "steps_total", "steps_completed", "steps_failed", "steps_skipped", "input_tokens", "output_tokens", "cost_micros", "failure_code", "failure_message", "last_seq", "epoch", "owner_id", "wake_at", "inbox_seq", "inbox_pending", "updated_at") select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, (select id from owners where id = $24
  and retired_at is null and expires_at > (extract(epoch from statement_timestamp()) * 1000)::bigint), case when cast($25 as text) is null or (select id from owners where id = $26
  and retired_at is null and expires_at > (extract(epoch from statement_timestamp()) * 1000)::bigint) is not null
  then cast($27 as bigint) else case when $28 < (extract(epoch from statement_timestamp()) * 1000)::bigint then $29 else (extract(epoch from statement_timestamp()) * 1000)::bigint end end, 0, 0, (extract(epoch from statement_timestamp()) * 1000)::bigint
  where (cast($30 as bigint) is null or (select count(*) from (
  select 1 from runs where status = 'queued' and owner_id is null and parent_id is null
  limit cast($31 as bigint)) as queued) < cast($32 as bigint))
  and not exists (select 1 from idempotency_keys where namespace = $33
  and operation = $34 and key = $35 and expires_at > $36) on conflict ("id") do nothing;

-- run.lock
select id from runs where id = any($1::text[]) order by id for update;

-- run.lock-queue
select pg_advisory_xact_lock(1701736817) where (select count(*) from (
  select 1 from runs where status = 'queued' and owner_id is null and parent_id is null
  limit cast($1 as bigint)) as queued) >= cast($2 as bigint) - 64;

-- run.park
update "runs" set "owner_id" = $1, "wake_at" = $2 where "id" = $3 and "owner_id" = $4 and "epoch" = $5 and "inbox_seq" = $6;

-- run.release
update "runs" set "owner_id" = $1, "wake_at" = (extract(epoch from statement_timestamp()) * 1000)::bigint where "id" = $2 and "owner_id" = $3 and "epoch" = $4;

-- run.tag
insert into "run_tags" ("namespace", "tag", "run_id") values ($1, $2, $3) on conflict do nothing;

-- schedule.delete
delete from "schedules" where "id" = $1 and "namespace" = $2;

-- schedule.delete-fires
delete from "schedule_fires" where "schedule_id" = $1;

-- schedule.due
select "id" from "schedules" where "wake_at" <= $1 order by "wake_at" limit $2;

-- schedule.find
select * from "schedules" where "id" = $1 and "namespace" = $2;

-- schedule.find-any
select * from "schedules" where "id" = $1;

-- schedule.fires-within
select * from "schedule_fires" where "schedule_id" = $1 and "scheduled_at" >= $2 and "scheduled_at" <= $3;

-- schedule.forget-fires
delete from "schedule_fires" where "schedule_id" = $1 and "fired_at" < $2 and "is_open" = $3;

-- schedule.insert
insert into "schedules" ("id", "namespace", "name", "status", "workflow", "version", "revision", "body", "next_at", "last_at", "wake_at", "created_at", "updated_at") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13);

-- schedule.next-wake
select "wake_at" from "schedules" where "wake_at" > $1 order by "wake_at" limit $2;

-- schedule.open
select distinct "schedule_id" from "schedule_fires" where "is_open" = 1;

-- schedule.open-fires
select * from "schedule_fires" where "schedule_id" = $1 and "is_open" = 1 order by "scheduled_at", "id";

-- schedule.put-fire
insert into "schedule_fires" ("id", "schedule_id", "namespace", "scheduled_at", "fired_at", "outcome", "is_open", "body") values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict ("id") do update set "fired_at" = "excluded"."fired_at", "outcome" = "excluded"."outcome", "is_open" = "excluded"."is_open", "body" = "excluded"."body";

-- schedule.update
update "schedules" set "name" = $1, "status" = $2, "workflow" = $3, "version" = $4, "revision" = $5, "body" = $6, "next_at" = $7, "last_at" = $8, "wake_at" = $9, "updated_at" = $10 where "id" = $11 and "revision" = $12;

-- secret.delete
delete from "secrets" where "namespace" = $1 and "name" = $2;

-- secret.find
select * from "secrets" where "namespace" = $1 and "name" = $2;

-- secret.list
select * from "secrets" where "namespace" = $1 and "name" > $2 order by "name" limit $3;

-- secret.put
insert into "secrets" ("namespace", "name", "sealed", "created_at", "updated_at") values ($1, $2, $3, $4, $5) on conflict ("namespace", "name") do update set "sealed" = "excluded"."sealed", "updated_at" = "excluded"."updated_at";

-- settlement.insert
insert into "budget_settlements" ("reservation_id", "scope", "namespace", "cost_micros", "at") values ($1, $2, $3, $4, $5) on conflict do nothing;

-- task.cancel
update tasks set status = 'cancelled', ended_at = (extract(epoch from statement_timestamp()) * 1000)::bigint
  where id = $1 and namespace = $2 and status in ('queued', 'leased');

-- task.create
insert into tasks (id, namespace, agent_key, lineage, input, idempotency_key, attempt, run_id, step_id,
  heartbeat_timeout_ms, max_deliveries, created_at, status, deliveries)
  values ($1, $2, $3, $4, $5, $6, $7,
  $8, $9, $10, $11, $12, 'queued', 0)
  on conflict do nothing;

-- task.end
update tasks set status = $1, outcome = $2, ended_at = (extract(epoch from statement_timestamp()) * 1000)::bigint
  where token_hash = $3 and namespace = $4 and status = 'leased'
  and lease_until > (extract(epoch from statement_timestamp()) * 1000)::bigint;

-- task.expire
update tasks set status = 'queued', token_hash = null, lease_until = null
  where id in (select id from tasks where status = 'leased' and lease_until <= (extract(epoch from statement_timestamp()) * 1000)::bigint
  order by lease_until limit 500) and status = 'leased' and lease_until <= (extract(epoch from statement_timestamp()) * 1000)::bigint and deliveries < max_deliveries
  returning *;

-- task.expire-spent
update tasks set status = 'failed', outcome = $1, ended_at = (extract(epoch from statement_timestamp()) * 1000)::bigint, token_hash = null,
  lease_until = null
  where id in (select id from tasks where status = 'leased' and lease_until <= (extract(epoch from statement_timestamp()) * 1000)::bigint
  order by lease_until limit 500) and status = 'leased' and lease_until <= (extract(epoch from statement_timestamp()) * 1000)::bigint and deliveries >= max_deliveries
  returning *;

-- task.extend
update tasks set lease_until = (extract(epoch from statement_timestamp()) * 1000)::bigint + heartbeat_timeout_ms
  where token_hash = $1 and namespace = $2 and status = 'leased'
  and lease_until > (extract(epoch from statement_timestamp()) * 1000)::bigint
  returning *;

-- task.find
select * from "tasks" where "id" = $1 and "namespace" = $2;

-- task.find-lineage
select * from tasks
  where namespace = $1 and lineage = $2 and status <> 'cancelled';

-- task.find-token
select * from "tasks" where "token_hash" = $1 and "namespace" = $2;

-- task.lease
update tasks set status = 'leased', deliveries = deliveries + 1, token_hash = $1,
  lease_until = (extract(epoch from statement_timestamp()) * 1000)::bigint + heartbeat_timeout_ms
  where id = $2 and status = 'queued'
  returning *;

-- task.next-expiry
select min(lease_until) - (extract(epoch from statement_timestamp()) * 1000)::bigint as in_ms from tasks where status = 'leased';

-- task.open-of-run
select * from tasks
  where run_id = $1 and namespace = $2 and status in ('queued', 'leased')
  order by id limit 1000;

-- task.purge
delete from tasks where id in (
  select id from tasks where ended_at is not null and ended_at < $1 order by ended_at limit $2);

-- task.queued
select id from tasks
  where namespace = $1 and agent_key = $2 and status = 'queued'
  order by id limit $3;

-- task.release
update tasks set status = 'queued', deliveries = deliveries - 1, token_hash = null, lease_until = null
  where token_hash = $1 and namespace = $2 and status = 'leased';

-- template.add-version
insert into "template_versions" ("template_id", "version", "namespace", "kind", "body", "undeclared", "author", "change_note", "created_at") values ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- template.create
insert into "templates" ("id", "namespace", "name", "kind", "description", "tags", "latest_version", "created_at", "updated_at") values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing;

-- template.delete
delete from "templates" where "id" = $1 and "namespace" = $2;

-- template.delete-labels
delete from "template_labels" where "template_id" = $1 and "namespace" = $2;

-- template.delete-versions
delete from "template_versions" where "template_id" = $1 and "namespace" = $2;

-- template.find
select "templates".*, "label", "version", "reason", "moved_by", "moved_at" from "templates" left join "template_labels" on "template_labels"."template_id" = "templates"."id" where "templates"."id" = $1 and "templates"."namespace" = $2 order by "label";

-- template.find-name
select "templates".*, "label", "version", "reason", "moved_by", "moved_at" from "templates" left join "template_labels" on "template_labels"."template_id" = "templates"."id" where "templates"."namespace" = $1 and "templates"."name" = $2 order by "label";

-- template.label
insert into template_labels (template_id, label, namespace, version, reason, moved_by, moved_at)
  select template_id, $1, namespace, version, $2, $3, cast($4 as bigint)
  from template_versions
  where template_id = $5 and version = $6 and namespace = $7
  on conflict (template_id, label) do update set version = excluded.version, reason = excluded.reason,
  moved_by = excluded.moved_by, moved_at = excluded.moved_at;

-- template.quoting
select "templates"."id", "templates"."name", "version", "body" from "template_versions" inner join "templates" on "templates"."id" = "template_versions"."template_id" where "template_versions"."namespace" = $1 and "template_id" <= $2 and (template_id < $3 or version < $4) and (body like $5 escape '\' or body like $6 escape '\') order by "template_id" desc, "version" desc limit $7;

-- template.raise
update "templates" set "kind" = $1, "description" = $2, "tags" = $3, "latest_version" = $4, "updated_at" = $5 where "id" = $6 and "namespace" = $7 and "latest_version" = $8;

-- template.tag
insert into "template_tags" ("namespace", "tag", "template_id") values ($1, $2, $3) on conflict do nothing;

-- template.unlabel
delete from "template_labels" where "template_id" = $1 and "label" = $2 and "namespace" = $3;

-- template.untag
delete from "template_tags" where "template_id" = $1 and "namespace" = $2;

-- template.version
select * from "template_versions" where "template_id" = $1 and "version" = $2 and "namespace" = $3;

-- template.versions
select "template_id", "version", "namespace", "kind", "author", "change_note", "created_at" from "template_versions" where "template_id" = $1 and "namespace" = $2 and "version" < $3 order by "version" desc limit $4;

-- webhook.delete
delete from "webhooks" where "id" = $1 and "namespace" = $2;

-- webhook.delete-deliveries
delete from "webhook_deliveries" where "webhook_id" = $1;

-- webhook.enabled
select * from "webhooks" where "is_enabled" = $1;

-- webhook.find
select * from "webhooks" where "id" = $1 and "namespace" = $2;

-- webhook.insert
insert into "webhooks" ("id", "namespace", "body", "is_enabled", "version", "failures", "open_until", "reason", "created_at", "updated_at") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- webhook.update
update "webhooks" set "body" = $1, "is_enabled" = $2, "version" = $3, "updated_at" = $4, "failures" = $5, "open_until" = $6, "reason" = $7 where "id" = $8 and "namespace" = $9 and "version" = $10;
