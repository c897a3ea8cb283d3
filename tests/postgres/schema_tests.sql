-- What the schema promises, positive and negative. One transaction, rolled back at the end: run it
-- on a migrated database of its own. t.is and t.fails raise an exception that starts with FAIL.
begin;

create schema t;
grant usage on schema t to public;

create function t.id(x text) returns uuid language sql immutable
as $$ select ('00000000-0000-0000-0000-' || lpad(x, 12, '0'))::uuid $$;

create function t.login(u uuid, r text default 'authenticated') returns void language plpgsql
as $$ begin
  perform set_config('request.jwt.claims', case when u is null then ''
      else json_build_object('sub', u, 'role', r)::text end, true),
    set_config('role', r, true);
end $$;

create function t.rows(q text) returns bigint language plpgsql
as $$
declare
  n bigint;
begin
  if q ~* '^\s*(insert|update|delete)' then
    execute q;
    get diagnostics n = row_count;
  else
    execute 'select count(*) from (' || q || ') x' into n;
  end if;
  return n;
end $$;

create function t.is(what text, got anyelement, want anyelement) returns void language plpgsql
as $$ begin
  if got is distinct from want then
    raise exception 'FAIL %: got %, want %', what, got, want;
  end if;
  raise notice 'ok %', what;
end $$;

create function t.fails(what text, q text, state text) returns void language plpgsql
as $$ begin
  begin
    execute q;
  exception when others then
    if sqlstate <> state then
      raise exception 'FAIL %: sqlstate % (%), want %', what, sqlstate, sqlerrm, state;
    end if;
    raise notice 'ok % (%)', what, state;
    return;
  end;
  raise exception 'FAIL %: no error', what;
end $$;

grant execute on all functions in schema t to public;

-- Two people, a conversation and a message each

select t.is('no engine function for clients', (
  select count(*) from pg_proc p, unnest(array['anon', 'authenticated']) r
  where pronamespace = 'jessica'::regnamespace and has_function_privilege(r, p.oid, 'execute')),
  0::bigint);
select t.is('no model is used yet', t.rows('select from public.embedding_models'), 0::bigint);
select t.is('nor searched', public.search_model(), null::smallint);
select t.is('the first one', jessica.use_model('use-lite', 512), 1::smallint);
select t.is('is used', (select id from jessica.used_model()), 1::smallint);

insert into auth.users (id, email) values (t.id('a'), 'a@x'), (t.id('b'), 'b@x');

insert into auth.users (id, email, banned_until, deleted_at) values
  (t.id('ba'), 'banned@x', now() + interval '1 day', null),
  (t.id('de'), 'deleted@x', null, now());

insert into auth.sessions (user_id) values (t.id('a'));
select t.is('how a session was opened', (select method from auth.sessions), 'password');

insert into public.conversations (id, user_id, title) values
  (t.id('c1'), t.id('a'), 'A'), (t.id('c2'), t.id('b'), 'B'), (t.id('c3'), t.id('ba'), 'C');

insert into public.messages (id, conversation_id, user_id, role, content) values
  (t.id('e1'), t.id('c1'), t.id('a'), 'user', 'hello'),
  (t.id('e2'), t.id('c2'), t.id('b'), 'user', 'secret');

insert into public.embeddings (message_id, user_id, model_id, embedding)
select id, user_id, 1, array_fill(0.1::real, array[512])::extensions.vector from public.messages;

-- Row security as A

select t.login(t.id('a'));
select t.is('uid', auth.uid(), t.id('a'));
select t.is('role', auth.role(), 'authenticated');
select t.is('jwt', auth.jwt() ->> 'role', 'authenticated');
select t.is('A sees own conversations', t.rows('select from public.conversations'), 1::bigint);
select t.is('A sees own messages', t.rows('select from public.messages'), 1::bigint);
select t.is('A sees own embeddings', t.rows('select from public.embeddings'), 1::bigint);
select t.is('A does not see B''s row by id',
  t.rows($$select from public.messages where id = t.id('e2')$$), 0::bigint);
select t.is('A updates none of B''s conversations',
  t.rows($$update public.conversations set title = 'x' where id = t.id('c2')$$), 0::bigint);
select t.is('A deletes none of B''s messages',
  t.rows($$delete from public.messages where id = t.id('e2')$$), 0::bigint);
select t.is('A inserts own message, owner defaulted', t.rows(
  $$insert into public.messages (conversation_id, content) values (t.id('c1'), 'again')$$),
  1::bigint);
select t.fails('A inserts as B',
  $$insert into public.messages (conversation_id, user_id, content)
    values (t.id('c2'), t.id('b'), 'forged')$$, '42501');
select t.fails('A inserts own row into B''s conversation',
  $$insert into public.messages (conversation_id, content) values (t.id('c2'), 'forged')$$,
  '23503');
select t.fails('A forges an assistant message',
  $$insert into public.messages (conversation_id, content, role)
    values (t.id('c1'), 'forged', 'assistant')$$, '42501');
