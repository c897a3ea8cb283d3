// Stored broadcasts with the real client: from SQL, by persist, replayed.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { close, http, makeClient, signedUp, subscribed, versions } from './harness/clients.mjs';
import { RawSocket, userBroadcast } from './harness/raw_socket.mjs';
import { Server } from './harness/server.mjs';
import { Inbox, until } from './harness/waiting.mjs';

let server;
before(async () => {
  server = await Server.start();
  // A private room for everybody who is signed in; its name begins with "club:".
  await server.sql(`
    create policy club_reads on realtime.messages for select to authenticated
      using ((select realtime.topic()) like 'club:%' and extension = 'broadcast');
    create policy club_writes on realtime.messages for insert to authenticated
      with check ((select realtime.topic()) like 'club:%' and extension = 'broadcast');
    create table public.scores (id int primary key, points int);
    create function public.tell_scores() returns trigger language plpgsql security definer as $$
    begin
      perform realtime.broadcast_changes('club:scores', tg_op, tg_op, tg_table_name,
                                         tg_table_schema, new, old);
      return null;
    end $$;
    create trigger tell after insert or update or delete on public.scores
      for each row execute function public.tell_scores();`);
});
after(() => server?.remove());

const newRoom = () => `club:${crypto.randomUUID()}`;
const named = (event) => (message) => message.event === event;
const literal = (value) => `'${JSON.stringify(value)}'::jsonb`;
const sqlSend = (topic, event, payload, isPrivate = true) =>
  `select realtime.send(${literal(payload)}, '${event}', '${topic}', ${isPrivate});`;
const storedIn = (topic) =>
  server.sql(`select id, event, expires_at is not null from jessica.broadcasts
              where topic = '${topic}' order by committed, place`);

/** Joins a private room as whom the client is signed in as. */
async function inRoom(client, topic, broadcast = {}) {
  await client.auth.getSession();
  await client.realtime.setAuth();
  const heard = new Inbox();
  const channel = client.channel(topic, {
    config: { private: true, broadcast: { ack: true, ...broadcast } },
  });
  channel.on('broadcast', { event: '*' }, (message) => heard.push(message));
  const told = new Inbox();
  channel.on('system', {}, (message) => told.push(message));
  await subscribed(channel);
  return { channel, heard, told };
}

/** The numbers of the broadcasts `n` in the order they came. */
const numbers = (heard) => heard.items.filter(named('n')).map(({ payload }) => payload.n);
const upTo = (last, first = 1) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

