// What ends a channel from outside: a session that ends, a limit, a server that stops.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import {
  claimsOf,
  close,
  http,
  makeClient,
  makeToken,
  send,
  signedIn,
  signedUp,
  statuses,
  subscribed,
  versions,
} from './harness/clients.mjs';
import { RawSocket } from './harness/raw_socket.mjs';
import { Server } from './harness/server.mjs';
import { Inbox, second, until, within } from './harness/waiting.mjs';

const promised = 5 * second;
const ended = 'Session was ended';
const refused = `InvalidJWTToken: ${ended}`;

/** A socket of its own that uses a token in a channel, as another tab would. */
async function watch(server, token, name, { isPrivate = true, vsn } = {}) {
  const client = makeClient(server, { vsn });
  await client.realtime.setAuth(token);
  const channel = client.channel(name, { config: { private: isPrivate, broadcast: { ack: true } } });
  const system = new Inbox();
  channel.on('system', {}, (payload) => system.push(payload));
  const states = statuses(channel);
  await states.find('SUBSCRIBED', ({ status }) => status === 'SUBSCRIBED');
  return { client, channel, system, states };
}

/** The channel says why and is closed, within what is promised. */
async function isEnded({ system, states }) {
  await system.find('the reason', (each) => each.status === 'error' && each.message === ended, {
    limit: promised,
  });
  await states.find('CLOSED', ({ status }) => status === 'CLOSED', { limit: promised });
}

/** Still joined, and heard: nothing that was under way can have ended it. */
async function isOpen({ channel, system }) {
  assert.equal(await channel.send({ type: 'broadcast', event: 'typing', payload: {} }), 'ok');
  assert.deepEqual(system.items.filter(({ status }) => status === 'error'), []);
}

async function joinRefused(server, token, name, isPrivate = true) {
  const raw = await RawSocket.open(server);
  const { status, response } = await raw.join(name, { token, isPrivate });
  raw.close();
  return status === 'error' ? response.reason : status;
}

/** An account with a conversation, and a second session of it. */
async function twoDevices(server) {
  const first = await signedUp(server);
  const second = await signedIn(server, first.email);
  const { conversation_id } = await send(first.client, 'hello');
  return { first, second, name: `conversation:${conversation_id}` };
}

