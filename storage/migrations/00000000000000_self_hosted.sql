-- Self-hosted only: what a hosted Supabase project has already. Run by a superuser. Everything is
-- "if not exists", because roles belong to the server and may be there before the database.

-- anon, authenticated and service_role are what a token's role claim names; the others log in.
do $$
declare
  r text;
begin
  foreach r in array array[
    'anon nologin noinherit',
    'authenticated nologin noinherit',
    'service_role nologin noinherit bypassrls',
    'authenticator login noinherit',
    'supabase_auth_admin login noinherit',
    'jessica_engine login noinherit',
    'jessica_wal login replication bypassrls'
  ] loop
    if not exists (select from pg_roles where rolname = split_part(r, ' ', 1)) then
      execute 'create role ' || r;
    end if;
  end loop;
end $$;

-- The request pool takes the role of each token with SET LOCAL ROLE.
grant anon, authenticated, service_role to authenticator;

-- noinherit: the engine acts as service_role only after an explicit SET ROLE.
grant service_role to jessica_engine;

-- Every statement of the server has a limit, even when the client stops waiting for it.
alter role authenticator set statement_timeout = '8s';
alter role authenticator set idle_in_transaction_session_timeout = '10s';
alter role supabase_auth_admin set statement_timeout = '10s';
alter role supabase_auth_admin set idle_in_transaction_session_timeout = '10s';
alter role jessica_engine set statement_timeout = '20s';
alter role jessica_engine set idle_in_transaction_session_timeout = '10s';

-- Schemas

create schema if not exists extensions;
grant usage on schema extensions to public;

create schema if not exists auth authorization supabase_auth_admin;
grant usage on schema auth to anon, authenticated, service_role, jessica_engine;

create schema if not exists realtime;
grant usage on schema realtime to anon, authenticated, service_role;

revoke create on schema public from public;
grant usage on schema public
  to anon, authenticated, service_role, jessica_engine, jessica_wal;

-- Tables and functions that an application adds are reachable, as on a hosted project: their row
-- security decides. What must be closed says so itself.
alter default privileges in schema public
  grant all on tables to anon, authenticated, service_role;
alter default privileges in schema public
  grant all on sequences to anon, authenticated, service_role;
alter default privileges in schema public
  grant all on functions to anon, authenticated, service_role;

-- Otherwise any SQL role could wake or fool the nodes through the WAL stream.
revoke execute on function
  pg_logical_emit_message(bool, text, text, bool),
  pg_logical_emit_message(bool, text, bytea, bool)
from public;

do $$
begin
  execute format('alter database %I set search_path = "$user", public, extensions',
                 current_database());
end $$;

-- Accounts