for (const vsn of versions)
  describe(`protocol ${vsn}, from SQL`, () => {
    let ada;
    before(async () => {
      ada = await signedUp(server, { vsn });
    });
    after(() => close(ada.client));

    test('realtime.send reaches the room with the id of its row, in commit order', async () => {
      const topic = newRoom();
      const { heard } = await inRoom(ada.client, topic);
      await server.sql(`begin; ${sqlSend(topic, 'n', { n: 1 })} ${sqlSend(topic, 'n', { n: 2 })} commit;`);
      await server.sql(sqlSend(topic, 'n', { n: 3, id: 'mine' }));
      await heard.find('the third', ({ payload }) => payload.n === 3);
      assert.deepEqual(numbers(heard), [1, 2, 3]);
      const rows = await storedIn(topic);
      assert.deepEqual(heard.items.map(({ meta }) => meta), rows.map(([id]) => ({ id })));
      assert.deepEqual(heard.items[0].payload, { n: 1, id: rows[0][0] });
      assert.deepEqual(heard.items[2].payload, { n: 3, id: 'mine' });
    });

    test('what is rolled back is never sent', async () => {
      const topic = newRoom();
      const { heard } = await inRoom(ada.client, topic);
      await server.sql(`begin; ${sqlSend(topic, 'gone', {})} rollback;
                        begin; savepoint s; ${sqlSend(topic, 'undone', {})} rollback to s;
                        ${sqlSend(topic, 'kept', {})} commit;`);
      await heard.find('what was kept', named('kept'));
      assert.deepEqual(heard.items.map(({ event }) => event), ['kept']);
    });

    test('a plain insert is a broadcast, in any partition', async () => {
      const topic = newRoom();
      const { heard } = await inRoom(ada.client, topic);
      await server.sql(`
        insert into realtime.messages (topic, extension, event, payload)
        values ('${topic}', 'broadcast', 'today', '{"a": [1, "é"]}');
        insert into realtime.messages (topic, extension, event, payload, inserted_at)
        values ('${topic}', 'broadcast', 'tomorrow', 'true', now() at time zone 'utc' + '1 day'),
          ('${topic}', 'broadcast', 'some day', 'null', '2001-01-01');
        insert into realtime.messages (topic, extension, event)
        values ('${topic}', 'presence', 'no broadcast'), ('${topic}', 'broadcast', 'bare');`);
      await heard.find('the last', named('bare'));
      assert.deepEqual(
        heard.items.map(({ event, payload }) => [event, payload]),
        [['today', { a: [1, 'é'] }], ['tomorrow', true], ['some day', null], ['bare', {}]],
      );
    });

    test('bytes reach those who can read them', async () => {
      const topic = newRoom();
      const { heard } = await inRoom(ada.client, topic);
      await server.sql(`select realtime.send_binary('\\x0001ff', 'raw', '${topic}');
                        ${sqlSend(topic, 'after', {})}`);
      await heard.find('what follows', named('after'));
      const raw = heard.items.find(named('raw'));
      if (vsn === '1.0.0') assert.equal(raw, undefined);
      else assert.deepEqual([...new Uint8Array(raw.payload)], [0, 1, 255]);
    });

    test('broadcast_changes tells a row from a trigger', async () => {
      const { heard } = await inRoom(ada.client, 'club:scores');
      const id = vsn === '1.0.0' ? 1 : 2;
      await server.sql(`insert into public.scores values (${id}, 5);
                        update public.scores set points = 6 where id = ${id};
                        delete from public.scores where id = ${id};`);
      await heard.find('the delete', named('DELETE'));
      const [inserted, updated, deleted] = heard.items.map(({ payload: { id: _, ...rest } }) => rest);
      const of = { schema: 'public', table: 'scores' };
      const [five, six] = [{ id, points: 5 }, { id, points: 6 }];
      assert.deepEqual(inserted, { ...of, operation: 'INSERT', record: five, old_record: null });
      assert.deepEqual(updated, { ...of, operation: 'UPDATE', record: six, old_record: five });
      assert.deepEqual(deleted, { ...of, operation: 'DELETE', record: null, old_record: six });
    });

    test('public and private rooms of one name are two', async () => {
      const topic = newRoom();
      const { heard } = await inRoom(ada.client, topic);
      const open = makeClient(server, { vsn });
      const openHeard = new Inbox();
      await subscribed(
        open.channel(topic).on('broadcast', { event: '*' }, (message) => openHeard.push(message)),
      );
      await server.sql(`${sqlSend(topic, 'to all', {}, false)} ${sqlSend(topic, 'to the club', {})}`);
      await openHeard.find('the public one', named('to all'));
      await heard.find('the private one', named('to the club'));
      assert.equal(heard.items.length + openHeard.items.length, 2);
      await close(open);
    });

    test('replication_ready is told once stored broadcasts come', async () => {
      const topic = newRoom();
      const { told } = await inRoom(ada.client, topic, { replication_ready: true });
      const ready = await told.find('the system message', () => true);
      const { extension, status, message, channel } = ready;
      assert.deepEqual(
        { extension, status, message, channel },
        {
          extension: 'system',
          status: 'ok',
          message: 'Replication connection established',
          channel: topic,
        },
      );
    });

    test('a replay brings the newest stored broadcasts, oldest first, marked', async () => {
      const topic = newRoom();
      const since = Number(await server.value('select floor(extract(epoch from now()) * 1000)'));
      const bystander = await signedUp(server, { vsn });
      const earlier = await inRoom(bystander.client, topic);
      await server.sql(`begin; ${upTo(30).map((n) => sqlSend(topic, 'n', { n })).join(' ')} commit;`);
      await earlier.heard.find('all of them', ({ payload }) => payload.n === 30);
      await close(bystander.client);
      const { heard } = await inRoom(ada.client, topic, { replay: { since, limit: 7 } });
      await server.sql(sqlSend(topic, 'n', { n: 31 }));
      await heard.find('a live one', ({ payload }) => payload.n === 31);
      assert.deepEqual(numbers(heard), upTo(31, 24));
      const rows = await storedIn(topic);
      const ids = rows.slice(-8).map(([id]) => id);
      assert.deepEqual(
        heard.items.map(({ meta }) => meta),
        [...ids.slice(0, 7).map((id) => ({ id, replayed: true })), { id: ids[7] }],
      );
    });

    test('a replay begins at since, leaves out what expired, and keeps commit order', async () => {
      const topic = newRoom();
      const bystander = await signedUp(server, { vsn });
      const earlier = await inRoom(bystander.client, topic);
      await server.sql(sqlSend(topic, 'before', {}));
      await server.sql(`update realtime.messages set inserted_at = inserted_at - interval '1 hour'
                        where topic = '${topic}'`);
      const lock = vsn === '1.0.0' ? 4711 : 4712;
      const commitsLast = server.sql(`
        set statement_timeout = '15s';
        begin;
        ${sqlSend(topic, 'began first', {})}
        select pg_advisory_xact_lock(${lock});
        do $$ begin
          while not exists (select from realtime.messages where topic = '${topic}'
                            and event = 'committed first') loop
            perform pg_sleep(0.01);
          end loop;
        end $$;
        commit;`);
      await until('the first has begun', () =>
        server.value(`select 1 from pg_locks where locktype = 'advisory' and objid = ${lock}`),
      );
      await server.sql(sqlSend(topic, 'committed first', {}));
      await commitsLast;
      for (const event of ['expired', 'passing']) await server.sql(sqlSend(topic, event, {}));
      await server.sql(`
        update realtime.messages
        set expires_at = now() + case event when 'expired' then -1 else 1 end * interval '1 hour'
        where topic = '${topic}' and event in ('expired', 'passing')`);
      await earlier.heard.find('the last', named('passing'));
      await close(bystander.client);
      const since = Date.now() - 60_000;
      const { heard } = await inRoom(ada.client, topic, { replay: { since } });
      await server.sql(sqlSend(topic, 'live', {}));
      await heard.find('a live one', named('live'));
      assert.deepEqual(heard.items.map(({ event }) => event), ['committed first', 'began first', 'passing', 'live']);
    });
  });

