// Broadcasts over HTTP with the real client: httpSend, send before a join, and the exact answers.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  close,
  http,
  makeClient,
  makeToken,
  send,
  signedUp,
  subscribed,
  versions,
} from './harness/clients.mjs';
import { RawSocket } from './harness/raw_socket.mjs';
import { Server } from './harness/server.mjs';
import { Inbox } from './harness/waiting.mjs';

let server;
before(async () => {
  server = await Server.start();
});
after(() => server?.remove());

const newTopic = () => `room:${crypto.randomUUID()}`;

/** A joined channel and what it hears. */
async function listening(client, topic, config = {}) {
  const heard = new Inbox();
  const channel = client.channel(topic, { config });
  channel.on('broadcast', { event: '*' }, (message) => heard.push(message));
  await subscribed(channel);
  return { channel, heard };
}

async function listeningToConversation(client, id) {
  await client.auth.getSession();
  await client.realtime.setAuth();
  return listening(client, `conversation:${id}`, { private: true });
}

const named = (event) => (message) => message.event === event;

const post = (path, { type = 'application/json', body, ...more }) =>
  http(server, `/realtime/v1/api/broadcast${path}`, {
    method: 'POST',
    headers: { 'content-type': type },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...more,
  });

for (const vsn of versions)
  describe(`protocol ${vsn}, the real client`, () => {
    let client;
    let sender;
    before(() => {
      [client, sender] = [makeClient(server, { vsn }), makeClient(server, { vsn })];
    });
    after(() => close(client, sender));

    test('httpSend reaches the members of a public channel', async () => {
      const topic = `${newTopic()} ä/events/+`;
      const { heard } = await listening(client, topic);
      const outside = sender.channel(topic);
      assert.deepEqual(await outside.httpSend('grüße', { n: 1, text: 'hé' }), { success: true });
      const got = await heard.find('the broadcast', named('grüße'));
      assert.deepEqual(got.payload, { n: 1, text: 'hé' });
      assert.equal(got.meta, undefined, 'it is not stored');
    });

    test('httpSend of bytes reaches those who can read them', async () => {
      const topic = newTopic();
      const { heard } = await listening(client, topic);
      const outside = sender.channel(topic);
      await outside.httpSend('raw', new Uint8Array([1, 2, 0, 255]).buffer);
      await outside.httpSend('after', {});
      await heard.find('what follows', named('after'));
      const raw = heard.items.find(named('raw'));
      if (vsn === '1.0.0') assert.equal(raw, undefined);
      else assert.deepEqual([...new Uint8Array(raw.payload)], [1, 2, 0, 255]);
    });

    test('send before a join goes over HTTP', async () => {
      const topic = newTopic();
      const { heard } = await listening(client, topic);
      const outside = sender.channel(topic);
      const sent = await outside.send({ type: 'broadcast', event: 'early', payload: { a: 1 } });
      assert.equal(sent, 'ok');
      assert.deepEqual((await heard.find('it', named('early'))).payload, { a: 1 });
    });

    test('a private channel takes what its policies allow, and nothing else', async () => {
      const ada = await signedUp(server, { vsn });
      const bob = await signedUp(server, { vsn });
      const { conversation_id } = await send(ada.client, 'Hello');
      const topic = `conversation:${conversation_id}`;
      const { heard } = await listeningToConversation(ada.client, conversation_id);

      const theirs = bob.client.channel(topic, { config: { private: true } });
      await bob.client.realtime.setAuth();
      await assert.rejects(theirs.httpSend('spoof', {}), /Unauthorized/);
      // A batch drops it without a word.
      assert.equal(await theirs.send({ type: 'broadcast', event: 'spoof', payload: {} }), 'ok');
      // The public channel of the same name is another room.
      const open = await post(`/${encodeURIComponent(topic)}/events/spoof`, { body: {} });
      assert.equal(open.status, 202);

      const answer = await post(`/${encodeURIComponent(topic)}/events/typing?private=true`, {
        token: ada.session.access_token,
        body: { on: true },
      });
      assert.equal(answer.status, 202);
      assert.deepEqual((await heard.find('typing', named('typing'))).payload, { on: true });
      assert.equal(heard.items.find(named('spoof')), undefined);
      await close(ada.client, bob.client);
    });

    test('nobody but the server sends the events of a reply', async () => {
      const ada = await signedUp(server, { vsn });
      const { conversation_id } = await send(ada.client, 'Hello');
      const at = `/${encodeURIComponent(`conversation:${conversation_id}`)}/events`;
      for (const event of ['reply.delta', 'reply.completed', 'message.send', 'reply.stop']) {
        const { status, json } = await post(`${at}/${event}?private=true`, {
          token: ada.session.access_token,
          body: {},
        });
        assert.deepEqual([status, json], [403, { message: 'Unauthorized' }], event);
      }
      await close(ada.client);
    });
  });

