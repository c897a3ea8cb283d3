// Usage, prices and limits through the unmodified client: what is counted, what is refused and how
// each way of asking is told.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import {
  close,
  http,
  joinConversation,
  makeClient,
  refusedSend,
  send,
  signedUp,
} from './harness/clients.mjs';
import { Provider, says } from './harness/provider.mjs';
import { RawSocket } from './harness/raw_socket.mjs';
import { replyEnd } from './harness/replies.mjs';
import { Server } from './harness/server.mjs';
import { second, until } from './harness/waiting.mjs';

const model = 'priced-1';
let provider;
let server;
before(async () => {
  provider = await Provider.start(says('Hello ', 'there.'));
  server = await Server.start({
    'engine-url': provider.url,
    'engine-model': model,
    'inference-titles': false,
  });
  // Prices are only in the file, which is read where the server works.
  await writeFile(
    `${server.directory}/jessica.toml`,
    '[[prices]]\nmodel = "priced-*"\nprompt = 0.25\ncompletion = "2"\n',
  );
  await server.stop();
  await server.startAgain();
});
after(async () => {
  await server?.remove();
  await provider?.stop();
});

const today = () => new Date().toISOString().slice(0, 10);
const midnight = () => {
  const day = new Date(`${today()}T00:00:00Z`);
  return new Date(day.getTime() + 86_400 * second).toISOString().replace('.000', '');
};

/** Limits of one user, as an operator sets them. */
async function limit(user, limits) {
  const service = makeClient(server, { key: server.keys.service_key });
  const { error } = await service
    .from('usage_limits')
    .upsert({ user_id: user.id, ...limits }, { onConflict: 'user_id' });
  assert.ifError(error);
}

async function settled(client) {
  await until('nothing is held', async () => {
    const { data, error } = await client.rpc('my_limits');
    assert.ifError(error);
    return data.every(({ held }) => held === 0);
  });
}

/** One question and its whole reply: the payload of reply.completed. */
async function ask(client, conversation, text = 'Hello?') {
  const { channel, events } = await joinConversation(client, conversation);
  const { reply_id } = await send(client, text, { conversation_id: conversation });
  const end = await replyEnd(events, reply_id);
  await client.removeChannel(channel);
  return { reply_id, end };
}

async function newConversation(client) {
  const { data, error } = await client.from('conversations').insert({ title: 'x' }).select().single();
  assert.ifError(error);
  return data.id;
}

describe('usage', () => {
  test('of a reply is told, stored with it, and added up by day', async () => {
    const { client, user } = await signedUp(server);
    const id = await newConversation(client);
    const { reply_id, end } = await ask(client, id);
    const used = end.payload.usage;
    assert.equal(end.event, 'reply.completed');
    assert.equal(used.prompt_tokens, 11);
    assert.equal(used.completion_tokens, 2);
    assert.equal(used.estimated, false);
    assert.equal(used.cost, 0.00000675); // 11 * 0.25 + 2 * 2, a million tokens
    const stored = await client.from('messages').select('usage, model').eq('id', reply_id).single();
    assert.deepEqual(stored.data, { usage: { ...used, finish_reason: 'stop' }, model });
    await ask(client, id);
    const { data, error } = await client.from('my_usage').select();
    assert.ifError(error);
    assert.deepEqual(data, [
      {
        day: today(),
        model,
        replies: 2,
        prompt_tokens: 22,
        completion_tokens: 4,
        estimated_tokens: 0,
        cost: 0.0000135,
      },
    ]);
    const deleted = await client.from('conversations').delete().eq('id', id);
    assert.ifError(deleted.error);
    assert.equal((await client.from('my_usage').select()).data[0].replies, 2);

    const service = makeClient(server, { key: server.keys.service_key });
    const all = await service.from('all_usage').select('email, replies').eq('user_id', user.id);
    assert.deepEqual(all.data, [{ email: user.email, replies: 2 }]);
    await close(client);
  });

  test('is nobody else’s to see or to change', async () => {
    const ada = await signedUp(server);
    const bob = await signedUp(server);
    await ask(ada.client, await newConversation(ada.client));
    assert.deepEqual((await bob.client.from('my_usage').select()).data, []);
    assert.deepEqual((await bob.client.from('usage_daily').select()).data, []);
    for (const table of ['all_usage', 'usage_limits'])
      assert.equal((await bob.client.from(table).select()).error.code, '42501', table);
    const lowered = await ada.client.from('usage_daily').delete().eq('user_id', ada.user.id);
    assert.equal(lowered.error.code, '42501');
    assert.equal((await makeClient(server).from('my_usage').select()).error.code, '42501');
    await close(ada.client, bob.client);
  });
});

