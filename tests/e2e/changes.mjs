// postgres_changes with the unmodified client: who is told of which rows, and when.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { close, makeClient, send, signedUp, subscribed, versions } from './harness/clients.mjs';
import { Server } from './harness/server.mjs';
import { Inbox, second, until } from './harness/waiting.mjs';

let server;
before(async () => {
  server = await Server.start({ 'inference-tokens-per-second': 0 });
  await server.sql(`
    create table public.things (id int primary key, name text, big text, n numeric(20,4),
      flag bool, doc jsonb, tags text[], at timestamptz, raw bytea);
    grant all on public.things to anon, authenticated, service_role;
    create table public.notes (id int primary key, team text, body text);
    alter table public.notes enable row level security;
    grant select on public.notes to authenticated;
    create policy by_team on public.notes for select to authenticated
      using (team = (select auth.jwt() ->> 'email'));
    alter publication supabase_realtime add table public.things, public.notes`);
});
after(() => server?.remove());

/** Joins a channel with bindings; gives what it hears and what `system` said of it. */
async function follow(client, bindings, name = `changes-${randomUUID()}`) {
  await client.auth.getSession();
  await client.realtime.setAuth();
  const heard = new Inbox();
  const system = new Inbox();
  const channel = client.channel(name);
  for (const binding of bindings)
    channel.on('postgres_changes', { schema: 'public', ...binding }, (change) =>
      heard.push(change),
    );
  channel.on('system', {}, (payload) => system.push(payload));
  await subscribed(channel);
  const status = await system.find('the system message', (each) => each.extension === 'postgres_changes');
  return { heard, channel, status };
}

let nextId = 0;
const newId = () => ++nextId;
const change = (heard, what, is) => heard.find(what, is);