select t.fails('A changes a status column',
  $$update public.messages set status = 'error'$$, '42501');
select t.fails('A gives a conversation away',
  $$update public.conversations set user_id = t.id('b')$$, '42501');
select t.fails('A writes a job directly',
  $$insert into public.inference_jobs (conversation_id, message_id)
    values (t.id('c1'), t.id('e1'))$$, '42501');
select t.fails('A reads job internals', $$select partial from public.inference_jobs$$, '42501');
select t.fails('A chooses a branch by hand',
  $$update public.conversations set head_seq = 1$$, '42501');
select t.fails('A moves a message', $$update public.messages set after_seq = 0$$, '42501');
select t.fails('nobody comes after what is later',
  $$insert into public.messages (conversation_id, content, after_seq)
    values (t.id('c1'), 'x', 9000000000)$$, '23514');
select t.fails('A reads auth.users', $$select * from auth.users$$, '42501');
select t.fails('A calls the engine', $$select jessica.sweep()$$, '42501');
select t.fails('A emits a WAL message',
  $$select pg_logical_emit_message(true, 'jessica', 'x')$$, '42501');
select t.fails('A enqueues into B''s conversation',
  $$select * from public.enqueue_inference(t.id('c2'), 'hi')$$, '42501');
select t.is('A enqueues',
  t.rows($$select * from public.enqueue_inference(t.id('c1'), 'hi', 'k1')$$), 1::bigint);
select t.is('A enqueues again with the same key',
  t.rows($$select * from public.enqueue_inference(t.id('c1'), 'hi', 'k1')$$), 1::bigint);
select t.is('the second answer is the first', (
  select count(distinct (x.message_id, x.reply_id, x.job_id)) from (
    select * from public.enqueue_inference(t.id('c1'), 'hi', 'k1')
    union all
    select m.id, r.id, j.id from public.messages m
    join public.messages r on r.reply_to = m.id
    join public.inference_jobs j on j.message_id = m.id where m.client_id = 'k1') x), 1::bigint);
select t.is('one job', t.rows('select id from public.inference_jobs'), 1::bigint);
select t.is('2+2 messages', t.rows('select from public.messages'), 4::bigint);
select t.is('match_messages sees own', t.rows(
  'select * from public.match_messages(array_fill(0.1::real, array[512])::extensions.vector)'),
  1::bigint);

-- As B, as nobody, as the service

select t.login(t.id('b'));
select t.is('B sees none of A''s jobs', t.rows('select id from public.inference_jobs'), 0::bigint);
reset role;
select set_config('t.job', (select max(id)::text from public.inference_jobs), true);
set local role authenticated;
select t.is('B cannot cancel A''s job',
  public.cancel_inference(current_setting('t.job')::bigint), null::bool);
select set_config('realtime.topic', 'conversation:' || t.id('c2'), true);
reset role;
insert into realtime.messages (topic, extension)
values ('conversation:' || t.id('c2'), 'broadcast');
set local role authenticated;
select t.is('B may join own channel', t.rows('select from realtime.messages'), 1::bigint);
select set_config('realtime.topic', 'conversation:' || t.id('c1'), true);
select t.is('B may not join A''s channel', t.rows('select from realtime.messages'), 0::bigint);

select t.login(null, 'anon');
select t.fails('anon reads messages', 'select * from public.messages', '42501');
select t.fails('anon enqueues',
  $$select * from public.enqueue_inference(t.id('c1'), 'hi')$$, '42501');

select t.login(null, 'authenticated');
select t.is('without claims nothing is seen', t.rows('select from public.messages'), 0::bigint);
select t.fails('without claims no enqueue',
  $$select * from public.enqueue_inference(t.id('c1'), 'hi')$$, '28000');

select t.login(t.id('a'), 'service_role');
select t.is('service_role sees all', t.rows('select from public.messages') >= 5, true);

-- Who may use a private topic, asked by the request pool's role

reset role;
select set_config('request.jwt.claims', '', true);
set local role authenticator;
create function pg_temp.rights(u text, c text) returns text language sql
as $$
  select concat_ws(' ', reads, writes, presence_reads, presence_writes)
  from jessica.topic_rights('authenticated',
    json_build_object('sub', t.id(u), 'role', 'authenticated')::text,
    'conversation:' || t.id(c))
$$;
select t.is('topic of one''s own', pg_temp.rights('a', 'c1'), 't t t t');
select t.is('topic of another', pg_temp.rights('a', 'c2'), 'f f f f');
select t.is('the probe leaves nothing',
  (select current_user || coalesce(current_setting('request.jwt.claims', true), '')),
  'authenticator'::text);
reset role;
select t.is('no probe row stays', t.rows('select from realtime.messages'), 1::bigint);

-- The engine: enqueue refuses per row

set local role jessica_engine;
select set_config('t.lease', jessica.join_node('n1', '30 s')::text, true),
  set_config('t.lease2', jessica.join_node('n2', '30 s')::text, true);

create function pg_temp.l() returns bigint language sql
as $$ select current_setting('t.lease')::bigint $$;

