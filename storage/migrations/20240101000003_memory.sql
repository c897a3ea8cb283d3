-- From message to vector: which texts wait to be embedded, by which model, and how far the old ones
-- are. Work is made by triggers, in the transaction that writes the text, whoever writes it.

-- A text that waits, or is being embedded (until due_at). Without a foreign key, which would lock
-- and look up every message that is stored. Beside its inserts and deletes a row sees one update,
-- which touches no index.
create table jessica.unembedded (
  rank smallint not null,  -- 0: just written; 1: there before the model was
  seq bigint not null,     -- the message's
  message_id uuid not null,
  version int not null,    -- the text's
  attempts smallint not null default 0,
  since timestamptz not null default now(),
  due_at timestamptz,      -- null: at once
  node text,               -- who embeds it
  last_error text,
  primary key (rank, seq)
) with (
  fillfactor = 70,
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 2000,
  autovacuum_vacuum_cost_delay = 0
);

-- Which messages a model's first pass has still to look at: those with smaller ids.
create table jessica.embedding_scans (
  model_id smallint primary key references public.embedding_models (id),
  below uuid,                      -- null: all
  looked bool not null default false,
  swept bigint not null default 0  -- other models' embeddings up to this id are gone
);

-- What has vectors. Other states have no text yet, or one that is no answer; and what is nothing but
-- white space and control characters has no words. Listed, because '\s' depends on the locale.
create function jessica.has_text(status text, content text) returns bool
language sql immutable
as $$
  select status in ('complete', 'cancelled')
    and content ~ '[^\u0001-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]'
$$;

-- Statement triggers, because single rows would cost a send and a reply's end more. Disabled until
-- a model is used: then they cost nothing. Where a text waits already and nobody is at it, nobody
-- needs to be woken: whoever takes that one will find the next. Only near the text itself is looked
-- for such a one: behind an old transaction many rows may be dead and still in the way, and to wake
-- once too often does no harm.

create function jessica.on_text() returns trigger
language plpgsql security definer set search_path = '' set enable_seqscan = off
as $$
declare
  waiting bool := exists (
    select from jessica.unembedded w
    where w.rank = 0 and (w.due_at is null or w.due_at <= now())
      and w.seq > (select max(f.seq) from fresh f) - 1000
      and w.seq <= (select max(f.seq) from fresh f) + 1000);
begin
  insert into jessica.unembedded (rank, seq, message_id, version)
  select 0, f.seq, f.id, f.version from fresh f
  where jessica.has_text(f.status, f.content)
  order by f.seq;
  if found and not waiting then
    perform jessica.wake('embed');
  end if;
  return null;
end $$;

create function jessica.on_text_changed() returns trigger
language plpgsql security definer set search_path = '' set enable_nestloop = off
set enable_seqscan = off
as $$
declare
  waiting bool := exists (
    select from jessica.unembedded w
    where w.rank = 0 and (w.due_at is null or w.due_at <= now())
      and w.seq > (select max(f.seq) from fresh f) - 1000
      and w.seq <= (select max(f.seq) from fresh f) + 1000);
begin
  insert into jessica.unembedded (rank, seq, message_id, version)
  select 0, f.seq, f.id, f.version
  from fresh f join stale s on s.id = f.id
  where jessica.has_text(f.status, f.content)
    and (s.status not in ('complete', 'cancelled') or s.content = '' or s.version <> f.version)
  order by f.seq
  on conflict (rank, seq) do update
  set version = excluded.version, attempts = 0, since = now(), due_at = null, node = null,
    last_error = null;
  if found and not waiting then
    perform jessica.wake('embed');
  end if;

  -- A text that is none any more is not found any more.
  if exists (
      select from stale s where s.status in ('complete', 'cancelled') and s.content <> '') then
    delete from public.embeddings e using fresh f
    where e.message_id = f.id and not jessica.has_text(f.status, f.content);
    delete from jessica.unembedded w using fresh f
    where w.rank in (0, 1) and w.seq = f.seq and not jessica.has_text(f.status, f.content);
  end if;
  return null;
end $$;

create function jessica.off_text() returns trigger
language plpgsql security definer set search_path = '' set enable_seqscan = off
as $$
begin
  delete from jessica.unembedded w using gone g where w.rank in (0, 1) and w.seq = g.seq;
  return null;
end $$;

create trigger on_text after insert on public.messages
  referencing new table as fresh for each statement execute function jessica.on_text();
create trigger on_text_changed after update on public.messages
  referencing old table as stale new table as fresh
  for each statement execute function jessica.on_text_changed();