describe('a session that ends', () => {
  let server;
  before(async () => {
    server = await Server.start({ 'inference-tokens-per-second': 0, 'auth-refresh-reuse': '1s' });
  });
  after(() => server?.remove());

  for (const vsn of versions)
    test(`signOut local: the session's sockets, not the user's others, protocol ${vsn}`, async () => {
      const { first, second: device, name } = await twoDevices(server);
      const tab = await watch(server, first.session.access_token, name, { vsn });
      const lobby = await watch(server, first.session.access_token, randomUUID(), { isPrivate: false, vsn });
      const kept = await watch(server, device.session.access_token, name, { vsn });
      assert.ifError((await first.client.auth.signOut({ scope: 'local' })).error);
      await Promise.all([isEnded(tab), isEnded(lobby)]);
      await isOpen(kept);
      assert.equal(await joinRefused(server, first.session.access_token, name), refused);
      assert.equal(await joinRefused(server, first.session.access_token, 'lobby', false), refused);
      assert.equal(await joinRefused(server, device.session.access_token, name), 'ok');
      await close(first.client, device.client, tab.client, lobby.client, kept.client);
    });

  test('signOut others: every session but this one', async () => {
    const { first, second: device, name } = await twoDevices(server);
    const tab = await watch(server, first.session.access_token, name);
    const gone = await watch(server, device.session.access_token, name);
    assert.ifError((await first.client.auth.signOut({ scope: 'others' })).error);
    await isEnded(gone);
    await isOpen(tab);
    await close(first.client, device.client, tab.client, gone.client);
  });

  test('signOut global: all of them, and nobody else', async () => {
    const { first, second: device, name } = await twoDevices(server);
    const stranger = await twoDevices(server);
    const tabs = [
      await watch(server, first.session.access_token, name),
      await watch(server, device.session.access_token, name),
    ];
    const kept = await watch(server, stranger.first.session.access_token, stranger.name);
    assert.ifError((await first.client.auth.signOut({ scope: 'global' })).error);
    await Promise.all(tabs.map(isEnded));
    await isOpen(kept);
    await close(first.client, device.client, kept.client, ...tabs.map(({ client }) => client));
  });

  test('an old refresh token that comes back ends the session', async () => {
    const { first, second: device, name } = await twoDevices(server);
    const old = first.session.refresh_token;
    for (let times = 0; times < 2; ++times)
      assert.ifError((await first.client.auth.refreshSession()).error);
    const { data } = await first.client.auth.getSession();
    const tab = await watch(server, data.session.access_token, name);
    await server.sql(`update auth.sessions set refreshed_at = now() - interval '1 hour'`);
    const stolen = await http(server, '/auth/v1/token?grant_type=refresh_token', {
      method: 'POST',
      body: { refresh_token: old },
    });
    assert.equal(stolen.json.error_code ?? stolen.json.code, 'refresh_token_already_used');
    await isEnded(tab);
    await close(first.client, device.client, tab.client);
  });

  test('a ban ends all of a user, and is over when it is lifted', async () => {
    const { first, second: device, name } = await twoDevices(server);
    const tabs = [
      await watch(server, first.session.access_token, name),
      await watch(server, device.session.access_token, name),
    ];
    const where = `where id = '${first.user.id}'`;
    await server.sql(`update auth.users set banned_until = now() + interval '1 day' ${where}`);
    await Promise.all(tabs.map(isEnded));
    assert.equal(await joinRefused(server, first.session.access_token, name), refused);
    await server.sql(`update auth.users set banned_until = null ${where}`);
    await until('the user may come in again', async () => {
      return (await joinRefused(server, first.session.access_token, name)) === 'ok';
    }, promised);
    await close(first.client, device.client, ...tabs.map(({ client }) => client));
  });

  test('a user who is deleted is gone from public channels, too', async () => {
    const { first, second: device, name } = await twoDevices(server);
    const tabs = [
      await watch(server, first.session.access_token, name),
      await watch(server, device.session.access_token, randomUUID(), { isPrivate: false }),
    ];
    await server.sql(`delete from auth.users where id = '${first.user.id}'`);
    await Promise.all(tabs.map(isEnded));
    await close(first.client, device.client, ...tabs.map(({ client }) => client));
  });

  test('what is sent over its channel is refused and not stored', async () => {
    const { first, second: device, name } = await twoDevices(server);
    const raw = await RawSocket.open(server);
    const { ref, status } = await raw.join(name, { token: first.session.access_token, isPrivate: true });
    assert.equal(status, 'ok');
    assert.ifError((await first.client.auth.signOut({ scope: 'local' })).error);
    const topic = `realtime:${name}`;
    await raw.frames.find('phx_close', (each) => each.topic === topic && each.event === 'phx_close', {
      limit: promised,
    });
    const text = randomUUID();
    const answer = await raw.ask(
      topic,
      'broadcast',
      { type: 'broadcast', event: 'message.send', payload: { content: text } },
      ref,
    );
    assert.equal(answer.status, 'error');
    assert.equal(await server.value(`select count(*) from public.messages where content = '${text}'`), '0');
    raw.close();
    await close(first.client, device.client);
  });

  test('a token that expires ends the channel of a client that only listens', async () => {
    const { first, second: device, name } = await twoDevices(server);
    const claims = claimsOf(first.session.access_token);
    const token = makeToken(server.keys.jwt_secret, { ...claims, exp: Math.floor(Date.now() / 1000) + 2 });
    const raw = await RawSocket.open(server);
    assert.equal((await raw.join(name, { token, isPrivate: true })).status, 'ok');
    await raw.frames.find('the reason', ({ payload }) => payload.message === 'Token has expired');
    await raw.frames.find('phx_close', ({ event }) => event === 'phx_close');
    raw.close();
    await close(first.client, device.client);
  });

  test('its token still reads over HTTP until it expires', async () => {
    const { first, second: device } = await twoDevices(server);
    assert.ifError((await first.client.auth.signOut({ scope: 'local' })).error);
    const token = first.session.access_token;
    assert.equal((await http(server, '/rest/v1/messages?select=id', { token })).status, 200);
    assert.equal((await http(server, '/auth/v1/user', { token })).status, 403);
    await close(first.client, device.client);
  });

  test('while the log was not read: found when it is read again', async () => {
    const { first, second: device, name } = await twoDevices(server);
    const tab = await watch(server, first.session.access_token, name);
    const kept = await watch(server, device.session.access_token, name);
    const { session_id } = claimsOf(first.session.access_token);
    // In one transaction: the reader is gone before the end is written.
    await server.sql(`begin;
      select pg_terminate_backend(active_pid, 5000) from pg_replication_slots where active_pid is not null;
      delete from auth.sessions where id = '${session_id}';
      commit`);
    await isEnded(tab);
    await isOpen(kept);
    await close(first.client, device.client, tab.client, kept.client);
  });

  test('a server that was started again refuses its token', async () => {
    const { first, second: device, name } = await twoDevices(server);
    assert.ifError((await first.client.auth.signOut({ scope: 'local' })).error);
    await server.stop();
    await server.startAgain();
    assert.equal(await joinRefused(server, first.session.access_token, name), refused);
    assert.equal(await joinRefused(server, first.session.access_token, 'lobby', false), refused);
    assert.equal(await joinRefused(server, device.session.access_token, name), 'ok');
    await close(first.client, device.client);
  });

  test('every node hears of it', async () => {
    const other = await Server.join(server.directory, { 'inference-tokens-per-second': 0 });
    try {
      const { first, second: device, name } = await twoDevices(server);
      const tabs = [
        await watch(server, first.session.access_token, name),
        await watch(other, first.session.access_token, name),
      ];
      assert.ifError((await first.client.auth.signOut({ scope: 'local' })).error);
      await Promise.all(tabs.map(isEnded));
      await close(first.client, device.client, ...tabs.map(({ client }) => client));
    } finally {
      await other.remove();
    }
  });
});