describe('persist', () => {
  let ada;
  let bob;
  before(async () => {
    [ada, bob] = [await signedUp(server), await signedUp(server)];
  });
  after(() => close(ada.client, bob.client));

  test('a stored broadcast reaches everybody once, with its id, the sender if it asked', async () => {
    const topic = newRoom();
    const old = await signedUp(server, { vsn: '1.0.0' });
    const rooms = {
      quiet: await inRoom(ada.client, topic),
      other: await inRoom(bob.client, topic, { self: true }),
      old: await inRoom(old.client, topic),
    };
    const from = (who, n, persist) =>
      rooms[who].channel.send({ type: 'broadcast', event: 'n', payload: { n }, persist });
    assert.equal(await from('quiet', 1, true), 'ok');
    assert.equal(await from('other', 2, { ttl: 60 }), 'ok');
    assert.equal(await from('quiet', 3, true), 'ok');
    await server.sql(sqlSend(topic, 'end', {}));
    for (const { heard } of Object.values(rooms)) await heard.find('the end', named('end'));
    assert.deepEqual(numbers(rooms.quiet.heard), [2], 'not its own');
    assert.deepEqual(numbers(rooms.other.heard), [1, 2, 3]);
    assert.deepEqual(numbers(rooms.old.heard), [1, 2, 3]);
    const rows = await storedIn(topic);
    assert.deepEqual(rows.map(([, , expires]) => expires), ['f', 't', 'f', 'f']);
    const ids = rows.map(([id]) => ({ id }));
    assert.deepEqual(rooms.other.heard.items.map(({ meta }) => meta), ids);
    assert.deepEqual(rooms.old.heard.items.map(({ meta }) => meta), ids);
    await close(old.client);
  });

  test('bytes are stored as bytes', async () => {
    const topic = newRoom();
    const { channel } = await inRoom(ada.client, topic);
    const { heard } = await inRoom(bob.client, topic);
    const payload = new Uint8Array([9, 0, 255]).buffer;
    assert.equal(await channel.send({ type: 'broadcast', event: 'raw', payload, persist: true }), 'ok');
    const got = await heard.find('it', named('raw'));
    assert.deepEqual([...new Uint8Array(got.payload)], [9, 0, 255]);
  });

  test('over HTTP, too', async () => {
    const topic = newRoom();
    const { heard } = await inRoom(bob.client, topic);
    const outside = ada.client.channel(topic, { config: { private: true } });
    await ada.client.realtime.setAuth();
    await outside.httpSend('n', { n: 1 }, { persist: true });
    await outside.httpSend('n', { n: 2 }, { persist: { ttl: 60 } });
    await heard.find('the second', ({ payload }) => payload.n === 2);
    assert.deepEqual(numbers(heard), [1, 2]);
    const rows = await storedIn(topic);
    assert.deepEqual(rows.map(([, , expires]) => expires), ['f', 't']);
    assert.deepEqual(heard.items.map(({ meta }) => meta), rows.map(([id]) => ({ id })));
  });

  test('what cannot be stored is told to the asker, and to nobody else', async () => {
    const topic = newRoom();
    const { channel } = await inRoom(ada.client, topic);
    const { heard } = await inRoom(bob.client, topic);
    const failed = await channel.send({
      type: 'broadcast',
      event: 'nul',
      payload: { text: '\u0000' },
      persist: true,
    });
    assert.equal(failed, 'the payload cannot be stored');
    const wrong = await channel.send({
      type: 'broadcast',
      event: 'wrong',
      payload: {},
      persist: { ttl: -1 },
    });
    assert.equal(wrong, 'persist must be true or {"ttl": seconds}, 1 to 259200');
    assert.equal(await channel.send({ type: 'broadcast', event: 'plain', payload: {} }), 'ok');
    await heard.find('the next', named('plain'));
    assert.equal(heard.items.length, 1);
    const { status, json } = await http(
      server,
      `/realtime/v1/api/broadcast/${encodeURIComponent(topic)}/events/nul?private=true&persist=true`,
      {
        method: 'POST',
        token: ada.session.access_token,
        headers: { 'content-type': 'application/json' },
        body: '{"text":"\\u0000"}',
      },
    );
    assert.deepEqual([status, json], [422, { errors: { payload: ['is invalid'] } }]);
  });

  test('a public channel stores nothing', async () => {
    const raw = await RawSocket.open(server);
    const { ref: joinRef } = await raw.join('open', { broadcast: { ack: true } });
    raw.send(
      userBroadcast({
        joinRef,
        ref: '77',
        topic: 'realtime:open',
        event: 'e',
        payload: '{}',
        metadata: '{"persist":true}',
      }),
    );
    const { payload } = await raw.frames.find('the answer', ({ ref }) => ref === '77');
    assert.deepEqual(payload, {
      status: 'error',
      response: { error: 'only private channels store broadcasts' },
    });
    raw.close();
  });
});

