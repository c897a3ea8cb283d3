-- Whose changes may be routed in process, without asking row security about every row. Runs on a
-- hosted project too; event triggers need a superuser and are left out there.

-- For each published table and client role: how its rows are judged, and which columns the role may
-- see. "none": nobody sees any. "open": everybody sees all. "owner:<column>": whoever's id stands
-- in the column. "sql": row security has to be asked. What is not recognised is "sql": a mistake
-- costs speed, never secrecy.
create view jessica.realtime_tables as
with t as (
  select c.oid, n.nspname, c.relname, c.relrowsecurity rls
  from pg_publication_tables p
  join pg_namespace n on n.nspname = p.schemaname
  join pg_class c on c.relnamespace = n.oid and c.relname = p.tablename
  where p.pubname = 'supabase_realtime'
),
r as (
  select oid role, rolname from pg_roles where rolname in ('anon', 'authenticated')
),
pol as (
  select t.oid, r.rolname, p.polpermissive, pg_get_expr(p.polqual, p.polrelid) q
  from t cross join r
  join pg_policy p on p.polrelid = t.oid and p.polcmd in ('r', '*')
   and (p.polroles = '{0}' or exists (
     select from unnest(p.polroles) x (o)
     where x.o = 0 or pg_has_role(r.role, x.o, 'usage')))
),
one as (
  select pol.oid, pol.rolname, case
    when pol.q = 'true' then 'open'
    when a.attname is not null then 'owner:' || a.attname
    else 'sql' end as class
  from pol
  left join pg_attribute a on a.attrelid = pol.oid and a.attnum > 0 and not a.attisdropped
   and a.atttypid = 'uuid'::regtype and pol.q in (
     format('(( SELECT auth.uid() AS uid) = %I)', a.attname),
     format('(%I = ( SELECT auth.uid() AS uid))', a.attname),
     format('(auth.uid() = %I)', a.attname),
     format('(%I = auth.uid())', a.attname))
)
select t.oid, t.nspname, t.relname, r.rolname,
  case
    when not has_schema_privilege(r.role, t.nspname, 'usage')
      or not has_any_column_privilege(r.role, t.oid, 'select') then 'none'
    when not t.rls then 'open'
    when not exists (
      select from pol where pol.oid = t.oid and pol.rolname = r.rolname and polpermissive)
      then 'none'
    when exists (
      select from pol where pol.oid = t.oid and pol.rolname = r.rolname and not polpermissive)
      then 'sql'
    when (select count(*) from pol where pol.oid = t.oid and pol.rolname = r.rolname) = 1
      then (select class from one where one.oid = t.oid and one.rolname = r.rolname limit 1)
    else 'sql'
  end as class,
  array(
    select a.attname::text from pg_attribute a
    where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
      and has_column_privilege(r.role, t.oid, a.attnum, 'select')
    order by a.attnum) as columns
from t cross join r;

-- The columns of published tables, in order, as clients are told of them.
create view jessica.realtime_columns as
select c.oid, a.attname::text as name, y.typname::text as type,
  coalesce(a.attnum = any (i.indkey), false) as key
from pg_publication_tables p
join pg_namespace n on n.nspname = p.schemaname
join pg_class c on c.relnamespace = n.oid and c.relname = p.tablename
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
join pg_type y on y.oid = a.atttypid
left join pg_index i on i.indrelid = c.oid and i.indisprimary
where p.pubname = 'supabase_realtime'
order by c.oid, a.attnum;

-- A change of policies, grants, columns, functions or the publication changes the answers: every
-- node is told in the log itself, so it judges the next transaction by the new ones.
do $$
begin
  if not (select rolsuper from pg_roles where rolname = current_user) then
    raise notice 'no event triggers here: policies are read again now and then';
    return;
  end if;

  create function jessica.ddl_wake() returns event_trigger
  language plpgsql security definer set search_path = ''
  as $f$ begin
    -- Temporary tables are nobody's business.
    if tg_event = 'sql_drop' then
      if not exists (select from pg_event_trigger_dropped_objects() where not is_temporary) then
        return;
      end if;
    elsif not exists (select from pg_event_trigger_ddl_commands()
                      where schema_name is distinct from 'pg_temp') then
      return;
    end if;
    perform jessica.wake('ddl');
  end $f$;
  revoke execute on function jessica.ddl_wake() from public;

  create event trigger jessica_ddl on ddl_command_end
    when tag in ('CREATE POLICY', 'ALTER POLICY', 'DROP POLICY', 'ALTER TABLE', 'GRANT', 'REVOKE',
                 'CREATE PUBLICATION', 'ALTER PUBLICATION', 'CREATE FUNCTION', 'ALTER FUNCTION',
                 'CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'CREATE VIEW', 'ALTER VIEW',
                 'CREATE MATERIALIZED VIEW', 'ALTER MATERIALIZED VIEW', 'CREATE FOREIGN TABLE',
                 'ALTER FOREIGN TABLE', 'IMPORT FOREIGN SCHEMA', 'CREATE TYPE', 'ALTER TYPE',
                 'CREATE DOMAIN', 'ALTER DOMAIN', 'CREATE INDEX', 'CREATE EXTENSION')
    execute function jessica.ddl_wake();
  create event trigger jessica_drop on sql_drop
    when tag in ('DROP POLICY', 'DROP TABLE', 'DROP PUBLICATION', 'DROP FUNCTION', 'DROP VIEW',
                 'DROP MATERIALIZED VIEW', 'DROP FOREIGN TABLE', 'DROP TYPE', 'DROP DOMAIN',
                 'DROP INDEX', 'DROP EXTENSION', 'DROP SCHEMA', 'DROP OWNED', 'ALTER TABLE')
    execute function jessica.ddl_wake();
