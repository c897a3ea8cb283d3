-- The engine's side: leases, queue and batches. Schema "jessica" is not exposed to clients. Runs on
-- a hosted project too, where the server's own roles are missing and their grants are skipped.

create schema if not exists jessica;
revoke all on schema jessica from public;

-- One lease an incarnation of a node, renewed each second: heartbeats cost one HOT update a node,
-- not one a job.
create table jessica.nodes (
  lease bigint generated always as identity primary key,
  node text not null,
  until timestamptz not null,
  info jsonb
) with (fillfactor = 20);

-- A job that is not finished is in exactly one of the next two narrow tables. They see inserts and
-- deletes only: no dead index entries from updates.

create table jessica.ready (
  rank smallint not null,
  run_at timestamptz not null,
  id bigint not null,
  kind text not null,
  user_id uuid not null,
  attempt smallint not null default 0,
  primary key (rank, run_at, id)
) with (
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 2000,
  autovacuum_vacuum_cost_delay = 0
);

create table jessica.running (
  id bigint primary key,
  lease bigint not null,
  attempt smallint not null
) with (
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 2000,
  autovacuum_vacuum_cost_delay = 0
);

-- Wakes every node through the WAL stream they all read anyway, when and if this transaction
-- commits. What they understand: "jobs" (look for ready ones), "tick" (the same, now and then),
-- "cancel <job>", "embed" (texts wait), and what became of logins (below).
create function jessica.wake(what text) returns void
language sql security definer set search_path = ''
as $$ select pg_logical_emit_message(true, 'jessica', what) $$;

-- Its commit waits until what was committed before it without waiting is durable, too, as far as the
-- server's synchronous_commit asks.
create function jessica.settle() returns void
language sql security definer set search_path = ''
as $$ select pg_logical_emit_message(true, 'settle', '') $$;

-- Any insert into inference_jobs queues it. With a lease it is born claimed by that node, and no
-- claim is ever written. Jobs of kind "embedding" are exceptions that operators see; their work
-- waits where that of all texts does, see 20240101000003_memory.sql.
create function jessica.on_job() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  insert into jessica.running (id, lease, attempt)
  select id, lease, attempts + 1 from fresh
  where lease is not null and status = 'queued' and kind <> 'embedding';

  insert into jessica.ready (rank, run_at, id, kind, user_id, attempt)
  select -priority, run_at, id, kind, user_id, attempts from fresh
  where lease is null and status = 'queued' and kind <> 'embedding';
  if found then
    perform jessica.wake('jobs');
  end if;

  if exists (select from fresh where kind = 'embedding' and status = 'queued') then
    perform jessica.embed_again(array(
      select message_id from fresh where kind = 'embedding' and status = 'queued'));
  end if;
  return null;
end $$;

create trigger on_job after insert on public.inference_jobs
  referencing new table as fresh for each statement execute function jessica.on_job();

-- A deleted account, conversation or message takes its jobs out of the queue.
create function jessica.off_job() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  delete from jessica.running r using gone g
  where r.id = g.id and g.status in ('queued', 'running');

  delete from jessica.ready r using gone g
  where r.id = g.id and r.rank = -g.priority and r.run_at = g.run_at;

  if exists (select from gone where held_tokens > 0 and status in ('queued', 'running')) then
    perform jessica.release(array_agg(user_id), array_agg(held_tokens), array_agg(held_cost))
    from gone where held_tokens > 0 and status in ('queued', 'running');
  end if;
  return null;
end $$;

create trigger off_job after delete on public.inference_jobs
  referencing old table as gone for each statement execute function jessica.off_job();

-- A cancelled job that nobody runs ends here and now; one that runs is ended by its node, which
-- stores what there is.
create function jessica.on_cancel() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  if new.kind = 'embedding' then
    perform jessica.forget_text(new.message_id);
    new.status := 'cancelled';
    new.finished_at := now();
    return new;
  end if;

  delete from jessica.ready r
  where r.rank = -new.priority and r.run_at = new.run_at and r.id = new.id;
  if not found then
    perform jessica.wake('cancel ' || new.id);
    return new;
  end if;

  update public.messages m
  set status = 'cancelled', content = coalesce(new.partial, m.content), updated_at = now()
  where m.id = new.reply_id;
  new.status := 'cancelled';
  new.finished_at := now();
  new.partial := null;
  new.checkpoint := null;
  if new.held_tokens > 0 then
    perform jessica.release(array[new.user_id], array[new.held_tokens], array[new.held_cost]);
  end if;
  return new;
