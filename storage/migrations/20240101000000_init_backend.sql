-- Chat tables, their row security and the calls clients make. Runs unchanged on a hosted Supabase
-- project (as role postgres, which is no superuser there) and self-hosted.

create extension if not exists vector with schema extensions;

-- Conversations and messages

create table public.conversations (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null default auth.uid() references auth.users (id) on delete cascade,
  title text,
  model text,
  system_prompt text,
  metadata jsonb not null default '{}',
  archived_at timestamptz,
  -- Where its owner chose to go on: the next message comes after this one. Null: after the newest.
  head_seq bigint,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint conversations_id_user unique (id, user_id)
) with (fillfactor = 70);

-- Without updated_at, which every message changes: such an update touches no index.
create index conversations_by_user on public.conversations (user_id);

-- The foreign key makes the owner column the conversation's owner by constraint, not by trust:
-- routing of changes in the server may rely on it.
create table public.messages (
  id uuid primary key default gen_random_uuid(),
  seq bigint generated always as identity,
  -- A message comes after the one before it, by seq. Where a branch begins it comes after that with
  -- this seq, or what is left before it; 0: it begins the conversation. See docs/branches.md.
  after_seq bigint check (after_seq >= 0 and after_seq < seq),
  conversation_id uuid not null,
  user_id uuid not null default auth.uid(),
  role text not null default 'user'
    check (role in ('user', 'assistant', 'system', 'tool')),
  status text not null default 'complete'
    check (status in ('pending', 'streaming', 'complete', 'error', 'cancelled')),
  content text not null default '' check (octet_length(content) <= 262144),
  version int not null default 1,  -- of the text, once there is one
  reply_to uuid,
  client_id text,
  model text,
  usage jsonb,
  error jsonb,
  tools jsonb,  -- that the reply called: [{id, name, arguments, result, failed, took_ms}]
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint messages_id_user unique (id, user_id),
  foreign key (conversation_id, user_id)
    references public.conversations (id, user_id) on delete cascade
) with (fillfactor = 60);

create index messages_by_conversation on public.messages (conversation_id, seq);

-- Where branches begin: empty for most conversations, so that the others pay for them.
create index messages_branches
  on public.messages (conversation_id, seq) include (after_seq) where after_seq is not null;

-- A send that is repeated finds its first copy.
create unique index messages_client_id
  on public.messages (user_id, client_id) where client_id is not null;

create index messages_created on public.messages using brin (created_at);

-- A text that is changed is another text: vectors made from the old one are known by its number. So
-- is one that moves to another conversation, author or time: its vectors bear these.
create function public.count_message_version() returns trigger
language plpgsql set search_path = ''
as $$ begin
  new.version := old.version + 1;
  return new;
end $$;

create trigger count_message_version before update on public.messages
  for each row when (old.content <> ''
    and (new.content, new.conversation_id, new.role, new.created_at)
      is distinct from (old.content, old.conversation_id, old.role, old.created_at))
  execute function public.count_message_version();

-- What a conversation is called until it gets a title of its own. The text is cut first: a long
-- message must not cost a long replacement. No search_path: so that it is inlined.
create function public.first_title(content text) returns text
language sql immutable
as $$
  select nullif(pg_catalog.left(pg_catalog.btrim(pg_catalog.regexp_replace(
    pg_catalog.left(content, 1000), '\s+', ' ', 'g')), 80), '')
$$;

-- Embeddings

-- At most one model is active: the one that new texts are embedded with. At most one is complete:
-- every text has its vectors. They differ while old texts are embedded anew.
create table public.embedding_models (
  id smallint primary key,
  name text not null unique,
  dim int not null check (dim between 1 and 16000),
  active bool not null default false,
  complete bool not null default false,
  unique (id, dim)
);

