// Realtime with the real client in both protocol versions: joins, broadcasts, rights, tokens.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  close,
  joinConversation,
  makeClient,
  send,
  signedUp,
  statuses,
  subscribed,
  versions,
} from './harness/clients.mjs';
import { RawSocket } from './harness/raw_socket.mjs';
import { replyEnd } from './harness/replies.mjs';
import { Server } from './harness/server.mjs';
import { Inbox, patience, until, within } from './harness/waiting.mjs';

let server;
before(async () => {
  server = await Server.start();
});
after(() => server?.remove());

const newTopic = () => `room:${crypto.randomUUID()}`;

async function listener(client, topic, config = {}) {
  const heard = new Inbox();
  const channel = client.channel(topic, { config });
  channel.on('broadcast', { event: '*' }, (message) => heard.push(message));
  await subscribed(channel);
  return { channel, heard };
}

const say = (channel, event, payload) => channel.send({ type: 'broadcast', event, payload });

for (const vsn of versions)
  describe(`protocol ${vsn}, the real client`, () => {
    let client;
    let other;
    before(() => {
      [client, other] = [makeClient(server, { vsn }), makeClient(server, { vsn })];
    });
    after(() => close(client, other));

    test('joins, leaves, and joins again', async () => {
      const topic = newTopic();
      const channel = client.channel(topic);
      const told = statuses(channel);
      await told.find('SUBSCRIBED', ({ status }) => status === 'SUBSCRIBED');
      assert.equal(await client.removeChannel(channel), 'ok');
      await told.find('CLOSED', ({ status }) => status === 'CLOSED');
      await subscribed(client.channel(topic));
    });

    test('a broadcast reaches the others, and the sender only when asked', async () => {
      const topic = newTopic();
      const ours = await listener(client, topic, { broadcast: { self: false, ack: true } });
      const theirs = await listener(other, topic, { broadcast: { self: true, ack: true } });
      assert.equal(await say(ours.channel, 'hello', { text: 'hé', n: 1 }), 'ok');
      const got = await theirs.heard.find('hello', ({ event }) => event === 'hello');
      assert.deepEqual(got.payload, { text: 'hé', n: 1 });

      assert.equal(await say(theirs.channel, 'back', { n: 2 }), 'ok');
      await theirs.heard.find('its own', ({ event }) => event === 'back');
      await ours.heard.find('back', ({ event }) => event === 'back');
      assert.deepEqual(ours.heard.items.map(({ event }) => event), ['back']);
    });

    test('public and private channels of one name are different rooms', async () => {
      const { client: owner } = await signedUp(server, { vsn });
      const { conversation_id } = await send(owner, 'Hello');
      const { channel } = await joinConversation(owner, conversation_id);
      const outside = await listener(client, `conversation:${conversation_id}`);
      assert.equal(await say(channel, 'typing', {}), 'ok');
      const inside = await listener(other, `conversation:${conversation_id}`, {
        broadcast: { self: true },
      });
      await say(inside.channel, 'marker', {});
      await outside.heard.find('marker', ({ event }) => event === 'marker');
      assert.deepEqual(outside.heard.items.map(({ event }) => event), ['marker']);
      await close(owner);
    });

    test("one's own conversation may be joined, no other and no unknown one", async () => {
      const { client: owner } = await signedUp(server, { vsn });
      const { client: stranger } = await signedUp(server, { vsn });
      const { conversation_id } = await send(owner, 'Hello');
      await joinConversation(owner, conversation_id);
      for (const topic of [
        `conversation:${conversation_id}`,
        `conversation:${crypto.randomUUID()}`,
        'conversation:nonsense',
        'something else',
      ]) {
        await stranger.realtime.setAuth();
        const told = statuses(stranger.channel(topic, { config: { private: true } }));
        const { status, error } = await told.find('an answer', () => true);
        assert.equal(status, 'CHANNEL_ERROR', topic);
        assert.equal(
          error,
          `Unauthorized: You do not have permissions to read from this Channel topic: ${topic}`,
        );
      }
      const guest = statuses(
        client.channel(`conversation:${conversation_id}`, { config: { private: true } }),
      );
      assert.equal((await guest.find('an answer', () => true)).status, 'CHANNEL_ERROR');
      await close(owner, stranger);
    });

    test('a new access token while joined keeps the channel', async () => {
      const { client: owner, session } = await signedUp(server, { vsn });
      const { conversation_id } = await send(owner, 'Hello');
      const { channel, events } = await joinConversation(owner, conversation_id);
      await until('the token is another one', async () => {
        const { data } = await owner.auth.refreshSession(); // the same within one second
        return data.session.access_token !== session.access_token;
      });
      await owner.realtime.setAuth();
      const { reply_id } = await send(owner, 'Still here?', { conversation_id });
      await replyEnd(events, reply_id);
      assert.equal(await say(channel, 'typing', {}), 'ok');
      await close(owner);
    });

    test('nobody can pretend to be the server on a conversation', async () => {
      const { client: owner } = await signedUp(server, { vsn });
      const first = await send(owner, 'Hello');
      const { channel, events } = await joinConversation(owner, first.conversation_id);
      await replyEnd(events, first.reply_id);
      for (const event of ['reply.delta', 'reply.completed', 'reply.anything'])
        assert.equal(await say(channel, event, { id: first.reply_id, text: 'forged' }), 'error');
      await close(owner);
    });

    test('presence and postgres_changes answer, one way or the other', async () => {
      const channel = client.channel(newTopic(), { config: { presence: { key: 'me' } } });
      channel.on('presence', { event: 'sync' }, () => {});
      await subscribed(channel);
      const tracked = await within(patience, 'track', channel.track({ name: 'me' }));
      assert.ok(['ok', 'error'].includes(tracked), `track: ${tracked}`);

      const changes = client
        .channel(newTopic())
        .on('postgres_changes', { event: '*', schema: 'public', table: 'messages' }, () => {});
      const { status } = await statuses(changes).find('an answer', () => true);
      assert.ok(['SUBSCRIBED', 'CHANNEL_ERROR'].includes(status), status);
      await client.removeChannel(changes);
    });

    test('message.send answers with the ids, and refuses what cannot be sent', async () => {
      const { client: owner, session } = await signedUp(server, { vsn });
      const { conversation_id } = await send(owner, 'Hello');
      const raw = await RawSocket.open(server, { vsn });
      const name = `conversation:${conversation_id}`;
      const joined = await raw.join(name, {
        token: session.access_token,
        isPrivate: true,
        broadcast: { ack: true, self: false },
      });
      assert.equal(joined.status, 'ok');
      const tell = (payload) =>
        raw.ask(
          `realtime:${name}`,
          'broadcast',
          { type: 'broadcast', event: 'message.send', payload },
          joined.ref,
        );
      const message = { client_id: crypto.randomUUID(), content: 'Over the socket' };
      const { status, response } = await tell(message);
      assert.equal(status, 'ok');
      assert.equal(response.conversation_id, conversation_id);
      assert.equal(response.topic, name);
      const [row] = await server.sql(
        `select content, client_id from public.messages where id = '${response.message_id}'`,
      );
      assert.deepEqual(row, [message.content, message.client_id]);
      assert.deepEqual((await tell(message)).response, response, 'a repetition');

      for (const bad of [{ content: '' }, {}, { content: 7 }])
        assert.equal((await tell(bad)).status, 'error', JSON.stringify(bad));
      raw.close();
      await close(owner);
    });
  });