create function pg_temp.l2() returns bigint language sql
as $$ select current_setting('t.lease2')::bigint $$;

create function pg_temp.claim(l bigint, want int)
returns table (id bigint, attempt smallint, cancelled bool) language sql
as $$
  select id, attempt, cancelled
  from jessica.claim_jobs(l, array['inference'], want, want, '{}')
$$;

create function pg_temp.batch(l bigint) returns bigint[] language sql
as $$
  select array_agg(n order by n) from jessica.enqueue_batch(
    l, array[t.id('a'), t.id('a'), t.id('ff'), t.id('ba'), t.id('de')],
    array[t.id('c2'), t.id('c1'), t.id('c1'), t.id('c3'), t.id('c1')],
    array[gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(),
          gen_random_uuid()],
    array[gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(),
          gen_random_uuid()],
    array['x', 'y', 'z', 'u', 'v'], array[null, 'k2' || coalesce(l, 0), null, null, null]::text[],
    array[null, null, null, null, null]::jsonb[], array[false, false, false, false, false])
$$;

select t.is('only the rightful row', pg_temp.batch(null), array[2]::bigint[]);
select t.is('a resend inserts nothing', pg_temp.batch(null), null);
select t.is('batch born leased', pg_temp.batch(pg_temp.l()), array[2]::bigint[]);
select t.is('lease 0 is no lease', pg_temp.batch(0), null);

-- Life of a job: claim, checkpoint, finish, the fence

create temp table j as select * from pg_temp.claim(pg_temp.l(), 10);
select t.is('claimed the two unleased', t.rows('select from j where attempt = 1'), 2::bigint);
select t.is('claimed once',
  t.rows($$select * from pg_temp.claim(pg_temp.l2(), 10)$$), 0::bigint);
select t.is('a claim without a live lease gets nothing',
  t.rows($$select * from pg_temp.claim(-1, 10)$$), 0::bigint);
select t.is('checkpoint keeps ours', t.rows(
  $$select * from jessica.checkpoint(pg_temp.l(), (select array_agg(id) from j),
      array[1, 1], array['par', 'par'], array[null, null]::jsonb[])$$), 2::bigint);
select t.is('checkpoint of another node', t.rows(
  $$select * from jessica.checkpoint(pg_temp.l2(), (select array_agg(id) from j),
      array[1, 1], array['evil', 'evil'], array[null, null]::jsonb[])$$), 0::bigint);
select t.is('a stale lease finishes nothing', t.rows(
  $$select * from jessica.finish_jobs(pg_temp.l2(), array[(select max(id) from j)],
      array[1], array['done'], array['stale'], array[null]::jsonb[])$$), 0::bigint);
select t.is('finish one', t.rows(
  $$select * from jessica.finish_jobs(pg_temp.l(), array[(select min(id) from j)],
      array[1], array['done'], array['answer'], array['{"t": 1}']::jsonb[])$$), 1::bigint);
select t.is('asked twice, it says so again', t.rows(
  $$select * from jessica.finish_jobs(pg_temp.l(), array[(select min(id) from j)],
      array[1], array['done'], array['again'], array[null]::jsonb[])$$), 1::bigint);
select t.is('another attempt does not finish', t.rows(
  $$select * from jessica.finish_jobs(pg_temp.l(), array[(select max(id) from j)],
      array[2], array['done'], array['other'], array[null]::jsonb[])$$), 0::bigint);
select t.is('nor store its text', t.rows(
  $$select * from jessica.checkpoint(pg_temp.l(), array[(select max(id) from j)],
      array[2], array['other'], array[null]::jsonb[])$$), 0::bigint);
select t.is('a finished job takes no checkpoint', t.rows(
  $$select * from jessica.checkpoint(pg_temp.l(), array[(select min(id) from j)],
      array[1], array['late'], array[null]::jsonb[])$$), 0::bigint);
select t.is('the node holds the other one',
  (select max(id) from j) in (select jessica.held_jobs(pg_temp.l())), true);
select t.is('and not this one',
  (select min(id) from j) in (select jessica.held_jobs(pg_temp.l())), false);
select t.is('and the other one', t.rows('select jessica.held_jobs(pg_temp.l2())'), 0::bigint);

-- A node is lost; attempts are counted; dead letters

reset role;
update jessica.nodes set until = now() - interval '1 s' where lease = pg_temp.l();
select t.is('sweep requeues both', jessica.sweep(), 2);
select t.is('ready again at once',
  t.rows($$select from jessica.ready where attempt = 1 and run_at = now()$$), 2::bigint);
select t.is('without a strike', t.rows($$select from public.inference_jobs j
  join jessica.ready r using (id) where j.max_attempts = 6$$), 2::bigint);
select t.is('a dead node cannot renew', jessica.renew(pg_temp.l(), '30 s'), null);
select t.is('nor finish', t.rows(
  $$select * from jessica.finish_jobs(pg_temp.l(), array[(select max(id) from j)],
      array[1], array['done'], array['late'], array[null]::jsonb[])$$), 0::bigint);