end $$;

create trigger on_cancel before update of cancel_requested on public.inference_jobs
  for each row when (new.cancel_requested and not old.cancel_requested
                     and old.status in ('queued', 'running'))
  execute function jessica.on_cancel();

-- The end of a login is heard by every node at once: channels that were joined with its tokens are
-- closed. "signed_out <user> <session>", "shut_out <user> [<until, unix time>]", "let_in <user>".
create function jessica.on_sign_out() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform jessica.wake('signed_out ' || old.user_id || ' ' || old.id);
  return null;
end $$;

create function jessica.on_shut_out() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  if tg_op = 'DELETE' then
    perform jessica.wake('shut_out ' || old.id);
  elsif new.deleted_at is null and coalesce(new.banned_until <= now(), true) then
    perform jessica.wake('let_in ' || new.id);
  elsif new.deleted_at is null and isfinite(new.banned_until) then
    perform jessica.wake('shut_out ' || new.id || ' ' || ceil(extract(epoch from new.banned_until)));
  else
    perform jessica.wake('shut_out ' || new.id);
  end if;
  return null;
end $$;

-- The tables are not ours: where they may not have triggers, nodes learn of an end when they ask.
do $$
begin
  create trigger jessica_on_sign_out after delete on auth.sessions
    for each row execute function jessica.on_sign_out();
  create trigger jessica_on_delete after delete on auth.users
    for each row execute function jessica.on_shut_out();
  create trigger jessica_on_ban after update of banned_until, deleted_at on auth.users
    for each row when (old.banned_until is distinct from new.banned_until
                       or old.deleted_at is distinct from new.deleted_at)
    execute function jessica.on_shut_out();
exception when insufficient_privilege then
  raise notice 'no triggers on auth: channels of ended sessions close with their tokens';
end $$;

-- Which of these logins are over: their session is gone, or (shut_out) their user is banned, until
-- when, or deleted. A login without a session ends with its user. Where we may not look, tokens are
-- good until they expire.
create function jessica.ended_logins(users uuid[], sessions uuid[])
returns table (n bigint, shut_out bool, until bigint)
language plpgsql stable security definer set search_path = ''
as $$
#variable_conflict use_column
begin
  return query
  select x.n, x.deleted or x.banned,
    case when not x.deleted and x.banned and isfinite(x.banned_until)
      then ceil(extract(epoch from x.banned_until))::bigint end
  from (
    select r.n, u.banned_until, r.s is not null and a.id is null as signed_out,
      u.deleted_at is not null as deleted, coalesce(u.banned_until > now(), false) as banned
    from unnest(users, sessions) with ordinality r (u, s, n)
    left join auth.users u on u.id = r.u
    left join auth.sessions a on a.id = r.s and a.user_id = r.u
  ) x
  where x.signed_out or x.deleted or x.banned;
exception when insufficient_privilege then
  return;
end $$;

-- Jobs are not in it: what nodes must hear of them comes as messages, a fraction of the rows. No
-- column lists: two publications of one slot must not differ in them.
do $$
begin
  if exists (select from pg_publication where pubname = 'jessica_engine') then
    alter publication jessica_engine add table public.embeddings;
  end if;
end $$;

-- Nodes

create function jessica.join_node(node text, lease_time interval, info jsonb default null)
returns bigint
language sql security definer set search_path = ''
as $$
  insert into jessica.nodes (node, until, info) values (node, now() + lease_time, info)
  returning lease
$$;

-- Null: the lease was swept. Stop all work and join again.
create function jessica.renew(lease bigint, lease_time interval) returns bool
language sql security definer set search_path = ''
as $$
  update jessica.nodes n set until = now() + lease_time where n.lease = renew.lease
  returning true
$$;

-- Batches. Big tables are reached only by "= any(array)" (an index), array against array by hash
-- join: the planner does not know the sizes of arrays, and without the two enable_* settings it
-- picks sequential scans or n*n nested loops (measured: up to 7 times slower at 100-500). In
-- plpgsql with generic plans: a function in SQL is planned anew at every call, which takes longer
-- than a small batch itself.