describe('a limit of replies a day', () => {
  test('lets ten of fifty through that come at once', async () => {
    const { client, user } = await signedUp(server);
    await limit(user, { replies_per_day: 10 });
    const answers = await Promise.all(
      Array.from({ length: 50 }, () =>
        client.functions.invoke('enqueue-inference', { body: { content: 'Hello?' } }),
      ),
    );
    assert.equal(answers.filter(({ error }) => !error).length, 10);
    await settled(client);
    assert.equal((await client.from('my_usage').select()).data[0].replies, 10);
    const { error } = await client.functions.invoke('enqueue-inference', {
      body: { content: 'Hello?' },
    });
    assert.equal(error.context.status, 429);
    await close(client);
  });

  test('is told in the same words by functions, channels and rpc', async () => {
    const { client, user, session } = await signedUp(server);
    const id = await newConversation(client);
    await limit(user, { replies_per_day: 1 });
    await ask(client, id);
    await settled(client);

    const { status, body } = await refusedSend(client, { content: 'x', conversation_id: id });
    assert.equal(status, 429);
    const { retry_after, ...rest } = body;
    assert.deepEqual(rest, {
      code: 'quota_exceeded',
      message: 'The limit replies_per_day is reached',
      limit: 'replies_per_day',
      limit_value: 1,
      used: 1,
      held: 0,
      resets_at: midnight(),
    });
    const plain = await http(server, '/functions/v1/enqueue-inference', {
      method: 'POST',
      token: session.access_token,
      body: { content: 'x', conversation_id: id },
    });
    const wait = Number(plain.headers.get('retry-after'));
    assert.ok(wait > 0 && wait <= retry_after, `${wait} of ${retry_after}`);
    assert.equal(plain.headers.get('x-relay-error'), null);

    const raw = await RawSocket.open(server);
    const name = `conversation:${id}`;
    const joined = await raw.join(name, {
      token: session.access_token,
      isPrivate: true,
      broadcast: { ack: true, self: false },
    });
    const told = await raw.ask(
      `realtime:${name}`,
      'broadcast',
      { type: 'broadcast', event: 'message.send', payload: { content: 'x' } },
      joined.ref,
    );
    assert.equal(told.status, 'error');
    assert.equal(told.response.reason, 'quota_exceeded');
    assert.equal(told.response.limit, 'replies_per_day');
    assert.equal(told.response.resets_at, midnight());
    raw.close();

    const { error, status: rpc } = await client.rpc('enqueue_inference', {
      conversation_id: id,
      content: 'x',
    });
    assert.equal(rpc, 429);
    assert.equal(error.code, 'quota_exceeded');
    assert.equal(JSON.parse(error.details).limit, 'replies_per_day');
    assert.equal(
      await server.value(`select count(*) from public.messages where user_id = '${user.id}'`),
      '2',
    );

    const limits = await client.rpc('my_limits');
    assert.deepEqual(
      limits.data.map((one) => [one.limit, one.limit_value, one.used, one.held]),
      [['replies_per_day', 1, 1, 0]],
    );
    assert.equal(new Date(limits.data[0].resets_at).toISOString().replace('.000', ''), midnight());
    await until('the refusals are counted', async () =>
      /jessica_actors_quota_refused_total [1-9]/.test((await http(server, '/metrics')).text),
    );
    await close(client);
  });
});

test('a reply that is stopped gives back what it held, and counts what was said', async () => {
  const { client, user } = await signedUp(server);
  const id = await newConversation(client);
  await limit(user, { tokens_per_day: 5000 });
  provider.answerWith((stream) => {
    stream.writeHead(200, { 'content-type': 'text/event-stream' });
    stream.write('data: {"choices":[{"index":0,"delta":{"content":"One "}}]}\n\n');
  });
  const { channel, events } = await joinConversation(client, id);
  const { reply_id } = await send(client, 'Hello?', { conversation_id: id });
  await events.find('the first token', ({ event }) => event === 'reply.delta');
  const [held] = (await client.rpc('my_limits')).data;
  assert.ok(held.held > 2000, JSON.stringify(held));
  await client.functions.invoke('stop-inference', { body: { reply_id } });
  const end = await replyEnd(events, reply_id);
  assert.equal(end.event, 'reply.cancelled');
  await settled(client);
  const [row] = (await client.from('my_usage').select()).data;
  assert.equal(row.replies, 1);
  assert.equal(row.completion_tokens, 1);
  assert.equal(row.estimated_tokens, row.prompt_tokens + row.completion_tokens);
  provider.answerWith(says('Hello ', 'there.'));
  await client.removeChannel(channel);
  await close(client);
});

test('a conversation deleted under its reply is paid for all the same', async () => {
  const { client, user } = await signedUp(server);
  const id = await newConversation(client);
  await limit(user, { replies_per_day: 5 });
  let stream;
  provider.answerWith((opened) => {
    stream = opened;
    opened.writeHead(200, { 'content-type': 'text/event-stream' });
    opened.write('data: {"choices":[{"index":0,"delta":{"content":"One "}}]}\n\n');
  });
  const { events } = await joinConversation(client, id);
  await send(client, 'Hello?', { conversation_id: id });
  await events.find('the first token', ({ event }) => event === 'reply.delta');
  assert.ifError((await client.from('conversations').delete().eq('id', id)).error);
  await settled(client);
  stream.write('data: {"choices":[{"index":0,"delta":{"content":"two "}}]}\n\n');
  stream.end(
    'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
  );
  const row = await until('it is counted', async () => (await client.from('my_usage').select()).data[0]);
  assert.equal(row.replies, 1);
  assert.ok(row.completion_tokens >= 1);
  provider.answerWith(says('Hello ', 'there.'));
  await close(client);
});

test('configured limits hold for everybody, and go with the configuration', async () => {
  const strict = await Server.start({ 'quota-replies-per-minute': 2 });
  try {
    const { client } = await signedUp(strict);
    await send(client, 'one');
    await send(client, 'two');
    const { status, body } = await refusedSend(client, { content: 'three' });
    assert.equal(status, 429);
    assert.equal(body.limit, 'replies_per_minute');
    assert.ok(body.retry_after <= 60);
    assert.equal(await strict.value('select count(*) from public.usage_limits'), '1');
    await close(client);
  } finally {
    await strict.remove();
  }
});
