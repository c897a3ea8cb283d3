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
  method text not null default 'password',  -- how it was opened: password or anonymous
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

alter table auth.users owner to supabase_auth_admin;
alter table auth.sessions owner to supabase_auth_admin;
alter table auth.refresh_tokens owner to supabase_auth_admin;

alter table auth.users enable row level security;
alter table auth.sessions enable row level security;
alter table auth.refresh_tokens enable row level security;

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

-- Private channels: nothing is stored here, only the table's policies matter

create table if not exists realtime.messages (
  id uuid not null default gen_random_uuid(),
  topic text not null,
  extension text not null,
  event text,
  payload jsonb,
  private bool default true,
  inserted_at timestamp not null default now(),
  updated_at timestamp not null default now(),
  primary key (id, inserted_at)
);

alter table realtime.messages enable row level security;
grant select, insert on realtime.messages to anon, authenticated, service_role;

create or replace function realtime.topic() returns text
language sql stable
as $$ select nullif(current_setting('realtime.topic', true), '') $$;

grant execute on function realtime.topic() to public;

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
