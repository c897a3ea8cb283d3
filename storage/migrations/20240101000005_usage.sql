-- What users used, and what they may use. While public.usage_limits is empty nothing is held and no
-- row of jessica.quota is made: that is one look a batch.

-- Days are of UTC. Deleting messages lowers nothing; deleting the user deletes all of it.
create table public.usage_daily (
  user_id uuid not null references auth.users (id) on delete cascade,
  day date not null,
  model text not null,
  replies int not null default 0,
  prompt_tokens bigint not null default 0,
  completion_tokens bigint not null default 0,
  estimated_tokens bigint not null default 0,  -- of these: counted by us, not by the provider
  cost numeric not null default 0,
  primary key (user_id, day, model)
) with (fillfactor = 50);

-- The row without a user holds for everybody who has no value of his own. 0: no limit.
create table public.usage_limits (
  user_id uuid references auth.users (id) on delete cascade,
  replies_per_minute int check (replies_per_minute >= 0),
  replies_per_day int check (replies_per_day >= 0),
  tokens_per_day bigint check (tokens_per_day >= 0),
  cost_per_day numeric check (cost_per_day >= 0),
  configured bool not null default false,  -- written by the server, from its configuration
  unique nulls not distinct (user_id)
);

-- What a user's unfinished jobs hold, and how many replies of the last minute still count: they become
-- fewer with time, evenly. The row is what sends of one user queue behind; what was used is in
-- usage_daily, which changes in the same transactions.
create table jessica.quota (
  user_id uuid primary key references auth.users (id) on delete cascade,
  held_replies int not null default 0,
  held_tokens bigint not null default 0,
  held_cost numeric not null default 0,
  recent float8 not null default 0,  -- as it was then:
  recent_at timestamptz not null default 'epoch'
) with (fillfactor = 30);

-- How much is held. One row, written by the server at its start.
create table jessica.quota_rules (
  only_one bool primary key default true check (only_one),
  reserve_tokens bigint not null default 2000,
  prompt_price numeric not null default 0,  -- of a token, of the dearest model
  completion_price numeric not null default 0
);
insert into jessica.quota_rules default values;

-- Of requests that are no jobs. Who held it may have died: after "until" it is swept.
create table jessica.holds (
  id bigint generated always as identity primary key,
  user_id uuid not null references auth.users (id) on delete cascade,
  tokens bigint not null,
  cost numeric not null,
  until timestamptz not null
);

-- What a job holds as long as it is queued or running. Null: nobody looked. 0: no limit applies.
alter table public.inference_jobs add column held_tokens bigint, add column held_cost numeric;

-- Counting

-- The one road into usage_daily. In the order of the primary key, so that two batches cannot
-- deadlock.
create function jessica.count_usage(
  users uuid[], models text[], prompt bigint[], completion bigint[], estimated bool[],
  costs numeric[], replies int[]
) returns void
language plpgsql security definer set search_path = '' set plan_cache_mode = force_generic_plan
set enable_seqscan = off set enable_nestloop = off
as $$ begin
  insert into public.usage_daily as d (
    user_id, day, model, replies, prompt_tokens, completion_tokens, estimated_tokens, cost)
  select x.u, (now() at time zone 'utc')::date, coalesce(x.m, ''), sum(x.r), sum(x.p), sum(x.c),
    coalesce(sum(x.p + x.c) filter (where x.e), 0), coalesce(sum(x.cost), 0)
  from unnest(users, models, prompt, completion, estimated, costs, replies)
    x (u, m, p, c, e, cost, r)
  where x.r > 0 or x.p > 0 or x.c > 0
  group by x.u, coalesce(x.m, '')
  order by x.u, coalesce(x.m, '')
  on conflict (user_id, day, model) do update set
    replies = d.replies + excluded.replies,
    prompt_tokens = d.prompt_tokens + excluded.prompt_tokens,
    completion_tokens = d.completion_tokens + excluded.completion_tokens,
    estimated_tokens = d.estimated_tokens + excluded.estimated_tokens,
    cost = d.cost + excluded.cost;