-- Group commit: n sends of n users in one statement. A row that is missing from the answer was
-- refused or repeated, and wrote nothing. Trusts "users": they come from verified tokens. Ids come
-- from the server. A turn that opens its conversation makes it in the same statement, for itself
-- only; the foreign key is checked at the statement's end. Lease 0 or null: queued. A turn that is over
-- its author's quota comes back with the reason, stores nothing and holds nothing.
create function jessica.enqueue_batch(
  lease bigint, users uuid[], conversations uuid[], message_ids uuid[], reply_ids uuid[],
  contents text[], client_ids text[], params jsonb[], opens bool[]
) returns table (n bigint, job_id bigint, refused jsonb)
language plpgsql security definer set search_path = '' set plan_cache_mode = force_generic_plan
set enable_seqscan = off set enable_nestloop = off set lock_timeout = '200ms'
as $$
#variable_conflict use_column
declare
  limited bool := exists (select from public.usage_limits);
  held bigint[];
  held_costs numeric[];
  vetoes jsonb[];
begin
  if limited then
    select * into held, held_costs, vetoes
    from jessica.hold_batch(users, conversations, contents, client_ids, params);
  end if;

  return query
  -- Locked in one order, so that two batches with the same conversations cannot deadlock, and
  -- before the messages, so that one deleted meanwhile refuses its own turns and no others.
  with held as materialized (
    select o.id, o.user_id, o.head_seq from public.conversations o
    where o.id = any (conversations) and o.user_id = any (users)
    order by o.id for no key update
  ),
  -- The same rule as row security's: one's own conversation, or an unused id to open.
  q as materialized (
    select r.*, h.head_seq
    from unnest(users, conversations, message_ids, reply_ids, contents, client_ids, params, opens,
                held, held_costs, vetoes)
      with ordinality r (u, c, mid, rid, body, cid, p, op, ht, hc, veto, n)
    join auth.users a
      on a.id = r.u and a.id = any (users)
     and a.deleted_at is null and coalesce(a.banned_until < now(), true)
    left join held h on h.id = r.c and h.user_id = r.u
    left join public.conversations taken on taken.id = r.c and taken.id = any (conversations)
    where r.veto is null and (h.id is not null or (r.op and taken.id is null))
  ),
  m as (
    insert into public.messages (id, conversation_id, user_id, content, client_id, after_seq)
    select mid, c, u, body, cid,
      -- The first new one goes on where its owner chose to, the others after it.
      case when head_seq is not null and not exists (
          select from q e where e.c = q.c and e.n < q.n and not exists (
            select from public.messages x where x.user_id = e.u and x.client_id = e.cid))
        then head_seq end
    from q order by n
    on conflict do nothing returning id
  ),
  ok as (select q.* from q join m on m.id = q.mid),
  o as (
    insert into public.conversations (id, user_id, title)
    select c, u, public.first_title(body) from ok where op order by n
    on conflict do nothing
  ),
  t as (
    update public.conversations x set updated_at = now(), head_seq = null from held h
    where x.id = h.id and x.id = any (conversations) and h.id in (select c from ok)
  ),
  a as (
    insert into public.messages (id, conversation_id, user_id, role, status, reply_to)
    select rid, c, u, 'assistant', 'pending', mid from ok order by n
  ),
  j as (
    insert into public.inference_jobs
      (user_id, conversation_id, message_id, reply_id, params, lease, held_tokens, held_cost)
    select u, c, mid, rid, coalesce(p, '{}'), nullif(lease, 0), coalesce(ht, 0), hc
    from ok order by n
    returning id, message_id
  )
  select ok.n, j.id, null::jsonb from ok join j on j.message_id = ok.mid;

  if limited then
    return query select x.n, null::bigint, x.veto from unnest(vetoes) with ordinality x (veto, n)
    where x.veto is not null;

    -- Somebody else's conversation, or a repeated send: what was held for it.
    perform jessica.release(array_agg(x.u), array_agg(x.t), array_agg(x.c))
    from unnest(users, message_ids, held, held_costs) x (u, mid, t, c)
    where x.t > 0
      and x.mid <> all (array(select m.id from public.messages m where m.id = any (message_ids)))
    having count(*) > 0;
  end if;
end $$;

-- Conversations that somebody has locked at the moment: a transaction that holds one must not hold
-- up the others' sends.
create function jessica.locked(conversations uuid[]) returns setof uuid
language sql security definer set search_path = '' set enable_seqscan = off
as $$
  with free as materialized (
    select o.id from public.conversations o where o.id = any (conversations)
    for no key update skip locked
  )
  select o.id from public.conversations o
  where o.id = any (conversations) and o.id not in (select free.id from free)