create trigger off_text after delete on public.messages
  referencing old table as gone for each statement execute function jessica.off_text();
alter table public.messages
  disable trigger on_text, disable trigger on_text_changed, disable trigger off_text;

-- Models

-- From now on texts are embedded with this model, and those that were there before will be. The
-- triggers' switch waits for every transaction that writes messages, and is seen by every later
-- statement, whatever its snapshot: no message falls between the triggers and the first pass. Fails
-- at once where the table stays busy: try again.
create function jessica.use_model(name text, dim int) returns smallint
language plpgsql security definer set search_path = '' set lock_timeout = '1s'
as $$
declare
  m public.embedding_models;
begin
  perform pg_advisory_xact_lock(4842100120240102);
  select * into m from public.embedding_models x where x.name = use_model.name;
  if not found then
    insert into public.embedding_models (id, name, dim)
    select coalesce(max(x.id), 0) + 1, use_model.name, use_model.dim
    from public.embedding_models x
    returning * into m;
  elsif m.dim <> use_model.dim then
    raise exception 'the vectors of model % have % numbers, not %', name, m.dim, use_model.dim
      using errcode = '22023';
  end if;
  if m.active then
    return m.id;
  end if;
  perform public.ensure_embedding_index(m.id);

  update public.embedding_models x set active = x.id = m.id, complete = x.complete and x.id <> m.id
  where x.active or x.id = m.id;
  insert into jessica.embedding_scans as s (model_id) values (m.id)
  on conflict (model_id) do update set below = null, looked = false, swept = 0;
  if exists (
      select from pg_catalog.pg_trigger t
      where t.tgrelid = 'public.messages'::regclass and t.tgname = 'on_text'
        and t.tgenabled = 'D') then
    alter table public.messages
      enable trigger on_text, enable trigger on_text_changed, enable trigger off_text;
  end if;
  return m.id;
end $$;

-- No model: texts are not embedded, nothing waits. What is there stays and is searched.
create function jessica.use_no_model() returns void
language plpgsql security definer set search_path = '' set lock_timeout = '1s'
as $$
begin
  perform pg_advisory_xact_lock(4842100120240102);
  alter table public.messages
    disable trigger on_text, disable trigger on_text_changed, disable trigger off_text;
  update public.embedding_models set active = false where active;
  delete from jessica.unembedded;
end $$;

-- The work of texts that somebody asked to be embedded (again), due now.
create function jessica.embed_again(texts uuid[]) returns void
language plpgsql security definer set search_path = '' set enable_seqscan = off
as $$
begin
  insert into jessica.unembedded (rank, seq, message_id, version)
  select 0, m.seq, m.id, m.version from public.messages m
  where m.id = any (texts) and jessica.has_text(m.status, m.content)
  order by m.seq
  on conflict (rank, seq) do update
  set version = excluded.version, attempts = 0, due_at = null, node = null, last_error = null;
  perform jessica.wake('embed');
end $$;

create function jessica.forget_text(message uuid) returns void
language sql security definer set search_path = ''
as $$
  delete from jessica.unembedded w using public.messages m
  where m.id = message and w.rank in (0, 1) and w.seq = m.seq
$$;

-- Work

-- What nodes that are gone had taken is free at once. Waits for nobody: a row that somebody changes
-- is not held any more in a moment, or freed by the next call or its lease.
create function jessica.free_texts() returns void
language sql security definer set search_path = ''
as $$
  update jessica.unembedded w set due_at = null, node = null
  where (w.rank, w.seq) in (
    select u.rank, u.seq from jessica.unembedded u
    where u.node is not null and not exists (select from jessica.nodes n where n.node = u.node)
    for update skip locked)
$$;

create function jessica.check_model(model smallint) returns void
language plpgsql stable security definer set search_path = ''
as $$
begin
  if not exists (select from public.embedding_models m where m.id = model and m.active) then
    raise exception 'another model is used by now' using errcode = '40001';
  end if;
end $$;

-- Takes up to "want" texts that were just written, or else "want_old" others, oldest first, for
-- "lease". Together they have at most 64 KiB, or it is one text: a batch should take seconds.
-- "attempt" counts from 1. A text that was begun more than twice and never ended comes alone, because
-- it may be what ends nodes.
create function jessica.claim_texts(
  model smallint, node text, want int, want_old int, lease interval
) returns table (
  rank smallint, seq bigint, version int, attempt smallint, message_id uuid, content text
)
language plpgsql security definer set search_path = '' set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
#variable_conflict use_column
declare
  r smallint;
  n int;
  tried smallint;
  first bigint;
  empty smallint := -1;