for (const vsn of versions)
  describe(`changes, protocol ${vsn}`, () => {
    test('insert, update and delete of a table without row security', async () => {
      const client = makeClient(server, { vsn });
      const { heard, status } = await follow(client, [{ event: '*', table: 'things' }]);
      assert.equal(status.status, 'ok');
      assert.equal(status.message, 'Subscribed to PostgreSQL');
      const id = newId();
      await server.sql(`insert into public.things values (${id}, 'a "b"', null, 12.5, true,
        '{"x": [1]}', '{one,"two, three"}', '2026-11-22 10:00:00.5+00', '\\x01ff')`);
      const made = await change(heard, 'the insert', (c) => c.eventType === 'INSERT' && c.new.id === id);
      assert.deepEqual(made.new, {
        id,
        name: 'a "b"',
        big: null,
        n: 12.5,
        flag: true,
        doc: { x: [1] },
        tags: ['one', 'two, three'],
        at: '2026-11-22T10:00:00.5+00:00',
        raw: '\\x01ff',
      });
      assert.deepEqual(made.old, {});
      assert.equal(made.errors, null);
      assert.match(made.commit_timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      await server.sql(`update public.things set name = 'c' where id = ${id}`);
      const updated = await change(heard, 'the update', (c) => c.eventType === 'UPDATE' && c.new.id === id);
      assert.equal(updated.new.name, 'c');
      assert.deepEqual(updated.old, { id });
      await server.sql(`delete from public.things where id = ${id}`);
      const gone = await change(heard, 'the delete', (c) => c.eventType === 'DELETE' && c.old.id === id);
      assert.deepEqual(gone.old, { id });
      assert.deepEqual(gone.new, {});
      await close(client);
    });

    test('a big value that an update left alone is there all the same', async () => {
      const client = makeClient(server, { vsn });
      const { heard } = await follow(client, [{ event: 'UPDATE', table: 'things' }]);
      const id = newId();
      await server.sql(`insert into public.things (id, big)
        select ${id}, string_agg(md5(n::text), '') from generate_series(1, 400) n`);
      await server.sql(`update public.things set name = 'x' where id = ${id}`);
      const updated = await change(heard, 'the update', (c) => c.new.id === id);
      assert.equal(updated.new.big.length, 400 * 32);
      await close(client);
    });

    test("one's own messages, and nobody else's", async () => {
      const [ada, bob] = [await signedUp(server, { vsn }), await signedUp(server, { vsn })];
      const hers = await follow(ada.client, [{ event: '*', table: 'messages' }]);
      const his = await follow(bob.client, [{ event: '*', table: 'messages' }]);
      const anon = makeClient(server, { vsn });
      const nobody = await follow(anon, [{ event: '*', table: 'messages' }]);
      const sent = await send(ada.client, 'a secret');
      const stored = await change(
        hers.heard,
        'the finished reply',
        (c) => c.eventType === 'UPDATE' && c.new.id === sent.reply_id && c.new.status === 'complete',
      );
      assert.ok(stored.new.content.length > 0);
      const theirs = await send(bob.client, 'his own');
      await change(his.heard, 'his message', (c) => c.new.id === theirs.message_id);
      assert.ok(his.heard.items.every((c) => c.new.user_id === bob.user.id));
      assert.ok(hers.heard.items.every((c) => c.new.user_id === ada.user.id));
      await server.sql(`delete from public.messages where id = '${sent.message_id}'`);
      const gone = await change(hers.heard, 'the delete', (c) => c.eventType === 'DELETE');
      assert.deepEqual(gone.old, { id: sent.message_id });
      assert.equal(nobody.heard.items.length, 0);
      assert.ok(his.heard.items.every((c) => c.eventType !== 'DELETE'));
      await close(ada.client, bob.client, anon);
    });
  });

describe('which changes', () => {
  test('filters, events and several bindings on one channel', async () => {
    const client = makeClient(server);
    const { heard } = await follow(client, [
      { event: 'INSERT', table: 'things', filter: 'name=eq.wanted' },
      { event: 'UPDATE', table: 'things', filter: 'id=gt.0,name=not.like.un%' },
    ]);
    const [a, b] = [newId(), newId()];
    await server.sql(`insert into public.things (id, name) values (${a}, 'wanted'), (${b}, 'unwanted')`);
    await server.sql(`update public.things set flag = true where id in (${a}, ${b})`);
    await server.sql(`update public.things set name = 'last' where id = ${b}`);
    await change(heard, 'the last one', (c) => c.new.name === 'last');
    assert.deepEqual(
      heard.items.map((c) => [c.eventType, c.new.id]),
      [
        ['INSERT', a],
        ['UPDATE', a],
        ['UPDATE', b],
      ],
    );
    await close(client);
  });

  test('a bad filter, an unknown table: told, and the channel stays', async () => {
    const client = makeClient(server);
    for (const binding of [
      { event: '*', table: 'things', filter: 'nothing=eq.1' },
      { event: '*', table: 'things', filter: 'id=about.1' },
      { event: '*', table: 'nowhere' },
    ]) {
      const { status, channel } = await follow(client, [binding]);
      assert.equal(status.status, 'error', JSON.stringify(binding));
      assert.match(status.message, /^Unable to subscribe to changes/);
      assert.equal(channel.state, 'joined');
    }
    await close(client);
  });

  test('a policy that is no simple ownership is asked about each row', async () => {
    const [ada, bob] = [await signedUp(server), await signedUp(server)];
    const hers = await follow(ada.client, [{ event: '*', table: 'notes' }]);
    const his = await follow(bob.client, [{ event: '*', table: 'notes' }]);
    const [a, b] = [newId(), newId()];
    await server.sql(`insert into public.notes values (${a}, '${ada.email}', 'for ada')`);
    await server.sql(`insert into public.notes values (${b}, '${bob.email}', 'for bob')`);
    await change(hers.heard, 'hers', (c) => c.new.id === a);
    await change(his.heard, 'his', (c) => c.new.id === b);
    assert.deepEqual(hers.heard.items.map((c) => c.new.id), [a]);
    assert.deepEqual(his.heard.items.map((c) => c.new.id), [b]);
    await close(ada.client, bob.client);
  });

  test('a grant taken away and given back is obeyed at once', async () => {
    const client = makeClient(server);
    const { heard } = await follow(client, [{ event: 'INSERT', table: 'things' }]);
    await server.sql('revoke select (name) on public.things from anon; revoke select on public.things from anon');
    const [hidden, shown] = [newId(), newId()];
    await server.sql(`insert into public.things (id, name) values (${hidden}, 'hidden')`);
    await server.sql('grant select on public.things to anon');
    await server.sql(`insert into public.things (id, name) values (${shown}, 'shown')`);
    await change(heard, 'the second one', (c) => c.new.id === shown);
    assert.deepEqual(heard.items.map((c) => c.new.id), [shown]);
    await close(client);
  });
});

test('nothing that is committed after SUBSCRIBED is missed, a thousand times', async () => {
  const client = makeClient(server);
  const [rounds, writers, commits] = [2, 20, 50];
  for (let round = 0; round < rounds; ++round) {
    const { heard } = await follow(client, [{ event: 'INSERT', table: 'things' }]);
    const first = nextId + 1;
    nextId += writers * commits;
    await Promise.all(
      Array.from({ length: writers }, (_, n) =>
        server.sql(`do $$ begin for i in 0..${commits - 1} loop
          insert into public.things (id) values (${first + n * commits} + i); commit;
        end loop; end $$`),
      ),
    );
    const ids = () => heard.items.map((c) => c.new.id).filter((id) => id >= first);
    await until('all have come', () => ids().length >= writers * commits);
    assert.equal(new Set(ids()).size, writers * commits);
    assert.equal(ids().length, writers * commits, 'each once');
  }
  await close(client);
});

test('after the feed was cut clients join again by themselves', async () => {
  const client = makeClient(server);
  const { heard } = await follow(client, [{ event: 'INSERT', table: 'things' }]);
  await server.sql(`select pg_terminate_backend(active_pid) from pg_replication_slots
    where active_pid is not null`);
  await until(
    'a new row is told',
    async () => {
      const id = newId();
      await server.sql(`insert into public.things (id) values (${id})`);
      await new Promise((resolve) => setTimeout(resolve, 200));
      return heard.items.some((c) => c.new.id === id);
    },
    30 * second,
  );
  await close(client);
});