update jessica.ready set attempt = 5;
select t.is('the last attempt', (
  select string_agg(attempt || ':' || cancelled, ',' order by id)
  from pg_temp.claim(pg_temp.l2(), 10)), '6:false,6:false'::text);
select t.is('nothing to stop', t.rows('select jessica.cancelled_jobs()'), 0::bigint);
update public.inference_jobs set cancel_requested = true
where id = (select max(id) from jessica.running);
select t.is('one to stop', array(select jessica.cancelled_jobs()),
  array[(select max(id) from jessica.running)]);
select t.is('fail: one dead, one cancelled', (
  select string_agg(status, ',' order by status) from jessica.fail_jobs(pg_temp.l2(),
    (select array_agg(id) from jessica.running), array['boom', 'boom'], array[true, true])),
  'cancelled,dead'::text);
select t.is('the reply says error and keeps the partial', t.rows(
  $$select from public.messages
    where status = 'error' and error ->> 'message' = 'boom' and content = 'par'$$), 1::bigint);
select t.is('the answer is stored', t.rows(
  $$select from public.messages where content = 'answer' and status = 'complete'$$), 1::bigint);
select t.is('queue empty',
  t.rows('select from jessica.ready') + t.rows('select from jessica.running'), 0::bigint);
select t.is('retry the dead letter', jessica.retry_dead((
  select array_agg(id) from public.inference_jobs where status = 'dead')), 1);
select t.is('its reply waits again', t.rows($$select from public.messages m
  join public.inference_jobs j on j.reply_id = m.id
  where j.status = 'queued' and m.status = 'pending' and m.error is null$$), 1::bigint);
select t.is('a retried job goes on counting', (
  select array_agg(attempt) from pg_temp.claim(pg_temp.l2(), 10)),
  array[7]::smallint[]);
select t.is('with five attempts more', (select max(max_attempts) from public.inference_jobs j
  join jessica.running r using (id)), 11::smallint);

-- A node leaves: its jobs are ready at once, without a strike

select t.is('leave gives one back', jessica.leave(pg_temp.l2()), 1);
select t.is('ready at once, its attempt known',
  t.rows($$select from jessica.ready where attempt = 7 and run_at <= now()$$), 1::bigint);
select t.is('and no strike', t.rows($$select from public.inference_jobs j
  join jessica.ready r using (id) where j.max_attempts = 12$$), 1::bigint);
select t.is('not running any more', t.rows('select from jessica.running'), 0::bigint);
select t.is('shown as queued', t.rows($$select from public.inference_jobs j
  join jessica.ready r using (id) where j.status = 'queued' and j.lease is null$$), 1::bigint);
select t.is('the node is gone', jessica.renew(pg_temp.l2(), '30 s'), null);
select t.is('nothing left to leave', jessica.leave(pg_temp.l2()), 0);

select set_config('t.lease', jessica.join_node('n1', '30 s')::text, true),
  set_config('t.lease2', jessica.join_node('n2', '30 s')::text, true);
select t.is('the next node claims a new attempt', (
  select array_agg(attempt) from pg_temp.claim(pg_temp.l(), 10)),
  array[8]::smallint[]);
select t.is('a failure counts', (
  select array_agg(status) from jessica.fail_jobs(pg_temp.l(),
    (select array_agg(id) from jessica.running), array['once'], array[true])),
  array['queued']);
update jessica.ready set run_at = now();
update public.inference_jobs j set run_at = r.run_at from jessica.ready r where r.id = j.id;
select t.is('so the next attempt is one more', (
  select array_agg(attempt) from pg_temp.claim(pg_temp.l(), 10)),
  array[9]::smallint[]);
select t.is('another''s leaving moves nothing', jessica.leave(pg_temp.l2()), 0);
select t.is('leave once more', jessica.leave(pg_temp.l()), 1);
select t.is('two goodbyes, one failure: one of five new strikes',
  t.rows($$select from jessica.ready r join public.inference_jobs j using (id)
    where r.attempt = 9 and j.max_attempts = 13$$), 1::bigint);

select set_config('t.lease', jessica.join_node('n1', '30 s')::text, true);
create temp table claimed as select * from pg_temp.claim(pg_temp.l(), 10);
select t.is('a born-leased job is left behind too', pg_temp.batch(pg_temp.l()),
  array[2]::bigint[]);
select t.is('leave gives back claimed and born leased', jessica.leave(pg_temp.l()), 2);
delete from public.inference_jobs where id in (select id from jessica.ready);
select t.is('deleted jobs leave the queue', t.rows('select from jessica.ready'), 0::bigint);

-- Fairness: a user's many jobs do not hide another's; priority goes before it

create function pg_temp.queue(u uuid, c uuid, m uuid, n int, p int) returns void
language sql as $$
  insert into public.inference_jobs (user_id, conversation_id, message_id, priority)
  select u, c, m, p from generate_series(1, n)