$$;

-- First receipts of sends that were seen before; those that were stored just now, as "fresh", are
-- left out. What has been deleted since is the zero id, a job that was purged is 0.
create function jessica.find_sends(users uuid[], client_ids text[], fresh uuid[])
returns table (n bigint, conversation_id uuid, message_id uuid, reply_id uuid, job_id bigint)
language plpgsql stable security definer set search_path = ''
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
#variable_conflict use_column
begin
  return query
  select r.n, m.conversation_id, m.id,
    coalesce(a.id, '00000000-0000-0000-0000-000000000000'), coalesce(j.id, 0)
  from unnest(users, client_ids, fresh) with ordinality r (u, cid, mid, n)
  join public.messages m
    on m.user_id = r.u and m.client_id = r.cid and m.client_id is not null
   and m.id <> r.mid
  left join lateral (
    select x.id from public.messages x
    where x.conversation_id = m.conversation_id and x.seq > m.seq
      and x.reply_to = m.id and x.role = 'assistant'
    order by x.seq limit 1
  ) a on true
  left join lateral (
    select x.id from public.inference_jobs x
    where x.message_id = m.id and x.kind = 'inference'
    order by x.id limit 1
  ) j on true;
end $$;

-- Takes up to "want" ready jobs, by priority, then age, at most "each" of one user and none of the
-- users in "skip". "attempt" counts from 1. Nothing without a live lease.
create function jessica.claim_jobs(
  lease bigint, kinds text[], want int, each int, skip uuid[]
) returns table (
  id bigint, attempt smallint, user_id uuid, conversation_id uuid, message_id uuid,
  reply_id uuid, kind text, params jsonb, checkpoint jsonb, cancelled bool, kept int
)
language plpgsql security definer set search_path = '' set plan_cache_mode = force_generic_plan
set enable_seqscan = off set enable_nestloop = off
as $$
#variable_conflict use_column
begin
  return query
  -- As a rule nobody has more than "each" among the first "want", and they are taken as they are.
  with head as materialized (
    select r.ctid at, r.user_id from jessica.ready r
    where r.run_at <= now() and r.kind = any (kinds) and r.user_id <> all (skip)
    order by r.rank, r.run_at, r.id limit want for update skip locked
  ),
  crowd as materialized (
    select exists (select from head group by user_id having count(*) > each) found
  ),
  wide as (
    select x.at, x.rank, x.run_at, x.id,
      row_number() over (partition by x.user_id order by x.rank, x.run_at, x.id) nth
    from (
      select r.ctid at, r.rank, r.run_at, r.id, r.user_id from jessica.ready r
      where (select found from crowd)
        and r.run_at <= now() and r.kind = any (kinds) and r.user_id <> all (skip)
      order by r.rank, r.run_at, r.id limit want * 4) x
  ),
  taken as materialized (
    select at from head where not (select found from crowd)
    union all
    select x.ctid from (
      select x.ctid from jessica.ready x
      where (select found from crowd) and x.ctid = any (array(
        select at from wide where nth <= each order by rank, nth, run_at, id limit want))
      for update skip locked) x
  ),
  d as materialized (
    delete from jessica.ready r
    where r.ctid = any (array(select at from taken))
      and exists (select from jessica.nodes n where n.lease = claim_jobs.lease)
    returning r.id, r.attempt
  ),
  i as (
    insert into jessica.running (id, lease, attempt)
    select d.id, claim_jobs.lease, d.attempt + 1 from d
  )
  select j.id, (d.attempt + 1)::smallint, j.user_id, j.conversation_id, j.message_id,
    j.reply_id, j.kind, j.params, j.checkpoint, j.cancel_requested, j.kept
  from d join public.inference_jobs j
    on j.id = d.id and j.id = any (array(select d.id from d));
end $$;