begin
  perform jessica.check_model(model);
  -- Each rank in a few goes: what is obsolete, or somebody else's, hides nothing.
  foreach r in array array[0, 0, 0, 0, 1, 1] loop
    continue when r = empty;
    select w.attempts, w.seq into tried, first from jessica.unembedded w
    where w.rank = r and (w.due_at is null or w.due_at <= now())
    order by w.seq limit 1;
    if not found then
      empty := r;
      continue;
    end if;
    n := case when tried > 2 then 1 when r = 0 then want else want_old end;

    return query
    with head as materialized (
      select w.rank, w.seq, w.version, w.message_id from jessica.unembedded w
      where w.rank = r and w.seq >= first and (w.due_at is null or w.due_at <= now())
        and (w.attempts <= 2 or n = 1)
      order by w.seq limit n for update skip locked
    ),
    good as materialized (
      select h.rank, h.seq, m.content, row_number() over upto nth,
        sum(octet_length(m.content)) over upto bytes
      from head h
      join public.messages m on m.id = h.message_id and m.version = h.version
      where m.id = any (array(select h2.message_id from head h2))
        and jessica.has_text(m.status, m.content)
      window upto as (order by h.seq rows unbounded preceding)
    ),
    -- A lock gives the newest work, the snapshot may have an older message: that work is for later.
    obsolete as (
      delete from jessica.unembedded w using head h
      where w.rank = h.rank and w.seq = h.seq
        and not exists (select from good g where g.rank = h.rank and g.seq = h.seq)
        and not exists (
          select from public.messages m where m.id = h.message_id and m.version < h.version)
    ),
    taken as (
      update jessica.unembedded w
      set due_at = now() + lease, node = claim_texts.node, attempts = w.attempts + 1
      from good g where w.rank = g.rank and w.seq = g.seq and (g.nth = 1 or g.bytes <= 65536)
      returning w.rank, w.seq, w.version, w.attempts, w.message_id, g.content
    )
    select t.rank, t.seq, t.version, t.attempts, t.message_id, t.content
    from taken t order by t.seq;
    if found then
      return;
    end if;
  end loop;
end $$;

-- One text, now, for whoever waits for it; whoever else has it will store nothing. No row: there is
-- no such text.
create function jessica.take_text(model smallint, node text, message uuid, lease interval)
returns table (
  rank smallint, seq bigint, version int, attempt smallint, message_id uuid, content text
)
language plpgsql security definer set search_path = '' set enable_seqscan = off
as $$
#variable_conflict use_column
begin
  perform jessica.check_model(model);
  for tries in 1..3 loop
    return query
    with m as materialized (
      select m.seq, m.id, m.version, m.content from public.messages m
      where m.id = message and jessica.has_text(m.status, m.content)
    ),
    w as (
      insert into jessica.unembedded as w (rank, seq, message_id, version, attempts, due_at, node)
      select 0, m.seq, m.id, m.version, 1, now() + lease, take_text.node from m
      on conflict (rank, seq) do update
      set due_at = excluded.due_at, node = excluded.node, attempts = w.attempts + 1
      where w.version = excluded.version
      returning w.rank, w.seq, w.version, w.attempts, w.message_id
    )
    select w.rank, w.seq, w.version, w.attempts, w.message_id, m.content from w join m on true;
    -- Nothing where the text is there: it was changed while we waited for its work.
    if found or not exists (
        select from public.messages m
        where m.id = message and jessica.has_text(m.status, m.content)) then
      return;
    end if;
  end loop;
  raise exception 'the text is being changed' using errcode = '40001';
end $$;

-- Stores all vectors of texts whose work is still there for the same version, and ends the work;
-- returns their places in the arrays. Vector i is of text places[i]; a text may have none. Never
-- waits for a row: what somebody is changing or deleting at the moment is left for later. So it
-- cannot deadlock with writers, who lock the message before the work.
create function jessica.store_embeddings(
  model smallint, ranks smallint[], seqs bigint[], versions int[],
  places int[], chunks int[], begins int[], ends int[], vectors extensions.vector[]
) returns setof int
language plpgsql security definer set search_path = '' set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  stored int[];
  messages uuid[];
  users uuid[];
  held_versions int[];
  held_seqs bigint[];