describe('the exact answers', () => {
  test('202 without a body, whether anybody listens or not', async () => {
    const one = await post('/nobody/events/e', { body: {} });
    assert.deepEqual([one.status, one.text], [202, '']);
    const many = await post('', {
      body: { messages: [{ topic: 'nobody', event: 'e', payload: {}, private: false }] },
    });
    assert.deepEqual([many.status, many.text], [202, '']);
  });

  test('401 without a good key or token', async () => {
    const expired = makeToken(server.keys.jwt_secret, { role: 'authenticated', exp: 1000 });
    for (const path of ['/t/events/e', '']) {
      const keyless = await post(path, { key: '', body: {} });
      assert.deepEqual(
        [keyless.status, keyless.json],
        [401, { message: 'No API key found in request' }],
      );
      for (const bad of [{ key: 'sb_publishable_wrong' }, { token: expired }, { token: 'x' }]) {
        const { status, json } = await post(path, { ...bad, body: {} });
        assert.deepEqual([status, json], [401, { message: 'Unauthorized' }]);
      }
    }
  });

  test('403 for a private topic without the right', async () => {
    const { status, json } = await post('/t/events/e?private=true', { body: {} });
    assert.deepEqual([status, json], [403, { message: 'Unauthorized' }]);
  });

  test('415 for other types of content', async () => {
    const { status, json } = await post('/t/events/e', { type: 'text/plain', body: 'x' });
    assert.equal(status, 415);
    assert.match(json.error, /^Unsupported Media Type/);
  });

  test('422 names the fields', async () => {
    const blank = ["can't be blank"];
    const wrong = await post('', { body: { messages: [{ topic: 't', event: 'e' }] } });
    assert.deepEqual([wrong.status, wrong.json], [422, { errors: { messages: [{ payload: blank }] } }]);
    const nothing = await post('', { body: {} });
    assert.deepEqual([nothing.status, nothing.json], [422, { errors: { messages: blank } }]);
    const broken = await post('/t/events/e', { body: '{' });
    assert.deepEqual([broken.status, broken.json], [422, { errors: { payload: ['is invalid'] } }]);
    const open = await post('/t/events/e?persist=true', { body: {} });
    assert.deepEqual(
      [open.status, open.json],
      [422, { errors: { persist: ['needs a private channel'] } }],
    );
    const long = await post(`/${'x'.repeat(247)}/events/e`, { body: {} });
    assert.equal(long.status, 422);
  });

  test('429 for a batch too big, and for too many a second', async () => {
    const message = { topic: 't', event: 'e', payload: {}, private: false };
    const batch = (size) => post('', { body: { messages: Array(size).fill(message) } });
    const big = await batch(101);
    assert.deepEqual(
      [big.status, big.json],
      [429, { message: 'Too many messages to broadcast, please reduce the batch size' }],
    );
    const all = await Promise.all(Array.from({ length: 8 }, () => batch(100)));
    const refused = all.filter(({ status }) => status === 429);
    assert.ok(refused.length > 0, 'they were not counted together');
    assert.deepEqual(refused[0].json, { message: 'Too many messages per second' });
    assert.ok(refused[0].headers.get('retry-after'));
    const served = await Promise.all(
      Array.from({ length: 8 }, () =>
        post('', {
          key: server.keys.service_key,
          body: { messages: Array(100).fill(message) },
        }),
      ),
    );
    assert.ok(served.every(({ status }) => status === 202), 'the service role is not counted');
  });

  test('413 for a body over the limit', async () => {
    const { status } = await post('/t/events/e', { body: { x: 'x'.repeat(1_100_000) } });
    assert.equal(status, 413);
  });

  test('a member of each protocol gets the frames of its protocol', async () => {
    const topic = newTopic();
    for (const vsn of versions) {
      const raw = await RawSocket.open(server, { vsn });
      await raw.join(topic);
      const from = raw.frames.items.length;
      await post(`/${encodeURIComponent(topic)}/events/e`, {
        key: server.keys.service_key,
        body: [1, 'é'],
      });
      const frame = await raw.frames.find('it', ({ event }) => event === 'broadcast', { from });
      assert.deepEqual(frame.payload, { type: 'broadcast', event: 'e', payload: [1, 'é'] });
      assert.equal(frame.ref, null);
      raw.close();
    }
  });
});