-- Rows are immutable; id is also the vector index's id. The column has no fixed dimension: the last
-- foreign key refuses a vector whose size is not its model's.
create table public.embeddings (
  id bigint generated always as identity primary key,
  message_id uuid not null,
  user_id uuid not null,
  -- Copied from the message by a trigger: searches filter by them in memory.
  conversation_id uuid not null,
  role text not null,
  said_at timestamptz not null,
  model_id smallint not null,
  version int not null default 1,  -- of the text that was embedded
  chunk int not null default 0,    -- a long text has several
  chunk_begin int not null default 0,  -- bytes of the text, in UTF-8; an end of 0: all of it
  chunk_end int not null default 0,
  embedding extensions.vector not null,
  dim int generated always as (extensions.vector_dims(embedding)) stored,
  created_at timestamptz not null default now(),
  constraint embeddings_id_user unique (id, user_id),
  unique (message_id, model_id, chunk),
  foreign key (message_id, user_id)
    references public.messages (id, user_id) on delete cascade,
  foreign key (model_id, dim) references public.embedding_models (id, dim)
);

create index embeddings_by_user on public.embeddings (user_id, model_id);

create function public.copy_message_facts() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  select m.conversation_id, m.role, m.created_at
  into new.conversation_id, new.role, new.said_at
  from public.messages m where m.id = new.message_id;
  return new;
end $$;

create trigger copy_message_facts before insert on public.embeddings
  for each row execute function public.copy_message_facts();

-- One partial expression index a model, as each has its own dimension. HNSW takes vector up to
-- 2000 dimensions and halfvec up to 4000; above that searches are exact.
create function public.ensure_embedding_index(m smallint) returns void
language plpgsql set search_path = ''
as $$
declare
  d int := (select dim from public.embedding_models where id = m);
  t text := case when d > 2000 then 'halfvec' else 'vector' end;
begin
  if d <= 4000 then
    execute format(
      'create index if not exists embeddings_hnsw_m%s on public.embeddings '
      'using hnsw ((embedding::extensions.%s(%s)) extensions.%s_cosine_ops) '
      'where model_id = %s', m, t, d, t, m);
  end if;
end $$;

-- The model to search by: the complete one, else the active one. Null: there is none.
create function public.search_model() returns smallint
language sql stable set search_path = ''
as $$
  select m.id from public.embedding_models m where m.complete or m.active
  order by m.complete desc limit 1
$$;

-- Jobs

-- The durable, visible record of a job; whether it waits or runs is in jessica.ready and
-- jessica.running. No index holds a column that changes, so every later update of a row is HOT.
create table public.inference_jobs (
  id bigint generated always as identity primary key,
  user_id uuid not null default auth.uid(),
  conversation_id uuid not null,
  message_id uuid not null,
  reply_id uuid,
  kind text not null default 'inference' check (kind in ('inference', 'embedding')),
  status text not null default 'queued'
    check (status in ('queued', 'running', 'done', 'dead', 'cancelled')),
  priority smallint not null default 0,
  run_at timestamptz not null default now(),
  attempts smallint not null default 0,
  max_attempts smallint not null default 5,
  lease bigint,
  cancel_requested bool not null default false,
  params jsonb not null default '{}',
  kept int not null default 0 check (kept >= 0),  -- characters of the reply that it goes on with
  partial text,
  checkpoint jsonb,
  last_error text,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  foreign key (message_id, user_id)
    references public.messages (id, user_id) on delete cascade
) with (
  fillfactor = 50,
  autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_cost_delay = 0
);

create index jobs_by_message on public.inference_jobs (message_id);

-- Row security. (select auth.uid()) is evaluated once a statement instead of once a row.

alter table public.conversations enable row level security;
alter table public.messages enable row level security;
alter table public.embeddings enable row level security;
alter table public.inference_jobs enable row level security;
alter table public.embedding_models enable row level security;

create policy own_select on public.conversations for select to authenticated
  using ((select auth.uid()) = user_id);

create policy own_insert on public.conversations for insert to authenticated
  with check ((select auth.uid()) = user_id);

create policy own_update on public.conversations for update to authenticated
  using ((select auth.uid()) = user_id) with check ((select auth.uid()) = user_id);

create policy own_delete on public.conversations for delete to authenticated
  using ((select auth.uid()) = user_id);

create policy own_select on public.messages for select to authenticated
  using ((select auth.uid()) = user_id);

create policy own_insert on public.messages for insert to authenticated
  with check ((select auth.uid()) = user_id and role = 'user' and status = 'complete');