end $$;

do $$
begin
  if exists (select from pg_roles where rolname = 'jessica_engine') then
    grant select on jessica.realtime_tables, jessica.realtime_columns to jessica_engine;
  end if;
end $$;
grant select on jessica.realtime_tables, jessica.realtime_columns to service_role;

-- Stored broadcasts

-- The feed reads them always: a publication of their own, of inserts alone, with all partitions
-- under one name. Beside the one of clients' tables, which is read only while somebody follows rows.
do $$
begin
  create publication jessica_broadcasts
    with (publish = 'insert', publish_via_partition_root = true);
  begin
    alter publication jessica_broadcasts add table realtime.messages;
  exception when insufficient_privilege then
    raise notice 'stored broadcasts stay unsent: realtime.messages is not ours to publish';
  end;
end $$;

-- As the server reads them back. "committed" is known where PostgreSQL keeps the times of commits;
-- place is the order within a transaction. A hosted project's table may lack the newer columns.
do $$
declare
  has_binary bool := exists (select from pg_attribute where attname = 'binary_payload'
    and attrelid = 'realtime.messages'::regclass and not attisdropped);
  has_expiry bool := exists (select from pg_attribute where attname = 'expires_at'
    and attrelid = 'realtime.messages'::regclass and not attisdropped);
begin
  execute format($v$
    create view jessica.broadcasts as
    select m.id, m.topic, m.event, m.private, m.payload, m.inserted_at,
      %s as binary_payload, %s as expires_at,
      case when current_setting('track_commit_timestamp') = 'on'
        then pg_xact_commit_timestamp(m.xmin) end as committed,
      m.xmin::text::bigint as xid, m.cmin::text::bigint as place, m.ctid as spot
    from realtime.messages m
    where m.extension = 'broadcast' and m.event is not null and isfinite(m.inserted_at)$v$,
    case when has_binary then 'm.binary_payload' else 'null::bytea' end,
    case when has_expiry then 'm.expires_at' else 'null::timestamptz' end);
end $$;

-- Makes the partitions of the coming days, drops those of which all is older than three days, and
-- deletes what has expired; how many rows that were. Where the table is not made as ours is (a
-- hosted project tends its own) nothing happens. One sweeps at a time, and nobody waits long.
create function jessica.sweep_broadcasts() returns int
language plpgsql security definer set search_path = '' set lock_timeout = '1s'
as $$
declare
  today date := (now() at time zone 'utc')::date;
  oldest timestamp := (now() at time zone 'utc') - interval '3 days';
  part text;
  k int;
begin
  if not coalesce((select pg_has_role(c.relowner, 'usage') from pg_class c
                   where c.oid = to_regclass('realtime.messages_default')), false)
    or not pg_try_advisory_xact_lock(hashtextextended('jessica.sweep_broadcasts', 0)) then
    return 0;
  end if;

  for d in 0..3 loop
    part := 'messages_' || to_char(today + d, 'YYYY_MM_DD');
    if to_regclass('realtime.' || part) is null and not exists (
      select from realtime.messages_default m
      where m.inserted_at >= today + d and m.inserted_at < today + d + 1) then
      execute format('create table realtime.%I partition of realtime.messages '
                     'for values from (%L) to (%L)', part, today + d, today + d + 1);
      execute format('alter table realtime.%I enable row level security', part);
    end if;
  end loop;

  for part in
    select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'realtime.messages'::regclass
      and c.relname ~ '^messages_\d{4}_\d\d_\d\d$'
      and to_date(substr(c.relname, 10), 'YYYY_MM_DD') + 1 <= oldest
  loop
    execute format('drop table realtime.%I', part);
  end loop;

  delete from realtime.messages_default where inserted_at < oldest;
  delete from realtime.messages m
  using (select id, inserted_at from realtime.messages
         where expires_at < now() order by expires_at limit 20000) x
  where m.id = x.id and m.inserted_at = x.inserted_at;
  get diagnostics k = row_count;
  return k;
end $$;

revoke execute on function jessica.sweep_broadcasts() from public;
grant execute on function jessica.sweep_broadcasts() to service_role;

do $$
begin
  if exists (select from pg_roles where rolname = 'jessica_engine') then
    grant select on jessica.broadcasts to jessica_engine;
    grant execute on function jessica.sweep_broadcasts() to jessica_engine;
  end if;
  if exists (select from pg_roles where rolname = 'authenticator') then
    grant select on jessica.broadcasts to authenticator;
  end if;
end $$;
grant select on jessica.broadcasts to service_role;

select jessica.sweep_broadcasts();

do $$
begin
  if to_regprocedure('cron.schedule(text, text, text)') is not null then
    perform cron.schedule('jessica-broadcasts', '* * * * *', 'select jessica.sweep_broadcasts()');
  end if;
end $$;
