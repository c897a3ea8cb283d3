// Presence with the real client in both protocol versions: who is here, and who is not.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  close,
  makeClient,
  send,
  signedIn,
  signedUp,
  statuses,
  subscribed,
  versions,
} from './harness/clients.mjs';
import { RawSocket } from './harness/raw_socket.mjs';
import { Server } from './harness/server.mjs';
import { Inbox, until } from './harness/waiting.mjs';

const callLimit = 20;

let server;
before(async () => {
  server = await Server.start({ 'realtime-presence-per-channel': callLimit });
});
after(() => server?.remove());

const newTopic = () => `room:${crypto.randomUUID()}`;

/** Joins with a presence listener: {channel, seen}, `seen` holds its events in order. */
async function present(client, topic, key = '', config = {}) {
  const seen = new Inbox();
  const channel = client.channel(topic, { config: { presence: { key }, ...config } });
  for (const event of ['sync', 'join', 'leave'])
    channel.on('presence', { event }, (message) => seen.push(message));
  await subscribed(channel);
  return { channel, seen };
}

/** As docs tell frontends to: the token first. */
async function presentInConversation(client, id, key) {
  await client.auth.getSession();
  await client.realtime.setAuth();
  return present(client, `conversation:${id}`, key, { private: true });
}

const joinOf = (key) => (message) => message.event === 'join' && message.key === key;
const leaveOf = (key) => (message) => message.event === 'leave' && message.key === key;

/** What a channel knows of a key, without references. */
const shown = (channel, key) =>
  (channel.presenceState()[key] ?? []).map(({ presence_ref, ...rest }) => rest);

const keys = (channel) => Object.keys(channel.presenceState()).sort();

/** Waits until the channel's own state has these keys. */
const untilKeys = (channel, ...wanted) =>
  until(`the state is ${wanted}`, () => keys(channel).join() === wanted.sort().join());