create policy own_delete on public.messages for delete to authenticated
  using ((select auth.uid()) = user_id);

create policy own_select on public.embeddings for select to authenticated
  using ((select auth.uid()) = user_id);

create policy own_select on public.inference_jobs for select to authenticated
  using ((select auth.uid()) = user_id);

create policy read_models on public.embedding_models for select to authenticated
  using (true);

-- A hosted project's default privileges give everything in "public" to the client roles: take all
-- back first, then grant by column what a client may read and set.

revoke all on
  public.conversations, public.messages, public.embeddings, public.inference_jobs,
  public.embedding_models
from anon, authenticated;
revoke all on sequence
  public.messages_seq_seq, public.embeddings_id_seq, public.inference_jobs_id_seq
from anon, authenticated;

grant
  select, delete,
  insert (id, title, model, system_prompt, metadata, user_id),
  update (title, model, system_prompt, metadata, archived_at)
on public.conversations to authenticated;

grant
  select, delete,
  insert (id, conversation_id, user_id, content, reply_to, client_id, role, after_seq)
on public.messages to authenticated;

grant select on public.embeddings, public.embedding_models to authenticated;

-- Not the working columns: params, partial, checkpoint, last_error, lease.
grant select (
  id, user_id, conversation_id, message_id, reply_id, kind, status, priority, attempts,
  cancel_requested, created_at, started_at, finished_at
) on public.inference_jobs to authenticated;

grant all on
  public.conversations, public.messages, public.embeddings, public.inference_jobs,
  public.embedding_models
to service_role;

-- The old row of an update or delete in the WAL is (id, user_id): enough to route a delete to its
-- owner, without the cost of FULL. Jobs keep their primary key.

alter table public.conversations replica identity using index conversations_id_user;
alter table public.messages replica identity using index messages_id_user;
alter table public.embeddings replica identity using index embeddings_id_user;

alter publication supabase_realtime add table public.conversations, public.messages;

-- The private channel "conversation:<uuid>": its owner may listen and send.

create policy own_channel_read on realtime.messages for select to authenticated
  using (exists (
    select from public.conversations c
    where 'conversation:' || c.id::text = (select realtime.topic())
      and c.user_id = (select auth.uid())));

create policy own_channel_write on realtime.messages for insert to authenticated
  with check (exists (
    select from public.conversations c
    where 'conversation:' || c.id::text = (select realtime.topic())
      and c.user_id = (select auth.uid())));

-- Calls

-- Asks for a reply to one's own message: pending reply and job. Security definer because clients
-- may not write either; a message that has a reply keeps it. A job that was purged is 0. Where the
-- newest message is of another branch the reply says what it comes after. Locks are waited for less
-- long than deadlocks: who deletes the message at once holds what this waits for, and is let pass.
create function public.queue_reply(message_id uuid, params jsonb default '{}')
returns table (reply_id uuid, job_id bigint)
language plpgsql security definer set search_path = '' set lock_timeout = '500ms'
as $$
declare
  u uuid := auth.uid();
  c uuid;
  at bigint;
  branched bool;
begin
  -- The lock makes two callers queue one reply, and branches begin one after the other.
  select o.id, o.head_seq is not null into c, branched from public.conversations o
  where o.user_id = u and o.id = (
    select m.conversation_id from public.messages m
    where m.id = $1 and m.user_id = u and m.role = 'user')
  for no key update;
  if not found then
    raise exception 'no such message' using errcode = '42501';
  end if;
  select m.seq into at from public.messages m where m.id = $1;

  select r.id, coalesce((
      select min(j.id) from public.inference_jobs j
      where j.message_id = $1 and j.kind = 'inference'), 0)
  into reply_id, job_id
  from public.messages r
  where r.conversation_id = c and r.reply_to = $1 and r.role = 'assistant'
  order by r.seq limit 1;
  if found then
    return next;
    return;
  end if;

  branched := branched or exists (
    select from public.messages b
    where b.conversation_id = c and b.seq > at and b.after_seq is not null);
  insert into public.messages as m (conversation_id, user_id, role, status, reply_to, after_seq)
  values (c, u, 'assistant', 'pending', $1, case when branched then at end)
  returning m.id into reply_id;

  insert into public.inference_jobs as j
    (user_id, conversation_id, message_id, reply_id, params)
  values (u, c, $1, reply_id, $2)
  returning j.id into job_id;

  update public.conversations x set updated_at = now(), head_seq = null where x.id = c;
  return next;