end $$;

-- The same of what the engine reports: {prompt_tokens, completion_tokens, estimated, model, cost}.
-- A reply counts as one if it is done, or if anything was said before it was stopped.
create function jessica.count_replies(users uuid[], statuses text[], usages jsonb[]) returns void
language plpgsql security definer set search_path = '' set plan_cache_mode = force_generic_plan
as $$ begin
  perform jessica.count_usage(
    array_agg(x.u), array_agg(x.used ->> 'model'), array_agg(x.p), array_agg(x.c),
    array_agg((x.used ->> 'estimated')::bool), array_agg((x.used ->> 'cost')::numeric),
    array_agg(case when x.s = 'done' or (x.s = 'cancelled' and x.p + x.c > 0) then 1 else 0 end))
  from (
    select r.*, coalesce((r.used ->> 'prompt_tokens')::bigint, 0) p,
      coalesce((r.used ->> 'completion_tokens')::bigint, 0) c
    from unnest(users, statuses, usages) r (u, s, used)) x;
end $$;

-- Holding. These are called by batches, which forbid sequential scans and nested loops: each statement
-- is one look into one index, in plpgsql, where it is planned once.

create function jessica.limits_of(
  who uuid,
  out replies_per_minute int, out replies_per_day int, out tokens_per_day bigint,
  out cost_per_day numeric
)
language plpgsql stable security definer set search_path = ''
as $$
declare
  own record;
  every record;
begin
  select * into own from public.usage_limits l where l.user_id = who;
  select * into every from public.usage_limits l where l.user_id is null;
  replies_per_minute := nullif(coalesce(own.replies_per_minute, every.replies_per_minute), 0);
  replies_per_day := nullif(coalesce(own.replies_per_day, every.replies_per_day), 0);
  tokens_per_day := nullif(coalesce(own.tokens_per_day, every.tokens_per_day), 0);
  cost_per_day := nullif(coalesce(own.cost_per_day, every.cost_per_day), 0);
end $$;

-- How many of the replies that were asked for lately still count, at "most" a minute.
create function jessica.recent_replies(recent float8, recent_at timestamptz, most int) returns float8
language sql stable set search_path = ''
as $$
  select greatest(0, recent - greatest(0, extract(epoch from now() - recent_at)) * most / 60)
$$;