-- For jobs that run longer than a second: stores the text so far (HOT), with what it has used, and
-- shows "running".
-- Returns those still ours: a missing id means stop. The running rows are locked first: whoever
-- finishes or sweeps them meanwhile wins.
create function jessica.checkpoint(
  lease bigint, ids bigint[], attempts int[], partials text[], checkpoints jsonb[]
) returns table (id bigint, cancelled bool)
language plpgsql security definer set search_path = '' set plan_cache_mode = force_generic_plan
set enable_seqscan = off set enable_nestloop = off set lock_timeout = '200ms'
as $$
#variable_conflict use_column
begin
  return query
  with held as materialized (
    select r.id, r.attempt from jessica.running r
    where r.id = any (ids) and r.lease = checkpoint.lease
    order by r.id for share
  )
  update public.inference_jobs j
  set status = 'running', started_at = coalesce(j.started_at, now()),
    partial = x.partial, checkpoint = x.ck
  from unnest(ids, checkpoint.attempts, partials, checkpoints) x (id, attempt, partial, ck)
  join held on held.id = x.id and held.attempt = x.attempt
  where j.id = x.id and j.id = any (ids)
  returning j.id, j.cancel_requested;
end $$;

-- Running jobs whose users want them stopped, for a node that may have missed their messages.
create function jessica.cancelled_jobs() returns setof bigint
language sql stable security definer set search_path = '' set enable_seqscan = off
as $$
  select j.id from public.inference_jobs j
  where j.id = any (array(select r.id from jessica.running r)) and j.cancel_requested
$$;

-- The usage of a reply's parts together: an estimate, if one of them is.
create function jessica.add_usage(one jsonb, other jsonb) returns jsonb
language sql immutable set search_path = ''
as $$
  select other || jsonb_build_object(
    'prompt_tokens',
    coalesce((one ->> 'prompt_tokens')::bigint, 0) + coalesce((other ->> 'prompt_tokens')::bigint, 0),
    'completion_tokens',
    coalesce((one ->> 'completion_tokens')::bigint, 0)
      + coalesce((other ->> 'completion_tokens')::bigint, 0),
    'estimated',
    coalesce((one ->> 'estimated')::bool, false) or coalesce((other ->> 'estimated')::bool, false))
    || case when one ? 'cost' or other ? 'cost' then jsonb_build_object('cost',
      coalesce((one ->> 'cost')::numeric, 0) + coalesce((other ->> 'cost')::numeric, 0))
      else '{}' end
$$;

-- Deleting the running row under our lease is the fence: a node that lost its lease writes nothing.
-- Statuses: done or cancelled. An attempt that was finished already is returned again: whoever asks
-- twice did not get the first answer.
create function jessica.finish_jobs(
  lease bigint, ids bigint[], attempts int[], statuses text[], contents text[], usages jsonb[]
) returns setof bigint
language plpgsql security definer set search_path = '' set plan_cache_mode = force_generic_plan
set enable_seqscan = off set enable_nestloop = off set lock_timeout = '200ms'
as $$
#variable_conflict use_column
declare
  stored bigint[];
  users uuid[];
  became text[];
  used jsonb[];
  held bigint[];
  held_costs numeric[];
  holds bool;
begin
  with d as materialized (
    delete from jessica.running r
    using unnest(ids, finish_jobs.attempts, statuses, contents, usages)
      u (id, attempt, status, content, usage)
    where r.id = any (ids) and r.lease = finish_jobs.lease
      and r.id = u.id and r.attempt = u.attempt
    returning r.id, r.attempt, u.status, u.content, u.usage
  ),
  f as (
    update public.inference_jobs j
    set status = d.status, attempts = d.attempt, finished_at = now(),
      partial = null, checkpoint = null
    from d where j.id = d.id and j.id = any (ids)
    returning j.id, j.reply_id, j.user_id, j.held_tokens, j.held_cost, d.status, d.content, d.usage
  ),
  w as (
    update public.messages m
    -- A reply that went on and ended before it had read its text keeps that; its parts' usage adds up.
    set content = case f.content when '' then m.content else f.content end,
      usage = case when m.usage is null then f.usage - 'model' - 'tools'
        else jessica.add_usage(m.usage, f.usage - 'model' - 'tools') end,
      tools = case when f.usage ? 'tools' then coalesce(m.tools, '[]') || (f.usage -> 'tools')
        else m.tools end,
      model = coalesce(f.usage ->> 'model', m.model), updated_at = now(),
      status = case f.status when 'done' then 'complete' else 'cancelled' end
    from f
    where m.id = f.reply_id and m.id = any (array(select f.reply_id from f))
  )
  select array_agg(f.id), array_agg(f.user_id), array_agg(f.status), array_agg(f.usage),
    array_agg(f.held_tokens), array_agg(f.held_cost), coalesce(max(f.held_tokens), 0) > 0
  into stored, users, became, used, held, held_costs, holds from f;

  if stored is not null then
    perform jessica.count_replies(users, became, used);
  end if;
  if holds then
    perform jessica.release(users, held, held_costs);
  end if;
  return query select unnest(stored);

  if coalesce(cardinality(stored), 0) < cardinality(ids) then
    return query
    select j.id from public.inference_jobs j
    join unnest(ids, finish_jobs.attempts) u (id, attempt)
      on u.id = j.id and u.attempt = j.attempts
    where j.id = any (ids) and j.id <> all (coalesce(stored, '{}'))
      and j.status in ('done', 'cancelled');
  end if;