describe('limits', () => {
  let server;
  before(async () => {
    server = await Server.start({
      'realtime-channels-per-socket': 3,
      'realtime-joins-per-second': 5,
      'realtime-events-per-second': 5,
      'realtime-user-events-per-second': 8,
      'realtime-payload-bytes': 2000,
      'realtime-bytes-per-second': 6000,
      'realtime-max-clients': 4,
    });
    await server.sql(`create table public.followed (id int primary key);
      create table public.keyless (id int);
      grant all on public.followed, public.keyless to anon, authenticated;
      alter publication supabase_realtime add table public.followed, public.keyless`);
  });
  after(() => server?.remove());

  const open = async (name, options) => {
    const client = makeClient(server, options);
    const channel = client.channel(name, { config: { broadcast: { ack: true } } });
    const system = new Inbox();
    channel.on('system', {}, (payload) => system.push(payload));
    await subscribed(channel);
    return { client, channel, system };
  };

  test('a payload over the limit: the sender is told', async () => {
    const { client, channel } = await open(randomUUID());
    const big = { text: 'x'.repeat(2000) };
    assert.equal(await channel.send({ type: 'broadcast', event: 'big', payload: big }), 'error');
    assert.equal(await channel.send({ type: 'broadcast', event: 'small', payload: {} }), 'ok');
    await close(client);
  });

  test('too many events: the reason, and the channel is closed', async () => {
    const { client, channel, system } = await open(randomUUID());
    for (let i = 0; i < 20; ++i) void channel.send({ type: 'broadcast', event: 'x', payload: {} });
    const { message } = await system.find('the reason', ({ status }) => status === 'error');
    assert.equal(message, 'Too many messages per second');
    await until('closed', () => channel.state === 'closed');
    await close(client);
  });

  test('too many bytes: the reason, and the channel is closed', async () => {
    const { client, channel, system } = await open(randomUUID());
    const text = 'x'.repeat(1900);
    const push = () => channel.send({ type: 'broadcast', event: 'x', payload: { text } });
    for (let i = 0; i < 4; ++i) void push(); // four fit into a second's events, not into its bytes
    const { message } = await system.find('the reason', ({ status }) => status === 'error');
    assert.equal(message, 'Too many bytes per second');
    await close(client);
  });

  test("a user's sockets share their events", async () => {
    const { client, session } = await signedUp(server);
    const sockets = [await RawSocket.open(server), await RawSocket.open(server)];
    const topic = 'realtime:shared';
    for (const raw of sockets)
      assert.equal((await raw.join('shared', { token: session.access_token })).status, 'ok');
    const reasons = () =>
      sockets.flatMap((raw) => raw.frames.items.filter(({ event }) => event === 'system').map(({ payload }) => payload.message));
    // Each stays under its own five; nine of both within one second are over eight.
    await until('the shared limit', async () => {
      for (const raw of sockets)
        for (let i = 0; i < 5; ++i)
          raw.push(topic, 'broadcast', { type: 'broadcast', event: 'x', payload: {} });
      await Promise.all(sockets.map((raw) => raw.beat()));
      return reasons().length > 0;
    }, promised, 1100);
    assert.deepEqual(new Set(reasons()), new Set(['Too many messages per second']));
    for (const raw of sockets) raw.close();
    await close(client);
  });

  test('too many channels, then too many joins: refused, then the socket is closed', async () => {
    const raw = await RawSocket.open(server);
    const answers = [];
    for (let i = 0; i < 3; ++i) answers.push((await raw.join(`room-${i}`)).status);
    assert.deepEqual(answers, ['ok', 'ok', 'ok']);
    assert.equal((await raw.join('room-4')).response.reason, 'ChannelRateLimitReached: Too many channels');
    for (let i = 0; i < 12; ++i) raw.push('realtime:room-0', 'phx_join', {});
    const late = await raw.frames.find(
      'a refusal',
      ({ payload }) => payload.response?.reason === 'ClientJoinRateLimitReached: Too many joins per second',
    );
    assert.equal(late.payload.status, 'error');
    await within(promised, 'the socket is closed', raw.closed);
  });

  test('too many clients: refused until one leaves', async () => {
    const sockets = [];
    for (let i = 0; i < 4; ++i) {
      sockets.push(await RawSocket.open(server));
      await until('a place', async () => (await sockets[i].join('crowd')).status === 'ok', promised, 300);
    }
    const late = await RawSocket.open(server);
    assert.equal(
      (await late.join('crowd')).response.reason,
      'ConnectionRateLimitReached: Too many connected users',
    );
    sockets[0].close();
    await until('a place is free', async () => (await late.join('crowd')).status === 'ok', promised, 300);
    for (const raw of [...sockets, late]) raw.close();
  });

  test('a join that waits for changes of a table that is not published is refused', async () => {
    const raw = await RawSocket.open(server);
    const follow = (table, wait) =>
      until('a place', async () => {
        const answer = await raw.join(`follow-${table}`, {
          postgres_changes: [{ event: '*', schema: 'public', table }],
          postgres_changes_options: { wait, timeout: 5000 },
        });
        return /ConnectionRate/.test(answer.response.reason) ? null : answer;
      }, promised, 300);
    assert.equal((await follow('followed', true)).status, 'ok');
    assert.equal((await follow('messages_of_nobody', false)).status, 'ok');
    const { status, response } = await follow('nowhere', true);
    assert.equal(status, 'error');
    assert.match(response.reason, /^RealtimeDisabledForConfiguration: Unable to subscribe to changes/);
    raw.close();
  });

  test('a table without a primary key: the client is told, not the row', async () => {
    const client = makeClient(server);
    const heard = new Inbox();
    const channel = client.channel(randomUUID());
    channel.on('postgres_changes', { event: '*', schema: 'public', table: 'keyless' }, (change) => heard.push(change));
    const system = new Inbox();
    channel.on('system', {}, (payload) => system.push(payload));
    await subscribed(channel);
    await system.find('the subscription', ({ extension }) => extension === 'postgres_changes');
    await server.sql('insert into public.keyless values (7)');
    const change = await heard.find('the insert', ({ eventType }) => eventType === 'INSERT');
    assert.deepEqual(change.errors, ['Error 400: Bad Request, no primary key']);
    assert.deepEqual(change.new, {});
    await close(client);
  });
});