end $$;

-- Message, pending reply and job in one call. The message is written as the caller: the policies
-- decide. A repeated client_id gets the first answer again.
create function public.enqueue_inference(
  conversation_id uuid, content text, client_id text default null,
  params jsonb default '{}'
) returns table (message_id uuid, reply_id uuid, job_id bigint)
language plpgsql set search_path = ''
as $$
begin
  if auth.uid() is null then
    raise exception 'not signed in' using errcode = '28000';
  end if;
  if not exists (select from public.conversations c where c.id = $1 and c.user_id = auth.uid()) then
    raise exception 'no such conversation' using errcode = '42501';
  end if;

  insert into public.messages as m (conversation_id, content, client_id)
  values ($1, $2, $3)
  on conflict do nothing
  returning m.id into message_id;

  if message_id is null then
    select m.id into message_id from public.messages m
    where m.user_id = auth.uid() and m.client_id = $3;
  end if;

  select q.reply_id, q.job_id into reply_id, job_id
  from public.queue_reply(message_id, $4) q;
  return next;
end $$;

-- Stops a reply by its id, from any device: what there is of it is kept. Status: "cancelling" while
-- its node still has to hear of it, else the reply's. No row: not one's own reply.
create function public.stop_inference(reply_id uuid)
returns table (job_id bigint, status text)
language plpgsql security definer set search_path = ''
as $$
declare
  m public.messages;
begin
  select * into m from public.messages x
  where x.id = $1 and x.user_id = auth.uid() and x.role = 'assistant';
  if not found then
    return;
  end if;

  select max(j.id) into job_id from public.inference_jobs j
  where j.message_id = m.reply_to and j.reply_id = $1;

  update public.inference_jobs j set cancel_requested = true
  where j.id = job_id and j.status in ('queued', 'running') and not j.cancel_requested;

  select x.status into status from public.messages x where x.id = $1;
  if status in ('pending', 'streaming') then
    status := 'cancelling';
  end if;
  return next;
end $$;

-- Sets a flag; the node that runs the job sees it in its change feed.
create function public.cancel_inference(job_id bigint) returns bool
language sql security definer set search_path = ''
as $$
  update public.inference_jobs set cancel_requested = true
  where id = $1 and user_id = auth.uid() and status in ('queued', 'running')
  returning true
$$;

-- Vector search in SQL under row security. Who is under it is searched exactly: the model's index
-- knows no users, what it finds nearest may all be somebody else's. Who sees all rows is served by the
-- index; model and dimension are literals, or the planner could not use it.
create function public.match_messages(
  query extensions.vector, model_id smallint default public.search_model(), k int default 8
) returns table (message_id uuid, score float8)
language plpgsql stable set search_path = ''
as $$
declare
  d int := (select dim from public.embedding_models where id = $2);
begin
  if d is null then
    return;
  end if;
  return query execute format(
    'select e.message_id, '
    '  1 - (e.embedding::extensions.vector(%s) operator(extensions.<=>) $1) '
    'from public.embeddings e where e.model_id = %s order by %s limit $2',
    d, $2,
    case when row_security_active('public.embeddings') then '2 desc, e.id desc'
      else format('e.embedding::extensions.vector(%s) operator(extensions.<=>) $1', d) end)
    using $1, $3;
end $$;

revoke execute on function
  public.enqueue_inference, public.queue_reply, public.cancel_inference,
  public.stop_inference, public.match_messages, public.ensure_embedding_index,
  public.copy_message_facts, public.count_message_version, public.search_model,
  public.first_title
from public, anon, authenticated;

grant execute on function
  public.enqueue_inference, public.queue_reply, public.cancel_inference,
  public.stop_inference, public.match_messages, public.search_model, public.first_title
to authenticated, service_role;