end $$;

-- Jobs that a node holds and does not know of, because the answer that brought them was lost: ready
-- at once, as a new attempt without a strike. What the broken one used counts as its checkpoint says.
create function jessica.hand_back(lease bigint, ids bigint[]) returns int
language plpgsql security definer set search_path = '' set enable_seqscan = off
as $$
declare
  k int;
  users uuid[];
  became text[];
  used jsonb[];
begin
  with d as materialized (
    delete from jessica.running r where r.lease = hand_back.lease and r.id = any (ids)
    returning r.id, r.attempt
  ), f as (
    update public.inference_jobs j
    set status = 'queued', lease = null, attempts = d.attempt, max_attempts = j.max_attempts + 1,
      checkpoint = null
    from d join public.inference_jobs was on was.id = d.id
    where j.id = d.id and j.id = any (ids)
    returning j.id, j.priority, j.run_at, j.kind, j.user_id, d.attempt, was.checkpoint
  ), q as (
    insert into jessica.ready (rank, run_at, id, kind, user_id, attempt)
    select -f.priority, f.run_at, f.id, f.kind, f.user_id, f.attempt from f
  )
  select count(*), array_agg(f.user_id), array_agg('queued'::text), array_agg(f.checkpoint)
  into k, users, became, used from f;

  if k > 0 then
    perform jessica.count_replies(users, became, used);
    perform jessica.wake('jobs');
  end if;
  return k;
end $$;

-- What a node holds, as the database has it.
create function jessica.held_jobs(lease bigint) returns setof bigint
language sql stable security definer set search_path = ''
as $$ select r.id from jessica.running r where r.lease = held_jobs.lease $$;

-- An orderly goodbye: the node's jobs and texts are ready again at once. The attempt that was broken off
-- keeps its number, because clients saw text under it, but costs no strike. Returns how many.
create function jessica.leave(lease bigint) returns int
language plpgsql security definer set search_path = ''
as $$
begin
  delete from jessica.nodes n where n.lease = leave.lease;
  perform jessica.free_texts();
  return jessica.hand_back(lease, array(select jessica.held_jobs(lease)));
end $$;

-- Retry with backoff and jitter (1 s * 2^attempt, at most 5 min), else dead letter and an error on
-- the reply. When the node was lost: at once and without a strike, but not for ever, because a job
-- may be what brings nodes down. Every attempt counts with what it used: where nobody can say, with what
-- its last checkpoint says. A job that waits for its next one keeps what it holds.
create function jessica.fail_jobs(
  lease bigint, ids bigint[], errors text[], retryable bool[], node_lost bool default false,
  usages jsonb[] default null
) returns table (id bigint, status text)
language plpgsql security definer set search_path = '' set plan_cache_mode = force_generic_plan
set enable_seqscan = off set enable_nestloop = off set lock_timeout = '200ms'
as $$
#variable_conflict use_column
declare
  failed bigint[];
  users uuid[];
  became text[];
  used jsonb[];
  held bigint[];
  held_costs numeric[];
