-- What the nodes' indexes read of the embeddings, and how they hear of another model. Takes a short
-- lock on embedding_models alone.

-- Security definer: the rows are everybody's, and only servers may call. No texts.

create function jessica.embedding_owners(model smallint, after bigint, most int)
returns table (id bigint, user_id uuid)
language sql stable security definer set search_path = ''
as $$
  select e.id, e.user_id from public.embeddings e
  where e.id > after and e.model_id = model
  order by e.id limit most
$$;

-- Microseconds since 1970. Whoever writes a message may say when: infinity is no number, and one row
-- must not keep the others from being read.
create function jessica.embedding_moment(said_at timestamptz) returns bigint
language sql immutable
as $$
  select (extract(epoch from least(greatest(said_at, '0001-01-01 00:00:00+00'::timestamptz),
    '9999-12-31 00:00:00+00'::timestamptz)) * 1000000)::bigint
$$;

create function jessica.embedding_pieces(model smallint, ids bigint[])
returns table (
  id bigint, user_id uuid, conversation_id uuid, message_id uuid, role text, said_at_us bigint,
  vector bytea
)
language sql stable security definer set search_path = ''
as $$
  select e.id, e.user_id, e.conversation_id, e.message_id, e.role,
    jessica.embedding_moment(e.said_at), extensions.vector_send(e.embedding)
  from public.embeddings e
  where e.id = any (ids) and e.model_id = model
$$;

create function jessica.embedding_pieces_of(model smallint, owner uuid, after bigint, most int)
returns table (
  id bigint, user_id uuid, conversation_id uuid, message_id uuid, role text, said_at_us bigint,
  vector bytea
)
language sql stable security definer set search_path = ''
as $$
  select e.id, e.user_id, e.conversation_id, e.message_id, e.role,
    jessica.embedding_moment(e.said_at), extensions.vector_send(e.embedding)
  from public.embeddings e
  where e.user_id = owner and e.model_id = model and e.id > after
  order by e.id limit most
$$;

create function jessica.on_model() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform jessica.wake('model');
  return null;
end $$;

create trigger on_model after insert or update or delete on public.embedding_models
  for each statement execute function jessica.on_model();

revoke execute on all functions in schema jessica from public;

do $$
begin
  if exists (select from pg_roles where rolname = 'jessica_engine') then
    grant execute on all functions in schema jessica to jessica_engine;
  end if;
end $$;

grant execute on all functions in schema jessica to service_role;