describe('both versions together', () => {
  test('a broadcast of one is understood by the other', async () => {
    const clients = versions.map((vsn) => makeClient(server, { vsn }));
    const topic = newTopic();
    const [old, now] = [await listener(clients[0], topic), await listener(clients[1], topic)];
    await say(old.channel, 'from-old', { n: 1 });
    await say(now.channel, 'from-now', { n: 2 });
    const atNow = await now.heard.find('from-old', ({ event }) => event === 'from-old');
    const atOld = await old.heard.find('from-now', ({ event }) => event === 'from-now');
    assert.deepEqual([atNow.payload, atOld.payload], [{ n: 1 }, { n: 2 }]);
    await close(...clients);
  });

  test('bytes reach those who can take them, and only those', async () => {
    const clients = ['2.0.0', '2.0.0', '1.0.0'].map((vsn) => makeClient(server, { vsn }));
    const topic = newTopic();
    const [from, to, old] = await Promise.all(clients.map((each) => listener(each, topic)));
    await say(from.channel, 'raw', new Uint8Array([1, 2, 255]).buffer);
    await say(from.channel, 'after', { n: 1 });
    const { payload } = await to.heard.find('raw', ({ event }) => event === 'raw');
    assert.deepEqual([...new Uint8Array(payload)], [1, 2, 255]);
    await old.heard.find('after', ({ event }) => event === 'after');
    assert.deepEqual(old.heard.items.map(({ event }) => event), ['after']);
    await close(...clients);
  });
});