begin
  -- The model stays what it is until we commit.
  perform from public.embedding_models m where m.id = model and m.active for share;
  if not found then
    return;
  end if;

  with held as materialized (
    select w.seq, w.message_id, w.version, x.place from jessica.unembedded w
    join unnest(ranks, seqs, versions) with ordinality x (rank, seq, version, place)
      on x.rank = w.rank and x.seq = w.seq and x.version = w.version
    order by w.rank, w.seq for update of w skip locked
  ),
  owned as materialized (
    select m.id, m.user_id, h.version, h.seq, h.place from public.messages m
    join held h on h.message_id = m.id and h.version = m.version
    where jessica.has_text(m.status, m.content)
    order by m.seq for no key update of m skip locked
  )
  select array_agg(o.place), array_agg(o.id), array_agg(o.user_id), array_agg(o.version),
    array_agg(o.seq)
  into stored, messages, users, held_versions, held_seqs from owned o;
  if stored is null then
    return;
  end if;

  delete from public.embeddings e using unnest(messages, held_versions) x (message, version)
  where e.message_id = x.message and (e.model_id = model or e.version < x.version);

  insert into public.embeddings
    (message_id, user_id, model_id, version, chunk, chunk_begin, chunk_end, embedding)
  select o.message, o.owner, model, o.version, v.chunk, v.begins, v.ends, v.embedding
  from unnest(places, chunks, begins, ends, vectors) v (place, chunk, begins, ends, embedding)
  join unnest(stored, messages, users, held_versions) o (place, message, owner, version)
    on o.place = v.place
  order by v.place, v.chunk;

  delete from jessica.unembedded w where w.ctid = any (array(
    select u.ctid from jessica.unembedded u
    where u.rank in (0, 1) and u.seq = any (held_seqs) for update skip locked));

  update public.inference_jobs j set status = 'done', finished_at = now()
  where j.message_id = any (messages) and j.kind = 'embedding' and j.status in ('queued', 'dead');

  return query select unnest(stored);
end $$;

-- How many vectors of this model the message has, of its text as it is now.
create function jessica.count_vectors(model smallint, message uuid) returns bigint
language sql stable security definer set search_path = ''
as $$
  select count(*) from public.embeddings e
  join public.messages m on m.id = e.message_id and m.version = e.version
  where e.message_id = count_vectors.message and e.model_id = count_vectors.model
$$;

-- Again after a pause (1 s * 2^attempt with jitter, at most 5 min), five times; then a dead job
-- that operators see. Only what its taker still holds. Returns how many died.
create function jessica.fail_texts(
  ranks smallint[], seqs bigint[], versions int[], attempts int[], errors text[],
  retryable bool[]
) returns int
language plpgsql security definer set search_path = '' set enable_seqscan = off
as $$
declare
  k int;
begin
  with x as materialized (
    select w.rank, w.seq, w.attempts, x.err, x.retry and x.attempt < 5 as again
    from unnest(ranks, seqs, versions, fail_texts.attempts, errors, retryable)
      x (rank, seq, version, attempt, err, retry)
    join jessica.unembedded w on w.rank = x.rank and w.seq = x.seq and w.version = x.version
      and w.attempts = x.attempt
    for update of w skip locked
  )
  update jessica.unembedded w
  set node = null, last_error = x.err, due_at = case when x.again then
    now() + least(interval '5 min', interval '1 s' * 2 ^ w.attempts) * (0.5 + random() / 2) end
  from x where w.rank = x.rank and w.seq = x.seq;

  with dead as (
    delete from jessica.unembedded w
    using unnest(ranks, seqs, versions, fail_texts.attempts, retryable)
      x (rank, seq, version, attempt, retry)
    where w.rank = x.rank and w.seq = x.seq and w.version = x.version
      and w.attempts = x.attempt and w.node is null
      and not (x.retry and x.attempt < 5)
    returning w.message_id, w.attempts, w.last_error, w.since
  ),
  known as (
    update public.inference_jobs j
    set status = 'dead', attempts = d.attempts, last_error = d.last_error, finished_at = now()
    from dead d where j.message_id = d.message_id and j.kind = 'embedding' and j.status = 'queued'
    returning j.message_id
  ),
  made as (
    insert into public.inference_jobs (user_id, conversation_id, message_id, kind, status, attempts,
      last_error, created_at, finished_at)
    select m.user_id, m.conversation_id, m.id, 'embedding', 'dead', d.attempts, d.last_error,
      d.since, now()
    from dead d join public.messages m on m.id = d.message_id
    where d.message_id not in (select message_id from known)
  )
  select count(*) into k from dead;
  return k;
end $$;

-- Not embedded, through no fault of the texts: due again after a pause, and no attempt is counted.
create function jessica.release_texts(
  ranks smallint[], seqs bigint[], versions int[], attempts int[], pause interval
) returns void
language sql security definer set search_path = ''
as $$
  update jessica.unembedded w
  set node = null, attempts = w.attempts - 1, due_at = now() + pause
  from unnest(ranks, seqs, versions, release_texts.attempts) x (rank, seq, version, attempt)
  where w.rank = x.rank and w.seq = x.seq and w.version = x.version and w.attempts = x.attempt