describe('joins with a replay', () => {
  test('are refused where it cannot be', async () => {
    for (const vsn of versions) {
      const raw = await RawSocket.open(server, { vsn });
      const reason = async (replay, isPrivate = true) =>
        (await raw.join('x', { isPrivate, token: server.keys.service_key, broadcast: { replay } }))
          .response.reason;
      assert.equal(
        await reason({ since: 1 }, false),
        'UnableToReplayMessages: Replay is not allowed for public channels',
      );
      assert.equal(
        await reason({ since: 'now' }),
        'UnableToReplayMessages: since must be a time in milliseconds',
      );
      assert.equal(
        await reason({ since: 1, limit: 26 }),
        'UnableToReplayMessages: limit must be 1 to 25',
      );
      raw.close();
    }
  });

  test('lose nothing and hear nothing twice while broadcasts are being stored', async () => {
    const topic = newRoom();
    const { client } = await signedUp(server);
    const since = Date.now() - 60_000;
    const last = 600;
    await server.sql(upTo(5).map((n) => sqlSend(topic, 'n', { n })).join('\n'));
    // One transaction each, one after the other: numbers are in commit order.
    const writing = server.sql(
      upTo(last, 6)
        .map((n) => `begin; ${sqlSend(topic, 'n', { n })} commit; select pg_sleep(0.002);`)
        .join('\n'),
    );
    const all = [];
    for (let i = 0; i < 12; ++i) {
      const raw = await RawSocket.open(server, { vsn: versions[i % 2] });
      const { status } = await raw.join(topic, {
        isPrivate: true,
        token: server.keys.service_key,
        broadcast: { replay: { since, limit: 25 } },
      });
      assert.equal(status, 'ok');
      all.push(raw);
    }
    await writing;
    for (const raw of all) {
      const isLast = ({ event, payload }) => event === 'broadcast' && payload.payload.n === last;
      await raw.frames.find('the last one', isLast);
      const got = raw.frames.items
        .filter(({ event }) => event === 'broadcast')
        .map(({ payload }) => payload.payload.n);
      // What the limit cut off and the log had not brought yet comes behind the replay.
      const inOrder = got.toSorted((a, b) => a - b);
      assert.deepEqual(inOrder, upTo(last, inOrder[0]));
      raw.close();
    }
    await close(client);
  });
});

