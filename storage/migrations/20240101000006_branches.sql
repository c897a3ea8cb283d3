-- Branches of a conversation: edited messages, other replies, replies that go on, and which branch
-- is the one to go on with. How they are stored is told in docs/branches.md.

-- What clients write by themselves comes after the chosen message, too, and is chosen from then on.
-- An after trigger, because a message that is there already (on conflict do nothing) is no new one.
create function jessica.on_branch_end() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  h bigint;
begin
  select c.head_seq into h from public.conversations c
  where c.id = new.conversation_id and c.head_seq < new.seq
  for no key update;
  if not found then
    return null;
  end if;
  if new.after_seq is null then
    update public.messages m set after_seq = h where m.id = new.id;
  end if;
  update public.conversations c set head_seq = null where c.id = new.conversation_id;
  return null;
end $$;

create trigger on_branch_end after insert on public.messages
  for each row when (current_user in ('authenticated', 'service_role'))
  execute function jessica.on_branch_end();

-- What came after a deleted message that began a branch comes after what that came after: else it
-- would follow the message before, which is of another branch. The latest first, so that what one
-- leaves behind is found by those before it.
create function jessica.on_branch_gone() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  g record;
  next bigint;
begin
  for g in
    select x.conversation_id, x.seq, x.after_seq from gone x
    where x.after_seq is not null order by x.seq desc
  loop
    select min(m.seq) into next from public.messages m
    where m.conversation_id = g.conversation_id and m.seq > g.seq;
    update public.messages m set after_seq = g.after_seq
    where m.conversation_id = g.conversation_id
      and (m.seq = next and m.after_seq is null or m.after_seq >= g.seq and m.after_seq < next);
    update public.conversations c set head_seq = g.after_seq
    where c.id = g.conversation_id and c.head_seq >= g.seq
      and (next is null or c.head_seq < next);
  end loop;
  return null;
end $$;

create trigger on_branch_gone after delete on public.messages
  referencing old table as gone for each statement execute function jessica.on_branch_gone();

-- The calls here hold the conversation's row before those of its messages and jobs; who deletes a
-- message does the opposite. So the calls give way: they wait for a lock for less time than PostgreSQL
-- lets pass before it ends one of two that wait for each other, and are asked again by their clients.

-- One's own message of one of these roles. Its conversation is held until the transaction ends: its
-- branches begin one after the other, and whoever sends meanwhile sees them.
create function jessica.hold_message(message_id uuid, roles text[]) returns public.messages
language plpgsql security definer set search_path = '' set lock_timeout = '500ms'
as $$
declare
  m public.messages;
begin
  perform from public.conversations c
  where c.user_id = auth.uid() and c.id = (
    select x.conversation_id from public.messages x
    where x.id = $1 and x.user_id = auth.uid())
  for no key update;
  select * into m from public.messages x
  where x.id = $1 and x.user_id = auth.uid() and x.role = any ($2);
  if not found then
    raise exception 'no such message' using errcode = '42501';
  end if;
  return m;
end $$;

-- What a reply was asked for with, as long as its job is known.
create function jessica.params_of(reply public.messages) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select coalesce((
    select j.params from public.inference_jobs j
    where j.message_id = reply.reply_to and j.reply_id = reply.id
    order by j.id desc limit 1), '{}')
$$;

-- Calls. What one names and what it gives back may have one name: "inout".

-- Another version of one's own message, beside it, with a reply of its own: one call, one commit. The
-- message is written as the caller: the policies decide. A repeated client_id gets the first answer
-- again. What is still being written behind the old one is stopped: the conversation goes on elsewhere.
create function public.edit_message(
  inout message_id uuid, content text, client_id text default null, params jsonb default '{}',
  out reply_id uuid, out job_id bigint
) returns setof record
language plpgsql set search_path = '' set lock_timeout = '500ms'
as $$
declare
  old public.messages;
begin
  select * into old from public.messages m
  where m.id = $1 and m.user_id = auth.uid() and m.role = 'user';
  if not found then
    raise exception 'no such message' using errcode = '42501';
  end if;
  perform from public.conversations c where c.id = old.conversation_id for no key update;
  -- Again, as it is now that nobody else begins a branch.
  select * into old from public.messages m where m.id = old.id;

  message_id := null;
  insert into public.messages as m (conversation_id, content, client_id, after_seq)
  values (old.conversation_id, $2, $3, coalesce(old.after_seq, old.seq - 1))
  on conflict do nothing
  returning m.id into message_id;

  if message_id is null then
    select m.id into message_id from public.messages m
    where m.user_id = auth.uid() and m.client_id = $3;
  else
    perform public.cancel_inference(j.id)
    from public.messages m
    join public.inference_jobs j on j.message_id = m.reply_to and j.reply_id = m.id
    where m.conversation_id = old.conversation_id and m.seq > old.seq and m.role = 'assistant'
      and m.status in ('pending', 'streaming') and j.status in ('queued', 'running');
  end if;

  select q.reply_id, q.job_id into reply_id, job_id
  from public.queue_reply(message_id, $4) q;
  return next;