for (const vsn of versions)
  describe(`protocol ${vsn}, the real client`, () => {
    let client;
    let other;
    before(() => {
      [client, other] = [makeClient(server, { vsn }), makeClient(server, { vsn })];
    });
    after(() => close(client, other));

    test('two clients see each other come, change and go', async () => {
      const topic = newTopic();
      const ada = await present(client, topic, 'ada');
      const bob = await present(other, topic, 'bob');
      await ada.seen.find('the empty state', ({ event }) => event === 'sync');
      assert.equal(await ada.channel.track({ name: 'Adä', at: 1 }), 'ok');
      for (const { seen } of [ada, bob]) {
        const { newPresences, currentPresences } = await seen.find('ada', joinOf('ada'));
        assert.equal(newPresences.length, 1);
        assert.equal(newPresences[0].name, 'Adä');
        assert.ok(newPresences[0].presence_ref);
        assert.deepEqual(currentPresences, []);
      }
      assert.equal(await bob.channel.track({ name: 'Bob' }), 'ok');
      await ada.seen.find('bob', joinOf('bob'));
      await Promise.all([ada, bob].map(({ channel }) => untilKeys(channel, 'ada', 'bob')));

      const from = bob.seen.items.length;
      assert.equal(await ada.channel.track({ name: 'Adä', at: 2 }), 'ok');
      const join = await bob.seen.find('the change', joinOf('ada'), { from });
      const leave = await bob.seen.find('what was', leaveOf('ada'), { from });
      assert.equal(join.newPresences[0].at, 2);
      assert.notEqual(join.newPresences[0].presence_ref, leave.leftPresences[0].presence_ref);
      assert.equal(leave.leftPresences[0].at, 1);
      await until('the new one only', () => shown(bob.channel, 'ada').length === 1);
      assert.deepEqual(shown(bob.channel, 'ada'), [{ name: 'Adä', at: 2 }]);

      const then = bob.seen.items.length;
      assert.equal(await ada.channel.untrack(), 'ok');
      await bob.seen.find('ada is gone', leaveOf('ada'), { from: then });
      await Promise.all([ada, bob].map(({ channel }) => untilKeys(channel, 'bob')));
      await client.removeChannel(ada.channel);
      await other.removeChannel(bob.channel);
    });

    test('a key with two sockets is there until the last one leaves', async () => {
      const topic = newTopic();
      const phone = makeClient(server, { vsn });
      const desk = await present(client, topic, 'ada');
      const mobile = await present(phone, topic, 'ada');
      const bob = await present(other, topic, 'bob');
      await desk.channel.track({ on: 'desk' });
      await mobile.channel.track({ on: 'phone' });
      await until('both', () => shown(bob.channel, 'ada').length === 2);
      assert.deepEqual(
        shown(bob.channel, 'ada').map(({ on }) => on).sort(),
        ['desk', 'phone'],
      );
      await client.removeChannel(desk.channel);
      await until('one is left', () => shown(bob.channel, 'ada').length === 1);
      assert.deepEqual(shown(bob.channel, 'ada'), [{ on: 'phone' }]);
      await close(phone);
      await untilKeys(bob.channel);
      await other.removeChannel(bob.channel);
    });

    test('who comes late gets the state at once, and who leaves is not in it', async () => {
      const topic = newTopic();
      const ada = await present(client, topic, 'ada');
      await ada.channel.track({ n: 1 });
      const bob = await present(other, topic, 'bob');
      await bob.seen.find('a sync', ({ event }) => event === 'sync');
      assert.deepEqual(shown(bob.channel, 'ada'), [{ n: 1 }]);
      await other.removeChannel(bob.channel);
      await client.removeChannel(ada.channel);
      const late = await present(other, topic, 'late');
      await late.seen.find('a sync', ({ event }) => event === 'sync');
      assert.deepEqual(late.channel.presenceState(), {});
      await other.removeChannel(late.channel);
    });

    test('without a key each socket has one of its own', async () => {
      const topic = newTopic();
      const [ada, bob] = [await present(client, topic), await present(other, topic)];
      await ada.channel.track({ name: 'ada' });
      await bob.channel.track({ name: 'bob' });
      await until('two', () => keys(ada.channel).length === 2);
      for (const key of keys(ada.channel)) assert.match(key, /^[0-9a-f-]{36}$/);
      await client.removeChannel(ada.channel);
      await other.removeChannel(bob.channel);
    });

    test('who does not listen is seen, and is sent nothing', async () => {
      const topic = newTopic();
      const ada = await present(client, topic, 'ada');
      const raw = await RawSocket.open(server, { vsn });
      const joined = await raw.join(topic, { presence: { key: 'silent', enabled: false } });
      const { status, response } = await raw.ask(
        `realtime:${topic}`,
        'presence',
        { type: 'presence', event: 'track', payload: { n: 1 } },
        joined.ref,
      );
      assert.deepEqual([status, response], ['ok', {}]);
      await ada.seen.find('the silent one', joinOf('silent'));
      await ada.channel.track({});
      assert.ok(await raw.beat());
      assert.deepEqual(
        raw.frames.items.filter(({ event }) => event.startsWith('presence')),
        [],
      );
      raw.close();
      await ada.seen.find('it left', leaveOf('silent'));
      await client.removeChannel(ada.channel);
    });

    test('a socket that is cut without a close is gone for the others', async () => {
      const topic = newTopic();
      const ada = await present(client, topic, 'ada');
      const raw = await RawSocket.open(server, { vsn });
      const joined = await raw.join(topic, { presence: { key: 'cut', enabled: true } });
      raw.push(
        `realtime:${topic}`,
        'presence',
        { type: 'presence', event: 'track', payload: {} },
        joined.ref,
      );
      await ada.seen.find('it joins', joinOf('cut'));
      raw.terminate();
      await ada.seen.find('it is gone', leaveOf('cut'));
      await untilKeys(ada.channel);
      await client.removeChannel(ada.channel);
    });

    test('a conversation shows its owner on all devices, and nobody else looks', async () => {
      const { client: owner, email } = await signedUp(server, { vsn });
      const { client: device } = await signedIn(server, email, { vsn });
      const { client: stranger } = await signedUp(server, { vsn });
      const { conversation_id } = await send(owner, 'Hello');
      const here = await presentInConversation(owner, conversation_id, 'owner');
      const there = await presentInConversation(device, conversation_id, 'owner');
      assert.equal(await here.channel.track({ on: 'desk' }), 'ok');
      assert.equal(await there.channel.track({ on: 'phone' }), 'ok');
      await until('both', () => shown(here.channel, 'owner').length === 2);

      const outside = await present(client, `conversation:${conversation_id}`, 'guest');
      await outside.seen.find('a sync', ({ event }) => event === 'sync');
      assert.deepEqual(outside.channel.presenceState(), {}, 'the public room is another');
      await stranger.realtime.setAuth();
      const told = statuses(
        stranger
          .channel(`conversation:${conversation_id}`, { config: { private: true } })
          .on('presence', { event: 'sync' }, () => {}),
      );
      const { status, error } = await told.find('an answer', () => true);
      assert.equal(status, 'CHANNEL_ERROR');
      assert.match(error, /^Unauthorized/);
      await client.removeChannel(outside.channel);
      await close(owner, device, stranger);
    });

    test('what is no object is refused; too many calls close the channel', async () => {
      const topic = newTopic();
      const watcher = await present(client, topic, 'watcher');
      const raw = await RawSocket.open(server, { vsn });
      const joined = await raw.join(topic, { presence: { key: 'busy', enabled: true } });
      const track = (payload) =>
        raw.ask(
          `realtime:${topic}`,
          'presence',
          { type: 'presence', event: 'track', payload },
          joined.ref,
        );
      for (const bad of [7, 'text', [], null]) {
        const { status, response } = await track(bad);
        assert.equal(status, 'error');
        assert.equal(response.reason, 'Presence track payload must be a map');
      }
      const large = await track({ text: 'x'.repeat(20_000) });
      assert.match(large.response.reason, /^payload_size_exceeded/);
      for (let i = 5; i < callLimit; ++i) assert.equal((await track({ i })).status, 'ok');
      raw.push(
        `realtime:${topic}`,
        'presence',
        { type: 'presence', event: 'untrack' },
        joined.ref,
      );
      const told = await raw.frames.find('why', ({ event }) => event === 'system');
      assert.equal(told.payload.message, 'Too many presence messages per second');
      await raw.frames.find('the end', ({ event }) => event === 'phx_close');
      await watcher.seen.find('it is gone', leaveOf('busy'));
      assert.ok(await raw.beat(), 'the socket goes on');
      raw.close();
      await client.removeChannel(watcher.channel);
    });
  });

test('both versions see each other', async () => {
  const clients = versions.map((vsn) => makeClient(server, { vsn }));
  const topic = newTopic();
  const [old, now] = [await present(clients[0], topic, 'old'), await present(clients[1], topic, 'now')];
  await old.channel.track({ n: 1 });
  await now.channel.track({ n: 2 });
  for (const { channel } of [old, now]) await untilKeys(channel, 'old', 'now');
  assert.deepEqual([shown(now.channel, 'old'), shown(old.channel, 'now')], [[{ n: 1 }], [{ n: 2 }]]);
  await close(...clients);
});