$$;
select set_config('t.lease', jessica.join_node('n1', '30 s')::text, true);
select pg_temp.queue(t.id('a'), t.id('c1'), t.id('e1'), 20, 0);
select pg_temp.queue(t.id('b'), t.id('c2'), t.id('e2'), 3, 0);
create temp table fair as
select * from jessica.claim_jobs(pg_temp.l(), array['inference'], 6, 4, '{}');
select t.is('both users get their share', (
  select string_agg(k::text, '+' order by u) from (
    select user_id u, count(*) k from fair group by 1) x), '3+3'::text);
create temp table skipping as
select * from jessica.claim_jobs(pg_temp.l(), array['inference'], 6, 4, array[t.id('a')]);
select t.is('who is skipped gets nothing', t.rows('select from skipping'), 0::bigint);
select t.is('nothing is due for whoever skips',
  jessica.next_due(array['inference'], array[t.id('a')]), null);
select t.is('else it is due now', jessica.next_due(array['inference'], '{}'), now());
create temp table alone as
select * from jessica.claim_jobs(pg_temp.l(), array['inference'], 100, 4, '{}');
select t.is('one user gets no more than a share', t.rows('select from alone'), 4::bigint);
select pg_temp.queue(t.id('b'), t.id('c2'), t.id('e2'), 1, -5);
create temp table ranked as
select * from jessica.claim_jobs(pg_temp.l(), array['inference'], 4, 4, '{}');
select t.is('a low priority waits', t.rows(
  $$select from ranked where user_id = t.id('b')$$), 0::bigint);

-- Stop by reply: one that waits ends at once, one that runs is told

delete from public.inference_jobs;
select t.login(t.id('a'));
create temp table asked as select * from public.enqueue_inference(t.id('c1'), 'stop me', 'k2');
select t.is('no reply of mine',
  t.rows($$select * from public.stop_inference(t.id('e1'))$$), 0::bigint);
select t.is('a waiting reply is stopped at once',
  (select status from public.stop_inference((select reply_id from asked))), 'cancelled'::text);
select t.is('and again',
  (select status from public.stop_inference((select reply_id from asked))), 'cancelled'::text);
reset role;
select t.is('its job too', t.rows($$select from public.inference_jobs
  where status = 'cancelled' and finished_at is not null$$), 1::bigint);
select t.is('nothing waits any more', t.rows('select from jessica.ready'), 0::bigint);

-- What a node does not know to hold goes back

select pg_temp.queue(t.id('a'), t.id('c1'), t.id('e1'), 2, 0);
create temp table held as select * from pg_temp.claim(pg_temp.l(), 9);
select t.is('one goes back', jessica.hand_back(pg_temp.l(), array[(select min(id) from held)]), 1);
select t.is('not another node''s', jessica.hand_back(pg_temp.l2(), array(select id from held)), 0);
select t.is('ready, and the attempt is counted', t.rows($$select from jessica.ready r
  where r.attempt = 1 and r.id = (select min(id) from held)$$), 1::bigint);
delete from public.inference_jobs where id in (select id from held);
select t.login(t.id('a'));
create temp table asked2 as select * from public.enqueue_inference(t.id('c1'), 'stop me', 'k3');
reset role;
select t.is('claimed', t.rows(
  $$select * from jessica.claim_jobs(pg_temp.l(), array['inference'], 9, 9, '{}')$$), 1::bigint);
select t.login(t.id('b'));
select t.is('a stranger stops nothing',
  t.rows($$select * from public.stop_inference((select reply_id from asked2))$$), 0::bigint);
select t.login(t.id('a'));
select t.is('a running reply is being stopped',
  (select status from public.stop_inference((select reply_id from asked2))), 'cancelling'::text);
reset role;
select t.is('its node finds it', array(select jessica.cancelled_jobs()),
  array(select job_id from asked2));
select t.is('and stores what there is', t.rows(
  $$select * from jessica.finish_jobs(pg_temp.l(), array(select job_id from asked2),
      array[1], array['cancelled'], array['half'], array[null]::jsonb[])$$), 1::bigint);
select t.login(t.id('a'));
select t.is('then it is stopped',
  (select status from public.stop_inference((select reply_id from asked2))), 'cancelled'::text);

-- A reply to a message that is there already

insert into public.messages (conversation_id, content, client_id)
values (t.id('c1'), 'sent by rest', 'k4');
create temp table asked3 as
select * from public.queue_reply((select id from public.messages where client_id = 'k4'));
select t.is('queued', t.rows('select from asked3 where job_id > 0'), 1::bigint);
select t.is('once', t.rows($$select from asked3 x
  join public.queue_reply((select id from public.messages where client_id = 'k4')) y
    on y = x$$), 1::bigint);
select t.fails('not for another''s message',
  $$select * from public.queue_reply(t.id('e2'))$$, '42501');
reset role;
delete from public.inference_jobs;
delete from public.messages where user_id = t.id('a') and client_id in ('k2', 'k3', 'k4');

-- A turn that opens its conversation