-- What a client reads of a refusal. "retry_after": in seconds; soon, when it is only running
-- replies that stand in the way.
create function jessica.refusal(
  which text, most numeric, used numeric, held numeric, want numeric, resets timestamptz
) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object(
    'code', 'quota_exceeded',
    'message', 'The limit ' || which || ' is reached',
    'limit', which, 'limit_value', most, 'used', used, 'held', held,
    'resets_at', to_char(resets at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    'retry_after', case when used + want <= most then 5
      else greatest(1, ceil(extract(epoch from resets - now())))::int end)
$$;

-- In one order. Behind the rows of conversations, messages, jobs and usage_daily: whoever holds this
-- lock asks for no other.
create function jessica.lock_quota(users uuid[]) returns void
language plpgsql security definer set search_path = '' set plan_cache_mode = force_generic_plan
as $$ begin
  insert into jessica.quota (user_id)
  select a.id from auth.users a
  where a.id = any (users)
    and a.id <> all (array(select q.user_id from jessica.quota q where q.user_id = any (users)))
  order by a.id on conflict do nothing;

  perform from jessica.quota q where q.user_id = any (users) order by q.user_id for no key update;
end $$;

-- Of one user, whose row is locked first. Refused: nothing was held. What one reply asks for is never
-- more than the whole limit: the first of a day passes.
create function jessica.hold(
  who uuid, prompt bigint, reply bigint,
  out tokens bigint, out cost numeric, out refused jsonb
)
language plpgsql security definer set search_path = '' set plan_cache_mode = force_generic_plan
as $$
declare
  l record;
  q jessica.quota;
  rules jessica.quota_rules;
  used record;
  midnight timestamptz := date_trunc('day', now(), 'utc') + interval '1 day';
begin
  tokens := 0;
  l := jessica.limits_of(who);
  if coalesce(l.replies_per_minute, l.replies_per_day, l.tokens_per_day, l.cost_per_day) is null then
    return;
  end if;

  select * into q from jessica.quota x where x.user_id = who for no key update;
  if not found then
    perform jessica.lock_quota(array[who]);
    select * into q from jessica.quota x where x.user_id = who;
    if not found then
      return;  -- nobody
    end if;
  end if;
  q.recent := jessica.recent_replies(q.recent, q.recent_at, coalesce(l.replies_per_minute, 0));
  -- A statement of its own: it sees what was committed while the lock was waited for.
  select coalesce(sum(d.replies), 0) replies,
    coalesce(sum(d.prompt_tokens + d.completion_tokens), 0) tokens, coalesce(sum(d.cost), 0) cost
  into used from public.usage_daily d
  where d.user_id = who and d.day = (now() at time zone 'utc')::date;

  select * into rules from jessica.quota_rules r where r.only_one;
  tokens := greatest(1, least(prompt + reply, l.tokens_per_day));
  cost := least(prompt * rules.prompt_price + reply * rules.completion_price, l.cost_per_day);

  refused := case
    when q.recent + 1 > l.replies_per_minute + 1e-6 then
      jessica.refusal('replies_per_minute', l.replies_per_minute, ceil(q.recent)::numeric, 0, 1,
        now() + interval '1 min' * (q.recent + 1 - l.replies_per_minute) / l.replies_per_minute)
    when used.replies + q.held_replies >= l.replies_per_day then
      jessica.refusal('replies_per_day', l.replies_per_day, used.replies, q.held_replies, 1, midnight)
    when used.tokens + q.held_tokens + tokens > l.tokens_per_day then
      jessica.refusal('tokens_per_day', l.tokens_per_day, used.tokens, q.held_tokens, tokens, midnight)
    when used.cost >= l.cost_per_day or used.cost + q.held_cost + cost > l.cost_per_day then
      jessica.refusal('cost_per_day', l.cost_per_day, used.cost, q.held_cost, cost, midnight)
    end;
  if refused is not null then
    tokens := 0;
    cost := null;
    return;
  end if;

  update jessica.quota x set
    held_replies = x.held_replies + 1,
    held_tokens = x.held_tokens + hold.tokens,
    held_cost = x.held_cost + hold.cost,
    recent = q.recent + 1,
    recent_at = greatest(q.recent_at, now())
  where x.user_id = who;
end $$;

-- Ends holds: one reply, its tokens and cost each. What holds nothing (0 or null) is left alone.
create function jessica.release(users uuid[], tokens bigint[], costs numeric[]) returns void
language plpgsql security definer set search_path = '' set plan_cache_mode = force_generic_plan
set enable_seqscan = off set enable_nestloop = off
as $$ begin
  perform from jessica.quota q where q.user_id = any (users) order by q.user_id for no key update;

  update jessica.quota q set
    held_replies = greatest(0, q.held_replies - x.n),
    held_tokens = greatest(0, q.held_tokens - x.t),
    held_cost = greatest(0, q.held_cost - x.c)
  from (
    select r.u, count(*) n, sum(r.t) t, coalesce(sum(r.c), 0) c
    from unnest(users, tokens, costs) r (u, t, c) where r.t > 0 group by r.u) x
  where q.user_id = x.u and q.user_id = any (users);
end $$;

-- About: a quarter of the bytes of the conversation's last 20 messages and of what is added; and what
-- the reply may be long.
create function jessica.size_of_reply(
  conversation uuid, added text, params jsonb, out prompt bigint, out reply bigint
)
language plpgsql stable security definer set search_path = ''
set plan_cache_mode = force_generic_plan
as $$ begin
  select (octet_length(added) + coalesce(sum(octet_length(m.content)), 0)) / 4 into prompt from (
    select x.content from public.messages x where x.conversation_id = conversation
    order by x.seq desc limit 20) m;
  if jsonb_typeof(params -> 'max_tokens') = 'number' then
    reply := least(greatest((params ->> 'max_tokens')::numeric, 1), 1000000);
  else
    select r.reserve_tokens into reply from jessica.quota_rules r where r.only_one;
  end if;
end $$;

-- For jessica.enqueue_batch. Turn by turn, so that several of one user add up; a send that is
-- repeated holds nothing. Conversations are locked before quotas, by everybody.
create function jessica.hold_batch(
  users uuid[], conversations uuid[], contents text[], client_ids text[], params jsonb[],
  out tokens bigint[], out costs numeric[], out refused jsonb[]
)
language plpgsql security definer set search_path = '' set plan_cache_mode = force_generic_plan
as $$
declare
  r record;
  h record;
  size record;
begin
  tokens := array_fill(0::bigint, array[cardinality(users)]);
  costs := array_fill(null::numeric, array[cardinality(users)]);
  refused := array_fill(null::jsonb, array[cardinality(users)]);

  perform from public.conversations o
  where o.id = any (conversations) and o.user_id = any (users) order by o.id for no key update;
  perform jessica.lock_quota(users);
  for r in
    select * from unnest(users, conversations, contents, client_ids, params)
      with ordinality x (u, c, body, cid, p, n)
  loop
    continue when r.cid is not null and exists (
      select from public.messages m where m.user_id = r.u and m.client_id = r.cid);
    size := jessica.size_of_reply(r.c, r.body, r.p);
    h := jessica.hold(r.u, size.prompt, size.reply);
    tokens[r.n] := h.tokens;
    costs[r.n] := h.cost;
    refused[r.n] := h.refused;
  end loop;
end $$;

create function jessica.raise_refusal(refused jsonb) returns void
language plpgsql set search_path = ''
as $$ begin
  raise exception using errcode = 'PGRST',
    message = json_build_object('code', refused ->> 'code', 'message', refused ->> 'message',
      'details', refused::text, 'hint', null)::text,
    detail = json_build_object('status', 429, 'headers',
      json_build_object('Retry-After', refused ->> 'retry_after'))::text;
end $$;

-- Jobs that come another way than by a batch.
create function jessica.hold_for_job() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  h record;
  size record;
begin
  if not exists (select from public.usage_limits) then
    return new;
  end if;
  perform from public.conversations c where c.id = new.conversation_id for no key update;
  size := jessica.size_of_reply(new.conversation_id, '', new.params);
  h := jessica.hold(new.user_id, size.prompt, size.reply);
  if h.refused is not null then
    perform jessica.raise_refusal(h.refused);
  end if;
  new.held_tokens := h.tokens;
  new.held_cost := h.cost;
  return new;
end $$;

create trigger hold_for_job before insert on public.inference_jobs
  for each row when (new.kind = 'inference' and new.status = 'queued' and new.held_tokens is null)
  execute function jessica.hold_for_job();

-- Requests that are no jobs

-- Id 0: no limit applies. "reply" null: as much as for a reply that names no max_tokens.
create function jessica.hold_request(who uuid, prompt bigint, reply bigint, out id bigint,
                                     out refused jsonb)
language plpgsql security definer set search_path = ''
as $$
declare
  h record;
begin
  id := 0;
  if not exists (select from public.usage_limits) then
    return;
  end if;
  if reply is null then
    select r.reserve_tokens into reply from jessica.quota_rules r where r.only_one;
  end if;
  h := jessica.hold(who, prompt, reply);
  refused := h.refused;
  if h.tokens > 0 then
    insert into jessica.holds as x (user_id, tokens, cost, until)
    values (who, h.tokens, coalesce(h.cost, 0), now() + interval '1 hour')
    returning x.id into id;
  end if;
end $$;

create function jessica.drop_holds(ids bigint[]) returns void
language plpgsql security definer set search_path = ''
as $$
declare
  users uuid[];
  tokens bigint[];
  costs numeric[];
begin
  with gone as (delete from jessica.holds h where h.id = any (ids) returning *)
  select array_agg(g.user_id), array_agg(g.tokens), array_agg(g.cost)
  into users, tokens, costs from gone g;
  if users is not null then
    perform jessica.release(users, tokens, costs);
  end if;
end $$;

-- Counts what a request used, and ends its hold (0: it has none). As long as the job of a lost reply is
-- there, the reply is counted by who ends it, and what its checkpoint said ("saved") by who took it over.
-- Counted first, as by the ends of jobs: quotas are locked last.
create function jessica.spend(
  hold bigint, who uuid, model text, prompt bigint, completion bigint, estimated bool, cost numeric,
  replies int, job bigint, saved_prompt bigint, saved_completion bigint, saved_cost numeric
) returns void
language plpgsql security definer set search_path = ''
as $$ begin
  if exists (select from public.inference_jobs j where j.id = job) then
    replies := 0;
    prompt := greatest(0, prompt - saved_prompt);
    completion := greatest(0, completion - saved_completion);
    cost := greatest(0, cost - coalesce(saved_cost, 0));
  end if;
  if exists (select from auth.users u where u.id = who) then
    perform jessica.count_usage(array[who], array[model], array[prompt], array[completion],
      array[estimated], array[cost], array[replies]);
  end if;
  if hold > 0 then
    perform jessica.drop_holds(array[hold]);
  end if;
end $$;

-- The same of many at once, in the order in which everybody locks: counts, then holds. Users who are
-- gone are not counted. Returns whether there are limits for anybody.
create function jessica.spend_all(
  holds bigint[], users uuid[], models text[], prompt bigint[], completion bigint[],
  estimated bool[], costs numeric[], replies int[]
) returns bool
language plpgsql security definer set search_path = ''
as $$ begin
  perform jessica.count_usage(
    array_agg(x.u), array_agg(x.m), array_agg(x.p), array_agg(x.c), array_agg(x.e),
    array_agg(x.cost), array_agg(x.r))
  from unnest(users, models, prompt, completion, estimated, costs, replies)
    x (u, m, p, c, e, cost, r)
  join auth.users a on a.id = x.u
  having count(*) > 0;

  perform jessica.drop_holds(array_agg(h.id)) from unnest(holds) h (id) where h.id > 0
  having count(*) > 0;
  return exists (select from public.usage_limits);
end $$;

-- Of requests whose node died, or whose answer took an hour.
create function jessica.sweep_holds() returns void
language sql security definer set search_path = ''
as $$
  select jessica.drop_holds(array_agg(h.id)) from (
    select x.id from jessica.holds x where x.until < now() order by x.id for update skip locked) h
  having count(*) > 0
$$;

-- What the server is configured with. All null or 0: the row that it wrote is taken back, one that
-- somebody else wrote stays.
create function jessica.configure_quota(
  replies_per_minute int, replies_per_day int, tokens_per_day bigint, cost_per_day numeric,
  reserve_tokens bigint, prompt_price numeric, completion_price numeric
) returns void
language plpgsql security definer set search_path = ''
as $$
#variable_conflict use_column
begin
  update jessica.quota_rules r set reserve_tokens = configure_quota.reserve_tokens,
    prompt_price = configure_quota.prompt_price, completion_price = configure_quota.completion_price
  where r.only_one and (r.reserve_tokens, r.prompt_price, r.completion_price) is distinct from
    (configure_quota.reserve_tokens, configure_quota.prompt_price, configure_quota.completion_price);

  if greatest(configure_quota.replies_per_minute, configure_quota.replies_per_day,
              configure_quota.tokens_per_day, configure_quota.cost_per_day) > 0 then
    insert into public.usage_limits as l
      (user_id, replies_per_minute, replies_per_day, tokens_per_day, cost_per_day, configured)
    values (null, configure_quota.replies_per_minute, configure_quota.replies_per_day,
      configure_quota.tokens_per_day, configure_quota.cost_per_day, true)
    on conflict (user_id) do update set replies_per_minute = excluded.replies_per_minute,
      replies_per_day = excluded.replies_per_day, tokens_per_day = excluded.tokens_per_day,
      cost_per_day = excluded.cost_per_day, configured = true;
  else
    delete from public.usage_limits l where l.user_id is null and l.configured;
  end if;
end $$;

-- For clients

create view public.my_usage with (security_invoker = true) as
select day, model, replies, prompt_tokens, completion_tokens, estimated_tokens, cost
from public.usage_daily where user_id = auth.uid();

create view public.all_usage as
select d.user_id, u.email, d.day, d.model, d.replies, d.prompt_tokens, d.completion_tokens,
  d.estimated_tokens, d.cost
from public.usage_daily d join auth.users u on u.id = d.user_id;

-- One's own limits, of which there are any.
create function public.my_limits() returns table (
  "limit" text, limit_value numeric, used numeric, held numeric, resets_at timestamptz
)
language sql stable security definer set search_path = ''
as $$
  with l as (select * from jessica.limits_of(auth.uid())),
  q as (select * from jessica.quota where user_id = auth.uid()),
  d as (
    select coalesce(sum(x.replies), 0) replies,
      coalesce(sum(x.prompt_tokens + x.completion_tokens), 0) tokens, coalesce(sum(x.cost), 0) cost,
      date_trunc('day', now(), 'utc') + interval '1 day' midnight
    from public.usage_daily x
    where x.user_id = auth.uid() and x.day = (now() at time zone 'utc')::date)
  select v.* from d cross join l left join q on true
  cross join lateral (
    select jessica.recent_replies(q.recent, q.recent_at, l.replies_per_minute) now) r
  cross join lateral (values
    ('replies_per_minute', l.replies_per_minute::numeric,
      ceil(coalesce(r.now, 0))::numeric, 0::numeric,
      now() + interval '1 min' * coalesce(r.now, 0) / l.replies_per_minute),
    ('replies_per_day', l.replies_per_day, d.replies, coalesce(q.held_replies, 0), d.midnight),
    ('tokens_per_day', l.tokens_per_day, d.tokens, coalesce(q.held_tokens, 0), d.midnight),
    ('cost_per_day', l.cost_per_day, d.cost, coalesce(q.held_cost, 0), d.midnight)) v
  where v.column2 is not null
$$;

-- Who may what

alter table public.usage_daily enable row level security;
alter table public.usage_limits enable row level security;

create policy own_select on public.usage_daily for select to authenticated
  using ((select auth.uid()) = user_id);

revoke all on public.usage_daily, public.usage_limits, public.my_usage, public.all_usage
from anon, authenticated;
grant select on public.usage_daily, public.my_usage to authenticated;
grant select on public.all_usage, public.my_usage to service_role;
grant all on public.usage_daily, public.usage_limits to service_role;

revoke execute on function public.my_limits from public, anon;
grant execute on function public.my_limits to authenticated, service_role;

revoke execute on all functions in schema jessica from public;

do $$
begin
  if exists (select from pg_roles where rolname = 'jessica_engine') then
    grant execute on all functions in schema jessica to jessica_engine;
  end if;
end $$;

grant execute on all functions in schema jessica to service_role;