test('public channels can be switched off', async () => {
  const server = await Server.start({ 'realtime-public-channels': 'false' });
  try {
    const client = makeClient(server);
    const states = statuses(client.channel('lobby'));
    const { error } = await states.find('an error', ({ status }) => status === 'CHANNEL_ERROR');
    assert.match(error, /PrivateOnly: This project only allows private channels/);
    const { client: user, session } = await signedUp(server);
    const { conversation_id } = await send(user, 'hello');
    const raw = await RawSocket.open(server);
    const { status } = await raw.join(`conversation:${conversation_id}`, {
      token: session.access_token,
      isPrivate: true,
    });
    assert.equal(status, 'ok');
    raw.close();
    await close(client, user);
  } finally {
    await server.remove();
  }
});

for (const vsn of versions)
  test(`a server that stops says goodbye and the client comes back, protocol ${vsn}`, async () => {
    const server = await Server.start();
    try {
      const client = makeClient(server, { vsn });
      const channel = client.channel('lobby');
      const system = new Inbox();
      channel.on('system', {}, (payload) => system.push(payload));
      const states = statuses(channel);
      await states.find('SUBSCRIBED', ({ status }) => status === 'SUBSCRIBED');
      const raw = await RawSocket.open(server, { vsn });
      await server.stop();
      const bye = await system.find('the goodbye', ({ message }) => message === 'Server requested disconnect');
      assert.equal(bye.status, 'ok');
      assert.equal(bye.channel, 'lobby');
      assert.equal((await within(promised, 'the socket is closed', raw.closed)).code, 1012);
      const from = states.items.length;
      await server.startAgain();
      await states.find('SUBSCRIBED again', ({ status }) => status === 'SUBSCRIBED', { from, limit: 30 * second });
      await close(client);
    } finally {
      await server.remove();
    }
  });