create function pg_temp.open(u uuid, c uuid, cid text, body text) returns bigint[] language sql
as $$
  select array_agg(n order by n) from jessica.enqueue_batch(null, array[u], array[c],
    array[gen_random_uuid()], array[gen_random_uuid()], array[body], array[cid],
  array['{}']::jsonb[],
    array[true])
$$;

set local role jessica_engine;
select t.is('opens', pg_temp.open(t.id('a'), t.id('c10'), 'o1', E'  Two\n\twords  '),
  array[1]::bigint[]);
select t.is('an unknown user opens nothing', pg_temp.open(t.id('ff'), t.id('c11'), null, 'x'),
  null);
select t.is('a banned user opens nothing', pg_temp.open(t.id('ba'), t.id('c11'), null, 'x'), null);
select t.is('a deleted user opens nothing', pg_temp.open(t.id('de'), t.id('c11'), null, 'x'), null);
select t.is('another''s conversation is not opened', pg_temp.open(t.id('a'), t.id('c2'), null, 'x'),
  null);
select t.is('one''s own is used as it is', pg_temp.open(t.id('a'), t.id('c1'), null, 'x'),
  array[1]::bigint[]);
select t.is('a resend is not accepted', pg_temp.open(t.id('a'), t.id('c12'), 'o1', 'Two words'),
  null);
select t.is('a long text', pg_temp.open(t.id('b'), t.id('c13'), 'o2', repeat('abc ', 5000)),
  array[1]::bigint[]);
select t.is('no text', pg_temp.open(t.id('b'), t.id('c14'), 'o3', E' \n'), array[1]::bigint[]);
select t.is('twice in one batch: one conversation', (
  select array_agg(n order by n) from jessica.enqueue_batch(null, array[t.id('a'), t.id('b'),
  t.id('a')],
    array[t.id('c15'), t.id('c2'), t.id('c16')],
    array[gen_random_uuid(), gen_random_uuid(), gen_random_uuid()],
    array[gen_random_uuid(), gen_random_uuid(), gen_random_uuid()], array['p', 'q', 'p'],
    array['o4', null, 'o4'], array[null, null, null]::jsonb[], array[true, false, true])),
  array[1, 2]::bigint[]);
reset role;
select t.is('its title is the text in one line',
  (select title from public.conversations where id = t.id('c10')), 'Two words');
select t.is('its owner is the author',
  (select user_id from public.conversations where id = t.id('c10')), t.id('a'));
select t.is('its message, reply and job are there', (
  select count(*) from public.messages m join public.messages r on r.reply_to = m.id
  join public.inference_jobs j on j.message_id = m.id and j.reply_id = r.id
  where m.conversation_id = t.id('c10')), 1::bigint);
select t.is('a title has 80 characters',
  (select length(title) from public.conversations where id = t.id('c13')), 80);
select t.is('an empty text makes no title',
  (select title from public.conversations where id = t.id('c14')), null);
select t.is('refused and repeated turns leave no conversation', t.rows(
  $$select from public.conversations where id in (t.id('c11'), t.id('c12'), t.id('c16'))$$),
  0::bigint);

-- A send moves its conversation up

update public.conversations set updated_at = 'yesterday';
select pg_temp.batch(0);
update public.messages set client_id = null where client_id = 'k20';
select t.is('an accepted turn touches its conversation', pg_temp.batch(0), array[2]::bigint[]);
select t.is('and no other', (
  select array_agg(id) from public.conversations where updated_at = now()), array[t.id('c1')]);
update public.conversations set updated_at = 'yesterday';
select t.is('two turns of one conversation', (
  select array_agg(n order by n) from jessica.enqueue_batch(null, array[t.id('b'), t.id('b')],
    array[t.id('c2'), t.id('c2')], array[gen_random_uuid(), gen_random_uuid()],
    array[gen_random_uuid(), gen_random_uuid()], array['1', '2'], array[null, null]::text[],
    array[null, null]::jsonb[], array[false, false])), array[1, 2]::bigint[]);
select t.is('are stored in their order', (
  select string_agg(content, '' order by seq) from public.messages
  where conversation_id = t.id('c2') and content in ('1', '2')), '12');
select t.is('and touch it once', t.rows(
  $$select from public.conversations where updated_at = now()$$), 1::bigint);

-- First receipts

set local role jessica_engine;
create temp table seen as select * from jessica.find_sends(
  array[t.id('a'), t.id('b'), t.id('a'), t.id('b')], array['o1', 'o1', 'never', 'o2'],
  array_fill(t.id('0'), array[4]));
reset role;
select t.is('only one''s own client ids are found',
  (select array_agg(n order by n) from seen), array[1, 4]::bigint[]);
select t.is('the receipt is the first one', (
  select count(*) from seen s
  join public.messages m on m.id = s.message_id and m.conversation_id = s.conversation_id
  join public.messages r on r.id = s.reply_id and r.reply_to = m.id
  join public.inference_jobs j on j.id = s.job_id and j.message_id = m.id), 2::bigint);