create table if not exists auth.users (
  id uuid primary key default gen_random_uuid(),
  aud text default 'authenticated',
  role text default 'authenticated',
  email text,
  encrypted_password text,
  email_confirmed_at timestamptz,
  invited_at timestamptz,
  confirmation_sent_at timestamptz,
  recovery_sent_at timestamptz,
  reauthentication_sent_at timestamptz,
  email_change text not null default '',     -- the address that waits for its confirmation
  email_change_sent_at timestamptz,
  email_change_confirm_status smallint not null default 0,  -- 1: one of two addresses confirmed
  last_sign_in_at timestamptz,
  banned_until timestamptz,
  deleted_at timestamptz,
  raw_app_meta_data jsonb not null default '{}',
  raw_user_meta_data jsonb not null default '{}',
  is_anonymous bool not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create unique index if not exists users_email_key
  on auth.users (lower(email)) where not is_anonymous;

create table if not exists auth.sessions (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references auth.users on delete cascade,
  aal text not null default 'aal1',
  method text not null default 'password',  -- how it was opened: password, anonymous, otp, ...
  user_agent text,
  ip inet,
  created_at timestamptz not null default now(),
  refreshed_at timestamptz,
  not_after timestamptz
);

create index if not exists sessions_user on auth.sessions (user_id);

-- token is hex(sha256(token)): a stolen backup opens no session. With the salt (hex) the holder of
-- a token is given the same successor again, when the answer to a refresh was lost.
create table if not exists auth.refresh_tokens (
  id bigint generated always as identity primary key,
  token text not null unique,
  salt text,
  user_id uuid not null references auth.users on delete cascade,
  session_id uuid not null references auth.sessions on delete cascade,
  parent text,
  revoked bool not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create index if not exists refresh_tokens_session
  on auth.refresh_tokens (session_id, id);

-- A sign-in that an app began and a link shall end (PKCE): who holds the verifier of the challenge
-- gets the session. auth_code_hash is hex(sha256(code)), set when the link was followed.
create table if not exists auth.flow_state (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references auth.users on delete cascade,
  code_challenge text not null,
  code_challenge_method text not null check (code_challenge_method in ('s256', 'plain')),
  authentication_method text not null,
  auth_code_hash text unique,
  auth_code_issued_at timestamptz,
  created_at timestamptz not null default now()
);

create index if not exists flow_state_user on auth.flow_state (user_id);
create index if not exists flow_state_age on auth.flow_state (created_at);

-- What was mailed to an address and may come back once: six digits (keyed hash) or a link's token
-- (hash of 256 random bits). One of a kind for each user: a new one replaces the old.
create table if not exists auth.one_time_codes (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references auth.users on delete cascade,
  kind text not null check (kind in ('confirmation', 'recovery', 'email_change_current',
    'email_change_new', 'reauthentication')),
  email text not null,
  code_hash text not null,
  token_hash text not null unique,
  flow_id uuid references auth.flow_state on delete set null,
  attempts int not null default 0,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  unique (user_id, kind)
);

create index if not exists one_time_codes_email on auth.one_time_codes (email);
create index if not exists one_time_codes_flow on auth.one_time_codes (flow_id);

-- When an address was last written to, also one that nobody has: neither answers nor their time
-- tell which is which.
create table if not exists auth.mail_times (
  address text not null,
  reason text not null,
  asked_at timestamptz not null default now(),
  primary key (address, reason)
);

create index if not exists mail_times_age on auth.mail_times (asked_at);

-- E-mails to send, stored in one commit with the codes they carry, which therefore are sealed. Kept
-- without their content for an hour after they are settled, to be counted.
create table if not exists auth.mail_outbox (
  id bigint generated always as identity primary key,
  recipient text not null,
  kind text not null,
  sealed text,
  attempts int not null default 0,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  due_at timestamptz not null default now(),
  settled_at timestamptz,
  sent bool
);

create index if not exists mail_outbox_due on auth.mail_outbox (due_at) where settled_at is null;
create index if not exists mail_outbox_age on auth.mail_outbox (created_at);

do $$
declare
  t text;
begin
  foreach t in array array['users', 'sessions', 'refresh_tokens', 'flow_state', 'one_time_codes',
                           'mail_times', 'mail_outbox'] loop
    execute format('alter table auth.%I owner to supabase_auth_admin', t);
    execute format('alter table auth.%I enable row level security', t);
  end loop;
end $$;

-- The engine may ask whether an account is live, and nothing else about it.
grant select (id, banned_until, deleted_at) on auth.users to jessica_engine;

drop policy if exists engine_reads on auth.users;

create policy engine_reads on auth.users for select to jessica_engine using (true);

-- Who asks: the claims that the server verified and set for this transaction

create or replace function auth.jwt() returns jsonb
language sql stable
as $$ select nullif(current_setting('request.jwt.claims', true), '')::jsonb $$;

create or replace function auth.uid() returns uuid
language sql stable
as $$
  select coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''),
                  auth.jwt() ->> 'sub')::uuid
$$;

create or replace function auth.role() returns text
language sql stable
as $$
  select coalesce(nullif(current_setting('request.jwt.claim.role', true), ''),
                  auth.jwt() ->> 'role')
$$;

create or replace function auth.email() returns text
language sql stable
as $$ select auth.jwt() ->> 'email' $$;

grant execute on all functions in schema auth to public;

-- Broadcasts that are stored, and whose policies private channels go by. In partitions of a day,
-- which jessica.sweep_broadcasts() makes ahead and drops; the default one takes what none is for.

create table if not exists realtime.messages (
  id uuid not null default gen_random_uuid(),
  topic text not null,
  extension text not null,
  event text,
  payload jsonb,
  binary_payload bytea,
  private bool default true,
  inserted_at timestamp not null default (now() at time zone 'utc'),
  updated_at timestamp not null default (now() at time zone 'utc'),
  expires_at timestamptz,
  primary key (id, inserted_at)
) partition by range (inserted_at);

create table if not exists realtime.messages_default partition of realtime.messages default;

-- Without an event nothing is broadcast: so are the rows by which rights are probed, and they cost
-- these indexes nothing.
create index if not exists messages_of_topic on realtime.messages (topic, inserted_at)
  where extension = 'broadcast' and event is not null;