describe('the feed', () => {
  /** Stores broadcasts 1.. until told to stop; gives the last number. */
  function storing(topic) {
    let going = true;
    const done = (async () => {
      let n = 0;
      while (going) await server.sql(sqlSend(topic, 'n', { n: ++n }));
      return n;
    })();
    return () => {
      going = false;
      return done;
    };
  }

  test('loses nothing when it widens for followers of rows', async () => {
    const topic = newRoom();
    const { client } = await signedUp(server);
    const { heard } = await inRoom(client, topic);
    const stop = storing(topic);
    await heard.find('the fifth', ({ payload }) => payload.n === 5);
    const follower = makeClient(server);
    await subscribed(
      follower
        .channel('rows')
        .on('postgres_changes', { event: '*', schema: 'public', table: 'messages' }, () => {}),
    );
    const last = await stop();
    await heard.find('the last', ({ payload }) => payload.n === last);
    assert.deepEqual(numbers(heard), upTo(last));
    await close(client, follower);
  });

  test('loses nothing, and doubles nothing, when its connection breaks', async () => {
    const topic = newRoom();
    const { client } = await signedUp(server);
    const { heard } = await inRoom(client, topic);
    const stop = storing(topic);
    await heard.find('the fifth', ({ payload }) => payload.n === 5);
    await server.sql('select pg_terminate_backend(pid) from pg_stat_replication');
    const so_far = numbers(heard).length;
    await heard.find('some more', ({ payload }) => payload.n === so_far + 10);
    const last = await stop();
    await heard.find('the last', ({ payload }) => payload.n === last);
    assert.deepEqual(numbers(heard), upTo(last));
    await close(client);
  });

  test('brings stored broadcasts to every node', async () => {
    const second = await Server.join(server.directory);
    try {
      const topic = newRoom();
      const { client, email } = await signedUp(server);
      const there = makeClient(second);
      await there.auth.signInWithPassword({ email, password: 'a long enough password' });
      const here = await inRoom(client, topic);
      const afar = await inRoom(there, topic, { replication_ready: true });
      await afar.told.find('the other feed is open', () => true);
      assert.equal(
        await here.channel.send({ type: 'broadcast', event: 'n', payload: { n: 1 }, persist: true }),
        'ok',
      );
      const got = await afar.heard.find('it', named('n'));
      assert.ok(got.meta.id);
      await close(client, there);
    } finally {
      await second.remove();
    }
  });

  test('drops a broadcast that no socket would take, and goes on', async () => {
    const topic = newRoom();
    const { client } = await signedUp(server);
    const { heard } = await inRoom(client, topic);
    await server.sql(`select realtime.send(jsonb_build_object('x', repeat('x', 1100000)), 'big', '${topic}');
                      ${sqlSend(topic, 'small', {})}`);
    await heard.find('the small one', named('small'));
    assert.deepEqual(heard.items.map(({ event }) => event), ['small']);
    await close(client);
  });
});
