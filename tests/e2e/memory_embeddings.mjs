// Messages become vectors: in the background, and through functions.invoke('embed-generator').
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { close, http, makeClient, send, signedUp } from './harness/clients.mjs';
import { EmbeddingsServer, vectorOf } from './harness/embeddings.mjs';
import { Server } from './harness/server.mjs';
import { until } from './harness/waiting.mjs';

const binary =
  process.env.JESSICA_BINARY ??
  fileURLToPath(new URL('../../build/release/jessica', import.meta.url));

let embeddings;
let server;
let client;
let user;
before(async () => {
  embeddings = await EmbeddingsServer.start();
  server = await Server.start({ 'inference-tokens-per-second': 0, ...embeddings.settings });
  ({ client, user } = await signedUp(server));
});
after(async () => {
  await close(client);
  await server?.remove();
  await embeddings?.stop();
});

const rowsOf = async (id) =>
  Number(await server.value(`select count(*) from public.embeddings where message_id = '${id}'`));
const embedded = (id) => until('it is embedded', async () => (await rowsOf(id)) > 0);
const invoke = (body, who = client) => who.functions.invoke('embed-generator', { body });

async function conversation() {
  const { data, error } = await client.from('conversations').insert({}).select().single();
  assert.ifError(error);
  return data.id;
}

async function insert(content) {
  const { data, error } = await client
    .from('messages')
    .insert({ conversation_id: await conversation(), content })
    .select('id')
    .single();
  assert.ifError(error);
  return data.id;
}

describe('in the background', () => {
  test('a message that was sent and its reply are embedded', async () => {
    const { message_id, reply_id } = await send(client, 'what shall we remember?');
    await embedded(message_id);
    await embedded(reply_id);
    const { data, error } = await client
      .from('embeddings')
      .select('message_id, role, version, chunk')
      .in('message_id', [message_id, reply_id])
      .eq('chunk', 0)
      .order('id');
    assert.ifError(error);
    assert.deepEqual(
      data.map(({ role, version }) => ({ role, version })),
      [
        { role: 'user', version: 1 },
        { role: 'assistant', version: 1 },
      ],
    );
  });

  test('a message inserted over REST is found by match_messages', async () => {
    const text = 'zebras zigzag';
    const id = await insert(text);
    await embedded(id);
    const { data, error } = await client.rpc('match_messages', {
      query: JSON.stringify(vectorOf(text)),
      k: 1,
    });
    assert.ifError(error);
    assert.equal(data[0].message_id, id);
    assert.ok(data[0].score > 0.999);
  });

  test('while the embedder is away texts wait, and are seen waiting', async () => {
    embeddings.failing = 503;
    const id = await insert('patience');
    await until('it was tried', async () => embeddings.asked.flat().includes('patience'));
    await until('the queue is paused', async () =>
      server.log.items.some(({ event }) => event === 'embedding.embedder_away'),
    );
    const { JESSICA_BINARY: _, ...env } = process.env;
    const jobs = async (...words) =>
      (
        await promisify(execFile)(
          binary,
          ['jobs', ...words, '--storage-directory', server.directory],
          { env },
        )
      ).stdout;
    const seq = await server.value(`select seq from public.messages where id = '${id}'`);
    assert.match(await jobs('list'), new RegExp(`m${seq} +queued .*${user.id}`));
    assert.match(await jobs('show', `m${seq}`), new RegExp(`message_id +${id}`));
    assert.equal(await rowsOf(id), 0);
    embeddings.failing = null;
    await embedded(id);
    assert.doesNotMatch(await jobs('list'), new RegExp(`m${seq} `));
  });

  test('metrics tell of it', async () => {
    const { text } = await http(server, '/metrics', { key: server.keys.service_key });
    assert.match(text, /^jessica_embedding_texts_total [1-9]/m);
    assert.match(text, /^jessica_embedding_lag_seconds /m);
  });
});

describe('embed-generator', () => {
  test('gives vectors of texts', async () => {
    const one = await invoke({ text: 'hello' });
    assert.ifError(one.error);
    assert.equal(one.data.dim, 16);
    assert.equal(one.data.embeddings.length, 1);
    const both = await invoke({ texts: ['hello', 'world'], purpose: 'query' });
    assert.ifError(both.error);
    assert.equal(both.data.model, one.data.model);
    assert.deepEqual(both.data.embeddings[0], one.data.embeddings[0]);
    vectorOf('world').forEach((value, i) =>
      assert.ok(Math.abs(value - both.data.embeddings[1][i]) < 1e-5),
    );
  });

  test('embeds a message of one’s own, and no other’s', async () => {
    const id = await insert('mine');
    const { data, error } = await invoke({ message_id: id });
    assert.ifError(error);
    assert.equal(data.message_id, id);
    assert.equal(data.chunks, 1);
    assert.match(data.lsn, /^[0-9A-F]+\/[0-9A-F]+$/);
    assert.equal(await rowsOf(id), 1);

    const stranger = await signedUp(server);
    const refused = await invoke({ message_id: id }, stranger.client);
    assert.equal(refused.error.context.status, 404);
    assert.equal((await refused.error.context.json()).code, 'message_not_found');
    await close(stranger.client);
  });

  test('is a database webhook’s target', async () => {
    const id = await insert('by webhook');
    const hook = (body) =>
      http(server, '/functions/v1/embed-generator', {
        method: 'POST',
        key: server.keys.service_key,
        token: server.keys.service_key,
        body,
      });
    const record = { id, content: 'by webhook' };
    const stored = await hook({
      type: 'INSERT',
      table: 'messages',
      schema: 'public',
      record,
      old_record: null,
    });
    assert.equal(stored.status, 200);
    assert.equal(stored.json.chunks, 1);
    const gone = await hook({ type: 'DELETE', table: 'messages', record: null, old_record: record });
    assert.deepEqual(gone.json, { message_id: id, chunks: 0 });
    assert.equal((await hook({ type: 'INSERT', table: 'users', record })).status, 400);
  });

  test('refuses what it cannot take', async () => {
    const statusOf = async (body) => (await invoke(body)).error?.context.status;
    for (const body of [{}, { text: '' }, { texts: [] }, { texts: ['a', 1] }, { message_id: 'x' }])
      assert.equal(await statusOf(body), 400, JSON.stringify(body));
    assert.equal(await statusOf({ texts: new Array(65).fill('a') }), 413);
    assert.equal(await statusOf({ text: 'a'.repeat(65537) }), 413);
    assert.equal(await statusOf({ message_id: randomUUID() }), 404);
    const nobody = await invoke({ text: 'a' }, makeClient(server));
    assert.equal(nobody.error.context.status, 401);
  });

  test('says so while the embedder is away', async () => {
    embeddings.failing = 503;
    const { error } = await invoke({ text: 'anybody there?' });
    embeddings.failing = null;
    assert.equal(error.context.status, 503);
  });
});

test('a server without an embedder is one all the same', async () => {
  const plain = await Server.start({ 'embedding-engine': 'none' });
  try {
    const { client: asker } = await signedUp(plain);
    const { error } = await invoke({ text: 'a' }, asker);
    assert.equal(error.context.status, 503);
    const { code, message } = await error.context.json();
    assert.equal(code, 'no_embedder');
    assert.match(message, /embedding\.engine/);
    await send(asker, 'hello');
    assert.equal(await plain.value('select count(*) from jessica.unembedded'), '0');
    assert.ok(plain.log.items.some(({ event }) => event === 'embedder.off'));
    await close(asker);
  } finally {
    await plain.remove();
  }
});