create index if not exists messages_by_time on realtime.messages (inserted_at)
  where extension = 'broadcast' and event is not null;
create index if not exists messages_that_expire on realtime.messages (expires_at)
  where expires_at is not null;

alter table realtime.messages enable row level security;
alter table realtime.messages_default enable row level security;
grant select, insert on realtime.messages to anon, authenticated, service_role;

create or replace function realtime.topic() returns text
language sql stable
as $$ select nullif(current_setting('realtime.topic', true), '') $$;

grant execute on function realtime.topic() to public;

-- Stores a broadcast as the caller, under the policies; nodes send it when the transaction commits.
-- Whoever calls this has other things to do: what goes wrong is a warning.
create or replace function realtime.store_broadcast(
  topic text, event text, private bool, payload jsonb, binary_payload bytea
) returns void
language plpgsql set search_path = ''
as $$
declare
  row_id uuid := gen_random_uuid();
  topic_before text := coalesce(current_setting('realtime.topic', true), '');
begin
  if coalesce(topic, '') = '' or coalesce(event, '') = '' then
    raise exception 'a broadcast needs a topic and an event';
  elsif octet_length(topic) > 246 or octet_length(event) > 255 then
    raise exception 'a topic is at most 246 bytes, an event 255';
  end if;
  perform set_config('realtime.topic', topic, true);  -- what policies ask for
  insert into realtime.messages (id, topic, extension, event, private, payload, binary_payload)
  values (row_id, topic, 'broadcast', event, coalesce(private, true),
    case when jsonb_typeof(payload) = 'object' and not payload ? 'id'
      then payload || jsonb_build_object('id', row_id) else payload end,
    binary_payload);
  perform set_config('realtime.topic', topic_before, true);
exception when others then
  raise warning 'broadcast not stored: %', sqlerrm;
end $$;

create or replace function realtime.send(
  payload jsonb, event text, topic text, private boolean default true
) returns void
language sql set search_path = ''
as $$ select realtime.store_broadcast(topic, event, private, coalesce(payload, '{}'), null) $$;

create or replace function realtime.send_binary(
  payload bytea, event text, topic text, private boolean default true
) returns void
language sql set search_path = ''
as $$ select realtime.store_broadcast(topic, event, private, null, coalesce(payload, '')) $$;

-- For triggers of rows: what changed, as a broadcast.
create or replace function realtime.broadcast_changes(
  topic_name text, event_name text, operation text, table_name text, table_schema text,
  new record, old record, level text default 'ROW'
) returns void
language plpgsql set search_path = ''
as $$
begin
  if upper(coalesce(level, 'ROW')) <> 'ROW' then
    raise exception 'a broadcast of changes is made for each row';
  elsif operation is null or operation not in ('INSERT', 'UPDATE', 'DELETE') then
    raise exception 'no such operation: %', operation;
  end if;
  perform realtime.send(
    jsonb_build_object('schema', table_schema, 'table', table_name, 'operation', operation,
                       'record', to_jsonb(new), 'old_record', to_jsonb(old)),
    event_name, topic_name, true);
exception when others then
  raise warning 'broadcast of changes not stored: %', sqlerrm;
end $$;

do $$
declare
  f regprocedure;
begin
  foreach f in array array[
    'realtime.store_broadcast(text, text, bool, jsonb, bytea)',
    'realtime.send(jsonb, text, text, bool)', 'realtime.send_binary(bytea, text, text, bool)',
    'realtime.broadcast_changes(text, text, text, text, text, record, record, text)'
  ]::regprocedure[] loop
    execute format('revoke execute on function %s from public', f);
    execute format('grant execute on function %s to anon, authenticated, service_role', f);
  end loop;
end $$;

-- What the change feed carries: to clients, and to the engine

do $$
begin
  if not exists (select from pg_publication where pubname = 'supabase_realtime') then
    create publication supabase_realtime;
  end if;
  if not exists (select from pg_publication where pubname = 'jessica_engine') then
    create publication jessica_engine;
  end if;
end $$;

-- Extensions

create extension if not exists vector with schema extensions;

-- Housekeeping on a schedule. The server sweeps by itself, so a PostgreSQL that has no pg_cron, or
-- does not preload it, will do; pg_cron reports that with codes of its own, hence "others".
do $$
begin
  create extension if not exists pg_cron with schema pg_catalog;
exception when others then
  raise notice 'pg_cron is not used: %', sqlerrm;
end $$;