$$;

-- Old texts

-- The next "want" messages that were there before the model: those without its vectors wait from
-- now on, behind all fresh ones. "more": call again; "waiting": all were looked at, some wait or
-- are being embedded; "complete": all have their vectors, and searches use the model.
create function jessica.queue_old_texts(model smallint, want int) returns text
language plpgsql security definer set search_path = '' set enable_seqscan = off
as $$
declare
  s jessica.embedding_scans;
  seen int;
  lowest uuid;
begin
  perform jessica.check_model(model);
  select * into s from jessica.embedding_scans x where x.model_id = model for update skip locked;
  if not found then
    return 'waiting';  -- another node does it
  end if;

  if not s.looked then
    with page as materialized (
      select m.seq, m.id, m.version, jessica.has_text(m.status, m.content) has_text
      from public.messages m
      where m.id < coalesce(s.below, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
      order by m.id desc limit want
    ),
    queued as (
      insert into jessica.unembedded (rank, seq, message_id, version)
      select 1, p.seq, p.id, p.version from page p
      where p.has_text
        and not exists (
          select from public.embeddings e
          where e.message_id = p.id and e.model_id = model and e.version = p.version)
        and not exists (
          select from jessica.unembedded w where w.rank = 0 and w.seq = p.seq)
      order by p.seq
      on conflict do nothing
    )
    select count(*), (select p.id from page p order by p.id limit 1) into seen, lowest from page;

    update jessica.embedding_scans x
    set below = coalesce(lowest, x.below), looked = seen < want
    where x.model_id = model;
    return 'more';
  end if;

  if exists (select from jessica.unembedded w where w.rank = 1) then
    return 'waiting';
  end if;
  update public.embedding_models x set complete = x.id = model
  where x.complete <> (x.id = model);
  return 'complete';
end $$;

-- Looks at the next "want" embeddings and removes those of models that are not searched any more.
-- False: there are no more to look at.
create function jessica.drop_old_embeddings(model smallint, want int) returns bool
language plpgsql security definer set search_path = '' set enable_seqscan = off
as $$
declare
  s jessica.embedding_scans;
  last bigint;
begin
  select * into s from jessica.embedding_scans x where x.model_id = model for update skip locked;
  if not found
      or not exists (select from public.embedding_models m where m.id = model and m.complete) then
    return false;
  end if;

  with page as materialized (
    select e.id, e.model_id from public.embeddings e where e.id > s.swept order by e.id limit want
  ),
  d as (
    delete from public.embeddings e
    where e.id = any (array(select p.id from page p where p.model_id <> model))
  )
  select max(p.id) into last from page p;

  update jessica.embedding_scans x set swept = coalesce(last, x.swept) where x.model_id = model;
  return last is not null;
end $$;

-- What waits: how many of up to 10,000, and for how many seconds the oldest fresh one.
create function jessica.texts_waiting(out waiting bigint, out oldest float8)
language sql stable security definer set search_path = ''
as $$
  select (select count(*) from (select from jessica.unembedded limit 10000) w),
    coalesce((
      select extract(epoch from clock_timestamp() - w.since) from jessica.unembedded w
      where w.rank = 0 order by w.seq limit 1), 0)
$$;

-- Which model searches go by, and what it is. No row: none.
create function jessica.searched_model(out id smallint, out name text, out dim int)
returns setof record
language sql stable security definer set search_path = ''
as $$
  select m.id, m.name, m.dim from public.embedding_models m where m.id = public.search_model()
$$;

-- Which one texts are embedded with now.
create function jessica.used_model(out id smallint, out name text, out dim int)
returns setof record
language sql stable security definer set search_path = ''
as $$ select m.id, m.name, m.dim from public.embedding_models m where m.active $$;

-- For operators: work that has no job of its own, numbered by its message.
create view jessica.texts as
select w.rank, w.seq, w.message_id, m.user_id, m.conversation_id, w.version,
  case when w.node is not null and w.due_at > now() then 'running' else 'queued' end status,
  w.attempts, w.since, w.due_at, w.node, w.last_error
from jessica.unembedded w join public.messages m on m.id = w.message_id;

revoke execute on all functions in schema jessica from public;

do $$
begin
  if exists (select from pg_roles where rolname = 'jessica_engine') then
    grant execute on all functions in schema jessica to jessica_engine;
    grant select on jessica.texts to jessica_engine;
  end if;
end $$;

grant execute on all functions in schema jessica to service_role;