delete from public.inference_jobs where id = (select job_id from seen where n = 1);
delete from public.messages where id = (select reply_id from seen where n = 4);
select t.is('a purged job is 0', (
  select job_id from jessica.find_sends(array[t.id('a')], array['o1'], array[t.id('0')])),
  0::bigint);
select t.is('what was stored just now is not', t.rows(
  $$select from jessica.find_sends(array[t.id('a')], array['o1'],
      array(select id from public.messages where client_id = 'o1' and user_id = t.id('a')))$$),
  0::bigint);
select t.is('a deleted reply is the zero id', (
  select reply_id from jessica.find_sends(array[t.id('b')], array['o2'], array[t.id('0')])),
  t.id('0'));

-- The batch accepts exactly what row security accepts: all pairs of people and conversations, among
-- them unknown ones

create function pg_temp.rpc_accepts(u uuid, c uuid) returns bool language plpgsql
as $$ begin
  perform t.login(u);
  perform public.enqueue_inference(c, 'differential');
  perform set_config('role', 'none', true);
  return true;
exception when insufficient_privilege then
  return false;  -- the role and the claims are rolled back too
end $$;

insert into auth.users (id, email)
select t.id('d' || i), 'd' || i || '@x' from generate_series(1, 8) i;

insert into public.conversations (id, user_id)
select t.id('d1' || i), t.id('d' || 1 + i % 8) from generate_series(1, 20) i;

create temp table pairs as
select row_number() over (order by c, u) n, t.id('d' || u) u, t.id('d1' || c) c
from generate_series(1, 10) u, generate_series(1, 22) c;

create temp table verdicts as
select p.n, pg_temp.rpc_accepts(p.u, p.c) rpc, false batch from pairs p;

update verdicts v set batch = true
from (select array_agg(u order by n) us, array_agg(c order by n) cs,
    array_agg(gen_random_uuid() order by n) ms, array_agg(gen_random_uuid() order by n) rs,
    array_agg('x'::text order by n) bs, array_agg(null::text order by n) ks,
    array_agg(null::jsonb order by n) ps, array_agg(false order by n) os from pairs) a,
  lateral jessica.enqueue_batch(null, a.us, a.cs, a.ms, a.rs, a.bs, a.ks, a.ps, a.os) e
where e.n = v.n;

select t.is('the calls differ nowhere', t.rows('select from verdicts where rpc <> batch'),
  0::bigint);
select t.is('some are accepted', t.rows('select from verdicts where rpc'), 20::bigint);
select set_config('request.jwt.claims', '', true);

-- The queue is read by index, however long it is

insert into public.inference_jobs (user_id, conversation_id, message_id, reply_id)
select t.id('a'), t.id('c1'), t.id('e1'), null from generate_series(1, 20000);
insert into auth.users (email) select 'many' || n from generate_series(1, 1000) n;
analyze;

create function pg_temp.full_scans() returns bigint language sql
as $$
  select sum(seq_scan) from pg_stat_xact_user_tables
  where (schemaname, relname) in (('public', 'inference_jobs'), ('public', 'messages'),
    ('public', 'conversations'), ('auth', 'users'), ('jessica', 'ready'))
$$;

create function pg_temp.rows_read() returns bigint language sql
as $$
  select sum(idx_tup_fetch + seq_tup_read) from pg_stat_xact_user_tables
  where (schemaname, relname) in (('public', 'inference_jobs'), ('jessica', 'ready'))
$$;

select set_config('t.lease', jessica.join_node('n3', '30 s')::text, true),
  set_config('t.scans', pg_temp.full_scans()::text, true),
  set_config('t.read', pg_temp.rows_read()::text, true);
create temp table hundred as
select id from pg_temp.claim(pg_temp.l(), 100);
select t.is('claims a hundred', t.rows('select from hundred'), 100::bigint);
select t.is('checkpoints a hundred', (
  select count(*) from jessica.checkpoint(pg_temp.l(), (select array_agg(id) from hundred),
    array_fill(1, array[100]), array_fill('p'::text, array[100]),
    array_fill(null::jsonb, array[100]))), 100::bigint);
select t.is('finishes fifty', (
  select count(*) from jessica.finish_jobs(pg_temp.l(),
    (select (array_agg(id order by id))[1:50] from hundred), array_fill(1, array[50]),
    array_fill('done'::text, array[50]),
    array_fill('c'::text, array[50]), array_fill(null::jsonb, array[50]))), 50::bigint);
select t.is('fails fifty', (
  select count(*) from jessica.fail_jobs(pg_temp.l(),
    (select (array_agg(id order by id))[51:100] from hundred), array_fill('e'::text, array[50]),
    array_fill(true, array[50]))), 50::bigint);
select pg_temp.batch(pg_temp.l());
select t.is('without a scan of a big table',
  pg_temp.full_scans() - current_setting('t.scans')::bigint, 0::bigint);
select t.is('and without reading much more than the hundred',
  pg_temp.rows_read() - current_setting('t.read')::bigint < 3000, true);
select t.is('one user''s long queue goes with a node', jessica.leave(pg_temp.l()), 1);
delete from public.inference_jobs;