end $$;

-- Another reply to the same message, beside this one, which is kept. Without params: those this one
-- was asked for with. What is still being written behind the message is stopped, as by an edit.
create function public.regenerate_reply(
  inout reply_id uuid, params jsonb default null, out message_id uuid, out job_id bigint
) returns setof record
language plpgsql security definer set search_path = '' set lock_timeout = '500ms'
as $$
declare
  old public.messages := jessica.hold_message($1, '{assistant}');
  asked public.messages := jessica.hold_message(old.reply_to, '{user}');
begin
  message_id := asked.id;
  perform public.cancel_inference(j.id)
  from public.messages m
  join public.inference_jobs j on j.message_id = m.reply_to and j.reply_id = m.id
  where m.conversation_id = asked.conversation_id and m.seq > asked.seq and m.role = 'assistant'
    and m.status in ('pending', 'streaming') and j.status in ('queued', 'running');

  insert into public.messages as m (conversation_id, user_id, role, status, reply_to, after_seq)
  values (asked.conversation_id, asked.user_id, 'assistant', 'pending', asked.id, asked.seq)
  returning m.id into reply_id;

  insert into public.inference_jobs as j (user_id, conversation_id, message_id, reply_id, params)
  values (asked.user_id, asked.conversation_id, asked.id, reply_id,
          coalesce($2, jessica.params_of(old)))
  returning j.id into job_id;

  update public.conversations c set updated_at = now(), head_seq = null
  where c.id = asked.conversation_id;
  return next;
end $$;

-- The same reply goes on from where it ended, however that was. Its attempts are counted on, because
-- clients saw the earlier ones; where their jobs were purged, from the number of a day: higher than
-- any that was seen before.
create function public.continue_reply(
  inout reply_id uuid, params jsonb default null, out message_id uuid, out job_id bigint
) returns setof record
language plpgsql security definer set search_path = '' set lock_timeout = '500ms'
as $$
declare
  old public.messages := jessica.hold_message($1, '{assistant}');
  asked public.messages := jessica.hold_message(old.reply_to, '{user}');
  made int;
begin
  if old.status in ('pending', 'streaming') then
    raise exception 'the reply is still being written' using errcode = 'PT409';
  end if;
  message_id := asked.id;
  select coalesce(max(greatest(j.attempts, 1)), current_date - date '2024-01-01') into made
  from public.inference_jobs j where j.message_id = asked.id and j.reply_id = old.id;

  update public.messages m set status = 'pending', error = null, updated_at = now()
  where m.id = old.id;

  insert into public.inference_jobs as j (
    user_id, conversation_id, message_id, reply_id, params, kept, attempts, max_attempts)
  values (asked.user_id, asked.conversation_id, asked.id, old.id,
          coalesce($2, jessica.params_of(old)), char_length(old.content), made, made + 5)
  returning j.id into job_id;

  update public.conversations c set updated_at = now() where c.id = old.conversation_id;
  return next;
end $$;

-- From now on the conversation goes on below this message: after the newest one that comes after it.
-- A range of messages that follow each other ends where the next branch begins.
create function public.select_branch(message_id uuid) returns void
language plpgsql security definer set search_path = ''
as $$
declare
  m public.messages := jessica.hold_message($1, '{user,assistant,system,tool}');
  newest bigint := (select max(x.seq) from public.messages x
                    where x.conversation_id = m.conversation_id);
  tip bigint;
begin
  with recursive below (first, last) as (
    select m.seq, coalesce((
      select min(b.seq) - 1 from public.messages b
      where b.conversation_id = m.conversation_id and b.after_seq is not null and b.seq > m.seq),
      newest)
    union all
    select x.seq, coalesce((
      select min(b.seq) - 1 from public.messages b
      where b.conversation_id = m.conversation_id and b.after_seq is not null and b.seq > x.seq),
      newest)
    from below w join public.messages x
      on x.conversation_id = m.conversation_id and x.after_seq between w.first and w.last
  )
  select max(x.seq) into tip from public.messages x
  where x.conversation_id = m.conversation_id
    and x.seq <= (select w.last from below w order by w.first desc limit 1);

  update public.conversations c set head_seq = nullif(tip, newest)
  where c.id = m.conversation_id and c.head_seq is distinct from nullif(tip, newest);
end $$;