begin
  with d as materialized (
    delete from jessica.running r where r.id = any (ids) and r.lease = fail_jobs.lease
    returning r.id, r.attempt
  ),
  f as (
    update public.inference_jobs j
    set last_error = x.err, attempts = d.attempt, lease = null, checkpoint = null,
      status = case
        when j.cancel_requested then 'cancelled'
        when x.retry and d.attempt < j.max_attempts then 'queued'
        else 'dead' end,
      max_attempts = case when node_lost and j.max_attempts < 25
        then j.max_attempts + 1 else j.max_attempts end,
      run_at = now() + case when node_lost then interval '0' else
        least(interval '5 min', interval '1 s' * 2 ^ d.attempt) * (0.5 + random() / 2) end,
      finished_at = case
        when x.retry and d.attempt < j.max_attempts and not j.cancel_requested then null
        else now() end
    from unnest(ids, errors, retryable, usages) x (id, err, retry, used) join d on d.id = x.id
    join public.inference_jobs was on was.id = x.id and was.id = any (ids)
    where j.id = x.id and j.id = any (ids)
    returning j.id, j.reply_id, j.status, j.last_error, j.partial, j.priority, j.run_at,
      j.kind, j.user_id, j.attempts,
      case when (x.used ->> 'prompt_tokens')::bigint + (x.used ->> 'completion_tokens')::bigint > 0
        then x.used else was.checkpoint end used,
      case when j.status <> 'queued' then j.held_tokens end held, j.held_cost
  ),
  q as (
    insert into jessica.ready (rank, run_at, id, kind, user_id, attempt)
    select -f.priority, f.run_at, f.id, f.kind, f.user_id, f.attempts
    from f where f.status = 'queued'
  ),
  w as (
    update public.messages m
    set status = case f.status when 'dead' then 'error' else 'cancelled' end,
      content = coalesce(f.partial, m.content),
      error = jsonb_build_object('message', f.last_error), updated_at = now()
    from f
    where m.id = f.reply_id and m.id = any (array(select f.reply_id from f))
      and f.status in ('dead', 'cancelled')
  )
  select array_agg(f.id), array_agg(f.user_id), array_agg(f.status), array_agg(f.used),
    array_agg(f.held), array_agg(f.held_cost)
  into failed, users, became, used, held, held_costs from f;

  if failed is not null then
    perform jessica.count_replies(users, became, used);
  end if;
  if exists (select from unnest(held) h (t) where h.t > 0) then
    perform jessica.release(users, held, held_costs);
  end if;
  return query select * from unnest(failed, became);
end $$;

-- Housekeeping

-- Ends leases that ran out and puts their jobs back. The loop also catches a claim
-- that raced with the removal of its node.
create function jessica.sweep() returns int
language plpgsql security definer set search_path = ''
as $$
declare
  l bigint;
  a bigint[];
  k int := 0;
begin
  delete from jessica.nodes where lease in (
    select n.lease from jessica.nodes n where n.until < now() for update skip locked);
  if found then
    perform jessica.free_texts();
  end if;

  perform jessica.sweep_holds();

  for l, a in
    select r.lease, array_agg(r.id) from jessica.running r
    where not exists (select from jessica.nodes n where n.lease = r.lease)
    group by r.lease
  loop
    perform jessica.fail_jobs(
      l, a, array_fill('node lost'::text, array[cardinality(a)]),
      array_fill(true, array[cardinality(a)]), true);
    k := k + cardinality(a);
  end loop;

  if k > 0 then
    perform jessica.wake('jobs');
  end if;
  return k;
end $$;

-- When a node that skips these users should look again by itself.
create function jessica.next_due(kinds text[], skip uuid[]) returns timestamptz
language sql stable security definer set search_path = ''
as $$
  select min(r.run_at) from jessica.ready r
  where r.kind = any (kinds) and r.user_id <> all (skip)
$$;

-- Five more attempts for dead letters; their numbers go on, because clients saw the earlier ones. They
-- hold nothing more: an operator wants them.
create function jessica.retry_dead(ids bigint[]) returns int
language plpgsql security definer set search_path = ''
as $$
declare
  k int;
  texts uuid[];
begin
  with f as (
    update public.inference_jobs j
    set status = 'queued', max_attempts = j.attempts + 5, run_at = now(), finished_at = null,
      cancel_requested = false, held_tokens = 0, held_cost = null
    where j.id = any (ids) and j.status = 'dead'
    returning j.id, j.priority, j.run_at, j.kind, j.user_id, j.attempts, j.reply_id, j.message_id
  ),
  w as (
    update public.messages m set status = 'pending', error = null, updated_at = now()
    from f where m.id = f.reply_id
  ),
  q as (
    insert into jessica.ready (rank, run_at, id, kind, user_id, attempt)
    select -f.priority, f.run_at, f.id, f.kind, f.user_id, f.attempts
    from f where f.kind <> 'embedding'
  )
  select count(*), array_agg(f.message_id) filter (where f.kind = 'embedding') into k, texts from f;

  if texts is not null then
    perform jessica.embed_again(texts);
  end if;
  if k > 0 then
    perform jessica.wake('jobs');
  end if;
  return k;
