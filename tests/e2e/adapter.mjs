// The adapter that frontends copy, in Node, against a real server.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { close, password, send, signedUp } from './harness/clients.mjs';
import { Server } from './harness/server.mjs';
import { Inbox, second } from './harness/waiting.mjs';
import { connect, sendMessage, stopReply, subscribeToMessages } from '../../web/src/supabase_adapter.js';

const replyLimit = 40 * second;
const question = 'Tell me about the numbered stream, with all the detail you can give.';

let server;
before(async () => {
  server = await Server.start({ 'inference-tokens-per-second': 15 });
});
after(() => server?.remove());

describe('supabase_adapter.js', () => {
  async function adapterClient(email) {
    const client = await connect({
      url: server.url,
      options: { auth: { persistSession: false, autoRefreshToken: false } },
    });
    const { error } = await client.auth.signInWithPassword({ email, password });
    assert.ifError(error);
    return client;
  }

  const follow = (client, id) => {
    const heard = { messages: new Inbox(), replies: new Inbox(), states: new Inbox() };
    heard.subscription = subscribeToMessages(client, id, {
      onMessages: (messages) => heard.messages.push(messages),
      onReply: (reply) => heard.replies.push({ ...reply }),
      onState: (state) => heard.states.push(state),
    });
    return heard;
  };
  const done = (heard, id) =>
    heard.replies.find(
      'a complete reply',
      (reply) => reply.id === id && reply.status === 'complete',
      { limit: replyLimit },
    );

  test('sends, follows the reply as it grows, and knows the stored messages', async () => {
    const client = await adapterClient((await signedUp(server)).email);
    const receipt = await sendMessage(client, { content: question });
    const heard = follow(client, receipt.conversation_id);
    const reply = await done(heard, receipt.reply_id);
    const texts = heard.replies.items.map(({ text }) => text);
    assert.ok(new Set(texts).size > 3, 'it grew in steps');
    assert.ok(texts.every((text) => reply.text.startsWith(text)));
    const stored = await server.value(
      `select content from public.messages where id = '${receipt.reply_id}'`,
    );
    assert.equal(reply.text, stored);
    const messages = await heard.messages.find('the messages', () => true);
    assert.deepEqual(messages.map(({ role }) => role), ['user', 'assistant']);
    await heard.subscription.stop();
    await close(client);
  });

  test('a reply is stopped from another device, and a second stop is as good', async () => {
    const { email, client: other } = await signedUp(server);
    const client = await adapterClient(email);
    const receipt = await sendMessage(client, { content: question });
    const heard = follow(client, receipt.conversation_id);
    await heard.replies.find('some text', ({ text }) => text.length > 5, { limit: replyLimit });
    assert.equal(await stopReply(other, receipt.reply_id), 'cancelling');
    const reply = await heard.replies.find(
      'its end',
      ({ id, status }) => id === receipt.reply_id && status === 'cancelled',
      { limit: replyLimit },
    );
    const stored = await server.value(
      `select content from public.messages
        where id = '${receipt.reply_id}' and status = 'cancelled'`,
    );
    assert.equal(reply.text, stored);
    assert.equal(await stopReply(client, receipt.reply_id), 'cancelled');
    const stranger = await adapterClient((await signedUp(server)).email);
    await assert.rejects(
      stopReply(stranger, receipt.reply_id),
      ({ code, status, retryable }) =>
        code === 'reply_not_found' && status === 404 && !retryable,
    );
    await heard.subscription.stop();
    await close(client, other, stranger);
  });

  test('a message sent from another device shows up by itself', async () => {
    const { email, client: other } = await signedUp(server);
    const first = await send(other, 'Hello');
    const client = await adapterClient(email);
    const heard = follow(client, first.conversation_id);
    await heard.states.find('live', (state) => state === 'live');
    const next = await send(other, 'From the other device', {
      conversation_id: first.conversation_id,
    });
    await heard.messages.find('the new message', (messages) =>
      messages.some(({ id }) => id === next.message_id),
    );
    await done(heard, next.reply_id);
    await heard.subscription.stop();
    await close(client, other);
  });

  test("someone else's conversation is refused once and for all", async () => {
    const owner = await signedUp(server);
    const { conversation_id } = await send(owner.client, 'Mine');
    const client = await adapterClient((await signedUp(server)).email);
    const heard = follow(client, conversation_id);
    await heard.states.find('refused', (state) => state === 'refused');
    assert.equal(heard.replies.items.length, 0);
    await close(client);
  });

  test('leaving and opening a conversation again at once works', async () => {
    const { email } = await signedUp(server);
    const client = await adapterClient(email);
    const receipt = await sendMessage(client, { content: question });
    for (let round = 0; round < 3; ++round)
      follow(client, receipt.conversation_id).subscription.stop();
    const heard = follow(client, receipt.conversation_id);
    await done(heard, receipt.reply_id);
    await heard.subscription.stop();
    await close(client);
  });

  test('a refusal tells its code and whether trying again helps', async () => {
    const client = await adapterClient((await signedUp(server)).email);
    await assert.rejects(sendMessage(client, { content: '' }), (error) => {
      assert.equal(error.name, 'ChatError');
      assert.equal(error.retryable, false);
      return true;
    });
  });
});

/** A client whose channel and rows are in the test's hands. */
function scripted(rows) {
  const events = new Map();
  const channel = {
    topic: 'realtime:conversation:1',
    on: (_, { event }, handler) => (events.set(event, handler), channel),
    subscribe: (follow) => queueMicrotask(() => follow('SUBSCRIBED')),
  };
  const query = { select: () => query, order: () => rows.promise };
  return {
    auth: { getSession: async () => ({}) },
    realtime: { setAuth: async () => {} },
    channel: () => channel,
    removeChannel: async () => {},
    rpc: () => query,
    tell: (event, payload) => events.get(event)({ payload }),
  };
}

test('an end that is read before its event came is told, and once', async () => {
  const rows = Promise.withResolvers();
  const client = scripted(rows);
  const replies = new Inbox();
  const messages = new Inbox();
  const subscription = subscribeToMessages(client, '1', {
    onReply: ({ status }, event) => replies.push([status, event]),
    onMessages: (all) => messages.push(all),
    onState: (state) => {
      if (state === 'live') client.tell('reply.snapshot', { id: 'r', attempt: 1, seq: 1, text: 'Hi' });
    },
  });
  await replies.find('the snapshot', ([status]) => status === 'streaming');
  const row = { id: 'r', seq: 2, role: 'assistant', status: 'cancelled', content: 'Hi there' };
  rows.resolve({ data: [row], error: null, status: 200 });
  await messages.find('the rows', () => true);
  client.tell('reply.cancelled', { id: 'r', attempt: 1, seq: 2 });
  assert.deepEqual(replies.items, [['streaming', 'reply.snapshot'], ['cancelled', 'stored']]);
  await subscription.stop();
});