-- Embeddings, housekeeping, cascades

select t.fails('wrong dimension',
  $$insert into public.embeddings (message_id, user_id, model_id, chunk, embedding)
    select id, user_id, 1, 9, '[1,2,3]' from public.messages limit 1$$, '22000');
update public.messages set created_at = now() - interval '2 min';
select t.is('old texts are looked at once', (
  select string_agg(jessica.queue_old_texts(1::smallint, 100000), ' ')
  from generate_series(1, 2)), 'more complete'::text);
select t.is('every text has vectors or waits', t.rows(
  $$select from public.messages m where jessica.has_text(m.status, m.content)
      and not exists (select from public.embeddings e where e.message_id = m.id)
      and not exists (select from jessica.unembedded w where w.seq = m.seq)$$), 0::bigint);
select t.is('work is shown as its owner''s', (
  select bool_and(w.user_id = m.user_id and w.status = 'queued')
  from jessica.texts w join public.messages m on m.id = w.message_id), true);
select pg_temp.queue(t.id('a'), t.id('c1'), t.id('e1'), 2, 0);
update public.inference_jobs set status = 'done', finished_at = now() - interval '8 days'
where id = (select min(id) from public.inference_jobs);
select t.is('purged', jessica.purge_jobs(), 1);

-- Usage and quotas

select t.is('what was finished above is counted', t.rows(
  $$delete from public.usage_daily where user_id = t.id('a')$$) > 0, true);

select jessica.count_usage(
  array[t.id('b'), t.id('a'), t.id('a'), t.id('a')], array['m', 'm', null, 'm'],
  array[1, 2, 3, 4]::bigint[], array[5, 6, 7, 8]::bigint[], array[true, true, false, null],
  array[0.1, 0.2, null, 0.3], array[1, 1, 1, 0]);
select t.is('no row for nothing', (select count(*) from (
  select jessica.count_usage(array[t.id('de')], array['m'], array[0]::bigint[],
    array[0]::bigint[], array[true], array[null]::numeric[], array[0])) x, public.usage_daily
  where user_id = t.id('de')), 0::bigint);
select t.is('a user''s rows add up', (
  select string_agg(concat_ws(' ', model, replies, prompt_tokens, completion_tokens,
    estimated_tokens, cost), ', ' order by model)
  from public.usage_daily where user_id = t.id('a') and day = (now() at time zone 'utc')::date),
  ' 1 3 7 0 0, m 1 6 14 8 0.5');
select t.login(t.id('a'));
select t.is('A sees own usage', t.rows('select from public.my_usage'), 2::bigint);
select t.is('and none of B''s', t.rows('select from public.usage_daily'), 2::bigint);
select t.is('no limits', t.rows('select from public.my_limits()'), 0::bigint);
select t.fails('A lowers own usage', 'delete from public.usage_daily', '42501');
select t.fails('A sees everybody''s usage', 'select from public.all_usage', '42501');
select t.fails('A sees the limits', 'select from public.usage_limits', '42501');
select t.fails('A lifts own limit',
  'insert into public.usage_limits (replies_per_day) values (0)', '42501');
reset role;
select t.login(null, 'anon');
select t.fails('nobody sees no usage', 'select from public.my_usage', '42501');
select t.fails('nor limits', 'select public.my_limits()', '42501');
reset role;
select t.login(null, 'service_role');
select t.is('the service sees all usage', (
  select string_agg(distinct email, ' ' order by email) from public.all_usage
  where email in ('a@x', 'b@x')), 'a@x b@x');
insert into public.usage_limits (replies_per_day, replies_per_minute) values (2, 0);
select t.fails('one default', 'insert into public.usage_limits default values', '23505');
reset role;
select t.login(t.id('a'));
select t.is('A reads own limits', (
  select string_agg(concat_ws(' ', "limit", limit_value, used, held), ', ')
  from public.my_limits()), 'replies_per_day 2 2 0');
select t.fails('over the quota, with a status of its own',
  $$select * from public.enqueue_inference(t.id('c1'), 'hi', 'k3')$$, 'PGRST');
select t.is('a repeated send asks for nothing',
  t.rows($$select * from public.enqueue_inference(t.id('c1'), 'hi', 'k1')$$), 1::bigint);
reset role;
delete from public.usage_limits;

select t.is('A has jobs in the queue', t.rows(
  $$select from jessica.ready r join public.inference_jobs j using (id)
    where j.user_id = t.id('a')$$) > 0, true);
delete from auth.users where id = t.id('a');
select t.is('account deletion reaches the queue', t.rows(
  $$select from jessica.ready r
    where not exists (select from public.inference_jobs j where j.id = r.id)$$), 0::bigint);
select t.is('and the texts that wait', t.rows(
  $$select from jessica.unembedded w
    where not exists (select from public.messages m where m.id = w.message_id)$$), 0::bigint);
select t.is('and the messages',
  t.rows($$select from public.messages where user_id = t.id('a')$$), 0::bigint);

rollback;