end $$;

create function jessica.purge_jobs(keep interval default '7 days', batch int default 5000)
returns int
language sql security definer set search_path = ''
as $$
  with d as (
    delete from public.inference_jobs where id = any (array(
      select id from public.inference_jobs
      where status in ('done', 'cancelled') and finished_at < now() - keep
      order by id limit batch))
    returning 1
  )
  select count(*)::int from d
$$;

create view jessica.slots as
select slot_name, active, wal_status, safe_wal_size,
  to_jsonb(s) ->> 'invalidation_reason' invalidation_reason,  -- PostgreSQL 17 and later
  pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) held_bytes
from pg_replication_slots s
where slot_name like 'jessica%';

-- May a client read or write a private topic? Asks the policies of realtime.messages themselves,
-- for broadcast and for presence: probe rows go in with row security off, are looked for as the
-- client, and the inner block undoes everything. Security invoker on purpose: a definer function may
-- not change its role.
create function jessica.topic_rights(
  as_role text, claims text, topic text,
  out reads bool, out writes bool, out presence_reads bool, out presence_writes bool
)
language plpgsql set search_path = ''
as $$
declare
  broadcast uuid := gen_random_uuid();
  presence uuid := gen_random_uuid();
begin
  reads := false;
  writes := false;
  presence_reads := false;
  presence_writes := false;
  perform set_config('synchronous_commit', 'off', true);  -- nothing stays: nothing to flush
  begin
    perform set_config('role', 'service_role', true);
    insert into realtime.messages (id, topic, extension, private)
    values (broadcast, topic_rights.topic, 'broadcast', true),
      (presence, topic_rights.topic, 'presence', true);

    perform set_config('request.jwt.claims', claims, true),
      set_config('realtime.topic', topic_rights.topic, true),
      set_config('role', as_role, true);
    begin
      select coalesce(bool_or(m.id = broadcast), false), coalesce(bool_or(m.id = presence), false)
      into reads, presence_reads
      from realtime.messages m where m.id in (broadcast, presence);
    exception when insufficient_privilege then
      null;
    end;
    begin
      insert into realtime.messages (topic, extension, private)
      values (topic_rights.topic, 'broadcast', true);
      writes := true;
    exception when insufficient_privilege then
      null;
    end;
    begin
      insert into realtime.messages (topic, extension, private)
      values (topic_rights.topic, 'presence', true);
      presence_writes := true;
    exception when insufficient_privilege then
      null;
    end;
    raise exception using errcode = 'JX000';  -- the four variables survive the rollback
  exception when sqlstate 'JX000' then
    null;
  end;
end $$;

-- Who may call. By name: default privileges of one schema cannot take PUBLIC's execute away.

revoke execute on all functions in schema jessica from public;

do $$
begin
  if exists (select from pg_roles where rolname = 'jessica_engine') then
    grant usage on schema jessica to jessica_engine;
    grant execute on all functions in schema jessica to jessica_engine;
    grant select on jessica.slots to jessica_engine;
    -- For the snapshot copy; reading the stream itself needs no table privilege.
    grant select on public.embeddings to jessica_wal;
  end if;
  if exists (select from pg_roles where rolname = 'authenticator') then
    grant usage on schema jessica to authenticator;
    grant execute on function jessica.topic_rights(text, text, text),
      jessica.ended_logins(uuid[], uuid[]), jessica.settle() to authenticator;
  end if;
end $$;

grant usage on schema jessica to service_role;
grant execute on all functions in schema jessica to service_role;

-- The tick is for late retries: nodes look for ready rows that have come due.
do $$
begin
  if to_regprocedure('cron.schedule(text, text, text)') is null then
    raise notice 'pg_cron is missing: the servers sweep, nothing else is scheduled';
    return;
  end if;
  perform cron.schedule('jessica-sweep', '5 seconds', 'select jessica.sweep()');
  perform cron.schedule('jessica-purge', '17 * * * *', 'select jessica.purge_jobs()');
  perform cron.schedule('jessica-wake', '30 seconds', $q$select jessica.wake('tick')$q$);
end $$;