-- A branch in order: the messages that "until" comes after, and itself; without it the branch that
-- the conversation goes on with. Of a long one the last "most" before the seq "before". "siblings" are
-- all versions of a message, itself included, in order: those that come after the same message, or the
-- replies to the same one. Without branches it is read as the table is. In plpgsql because its plan
-- takes longer than itself.
create function public.conversation_path(
  inout conversation_id uuid, until uuid default null, before bigint default null,
  most int default null,
  out id uuid, out seq bigint, out after_seq bigint, out user_id uuid, out role text,
  out status text, out content text, out version int, out reply_to uuid, out client_id text,
  out model text, out usage jsonb, out tools jsonb, out error jsonb, out created_at timestamptz,
  out updated_at timestamptz, out siblings uuid[]
) returns setof record
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  tip bigint := (
    select case when $2 is null then coalesce(c.head_seq, 9223372036854775807) else (
        select m.seq from public.messages m where m.id = $2 and m.conversation_id = c.id)
      end
    from public.conversations c where c.id = $1);
  upto bigint := coalesce(before, 9223372036854775807) - 1;
begin
  if not exists (
      select from public.messages b where b.conversation_id = $1 and b.after_seq is not null) then
    return query
    select * from (
      select m.conversation_id, m.id, m.seq, m.after_seq, m.user_id, m.role, m.status, m.content,
        m.version, m.reply_to, m.client_id, m.model, m.usage, m.tools, m.error, m.created_at, m.updated_at,
        array[m.id]
      from public.messages m
      where m.conversation_id = $1 and m.seq <= least(tip, upto)
      order by m.seq desc limit most
    ) x order by x.seq;
    return;
  end if;

  return query
  with recursive part (first, last, after_seq) as (
    select 0::bigint, 0::bigint, tip
    union all
    select coalesce(b.seq, 0), p.after_seq, coalesce(b.after_seq, 0)
    from part p left join lateral (
      select x.seq, x.after_seq from public.messages x
      where x.conversation_id = $1 and x.after_seq is not null and x.seq <= p.after_seq
      order by x.seq desc limit 1
    ) b on true
    where p.after_seq > 0
  ),
  shown as materialized (
    select m.* from part p cross join lateral (
      select * from public.messages x
      where x.conversation_id = $1 and x.seq >= p.first and x.seq <= least(p.last, upto)
      order by x.seq desc limit most
    ) m
    order by m.seq desc limit most
  ),
  -- Versions there are only where a branch begins: all but the first of them.
  later as materialized (
    select b.id, b.seq, b.role, case when b.role = 'assistant' then b.reply_to end as answered,
      case when b.role <> 'assistant' or b.reply_to is null then coalesce((
          select y.seq from public.messages y
          where y.conversation_id = $1 and y.seq <= b.after_seq
          order by y.seq desc limit 1), 0)
      end as parent
    from public.messages b
    where b.conversation_id = $1 and b.after_seq is not null
  ),
  first as (
    select f.id, f.seq, k.role, k.answered, k.parent
    from (select distinct l.role, l.answered, l.parent from later l) k
    cross join lateral (
      (select x.id, x.seq from public.messages x
       where x.conversation_id = $1 and x.after_seq is null and x.role = 'assistant'
         and k.answered is not null and x.reply_to = k.answered
         and x.seq > coalesce((select q.seq from public.messages q where q.id = k.answered), 0)
       order by x.seq limit 1)
      union all
      (select n.id, n.seq from (
         select x.id, x.seq, x.role, x.after_seq from public.messages x
         where x.conversation_id = $1 and x.seq > k.parent
         order by x.seq limit 1) n
       where n.after_seq is null and n.role = k.role and k.answered is null)
    ) f
  ),
  versions as (
    select e.id, array_agg(e.id) over (
      partition by e.role, e.answered, e.parent
      order by e.seq rows between unbounded preceding and unbounded following) as ids
    from (
      select l.id, l.seq, l.role, l.answered, l.parent from later l
      union all
      select f.id, f.seq, f.role, f.answered, f.parent from first f) e
  )
  select m.conversation_id, m.id, m.seq, m.after_seq, m.user_id, m.role, m.status, m.content,
    m.version, m.reply_to, m.client_id, m.model, m.usage, m.tools, m.error, m.created_at, m.updated_at,
    coalesce(v.ids, array[m.id])
  from shown m left join versions v on v.id = m.id
  order by m.seq;
end $$;

-- Who may call.

revoke execute on function
  public.edit_message, public.regenerate_reply, public.continue_reply, public.select_branch,
  public.conversation_path
from public, anon, authenticated;

grant execute on function
  public.edit_message, public.regenerate_reply, public.continue_reply, public.select_branch,
  public.conversation_path
to authenticated, service_role;

revoke execute on all functions in schema jessica from public;
