// Memory with the real model: found by meaning, under row security, by both doors; used in
// replies; kept in files that survive what happens to servers.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { close, http, joinConversation, send, signedUp } from './harness/clients.mjs';
import { RawSocket } from './harness/raw_socket.mjs';
import { Server } from './harness/server.mjs';
import { second, until } from './harness/waiting.mjs';

const root = new URL('../../', import.meta.url);
const model = fileURLToPath(new URL('build/models/use-lite', root));
const binary = process.env.JESSICA_BINARY ?? fileURLToPath(new URL('build/release/jessica', root));
const skip = existsSync(`${model}/embedder.json`) ? false : 'the model is not there: ./dev test';
const embeddingLimit = 30 * second;

async function find(client, body) {
  const { data, error } = await client.functions.invoke('search-memory', { body });
  if (error) assert.fail(`search-memory: ${(await error.context?.text?.()) ?? error}`);
  return data;
}

/** Until every text is embedded and the index knows it. */
async function settled(server) {
  await until(
    'all texts are embedded',
    async () =>
      (await server.value(`select not exists (select from jessica.unembedded)
        and not exists (select from public.messages where status in ('pending', 'streaming'))`)) === 't',
    embeddingLimit,
  );
  return server.value('select pg_current_wal_lsn()');
}

/** What `jessica verify` says: {code, stdout}. */
async function verify(server, ...words) {
  const { JESSICA_BINARY: _, ...env } = process.env; // it would be taken for a setting
  try {
    const { stdout } = await promisify(execFile)(
      binary,
      ['verify', ...words, '--storage-directory', server.directory],
      { env },
    );
    return { code: 0, stdout };
  } catch (error) {
    return { code: error.code, stdout: `${error.stdout}${error.stderr}` };
  }
}

describe('memory', { skip }, () => {
  let server;
  let ada;
  let bob;
  let dog;
  let place;
  /** Finds the dog: other conversations come to ask nearly the same. */
  let puppy;
  before(async () => {
    server = await Server.start({
      'inference-tokens-per-second': 0,
      'embedding-model-directory': model,
      'memory-prompt-timeout': '10s', // the machine may be slow
    });
    ada = await signedUp(server);
    bob = await signedUp(server);
    dog = await send(ada.client, 'My dog is called Rex and he loves the garden.');
    puppy = {
      query: 'What is my puppy called?',
      k: 1,
      filter: { role: 'user', conversation_id: dog.conversation_id },
    };
    await send(ada.client, 'The invoice of the plumber was paid on Monday.');
    await send(bob.client, 'My dog is a secret.');
    place = await settled(server);
  });
  after(async () => {
    await close(...[ada, bob].filter(Boolean).map(({ client }) => client));
    await server?.remove();
  });

  test('finds by meaning, only what is one\'s own, with all that a page needs', async () => {
    const found = await find(ada.client, {
      query: 'What is my puppy called?',
      k: 2,
      after_lsn: place,
      filter: { role: 'user' }, // replies quote what they were asked
    });
    assert.equal(found[0].message_id, dog.message_id);
    assert.equal(found[0].conversation_id, dog.conversation_id);
    assert.equal(found[0].role, 'user');
    assert.match(found[0].content, /Rex/);
    assert.match(found[0].excerpt, /Rex/);
    assert.ok(found[0].score > found[1].score && found[0].score <= 1.001);
    assert.ok(!Number.isNaN(Date.parse(found[0].created_at)));
    assert.ok(found.every(({ content }) => !/secret/.test(content)));
    assert.equal(found.length, 2);
  });

  test('filters, hybrid and thresholds', async () => {
    const query = 'dog';
    const elsewhere = { exclude_conversation_id: dog.conversation_id };
    const others = await find(ada.client, { query, filter: elsewhere });
    assert.ok(others.length > 0);
    assert.ok(others.every(({ conversation_id }) => conversation_id !== dog.conversation_id));
    const mine = await find(ada.client, { query, filter: { role: 'user' } });
    assert.ok(mine.every(({ role }) => role === 'user'));
    const old = await find(ada.client, { query, filter: { before: '2020-01-01T00:00:00Z' } });
    assert.deepEqual(old, []);
    const hybrid = await find(ada.client, { query: 'plumber invoice', hybrid: true, k: 1 });
    assert.match(hybrid[0].content, /plumber/);
    assert.ok(hybrid[0].score <= 1);
    assert.deepEqual(await find(ada.client, { query: 'zebra crossing rules', min_score: 0.99 }), []);
  });

  test('says what is wrong, and who may ask', async () => {
    const ask = (body, how) =>
      http(server, '/functions/v1/search-memory', { method: 'POST', body, ...how });
    const token = ada.session.access_token;
    const bad = await ask({ query: 'dog', k: 101 }, { token });
    assert.equal(bad.status, 400);
    assert.equal(bad.json.message, 'k must be 1 to 100');
    assert.equal((await ask({ query: 'dog' })).status, 401);
    assert.equal((await ask({ query: 'dog', user_id: bob.user.id }, { token })).status, 403);
    const service = { key: server.keys.service_key ?? server.keys.service_role_key };
    assert.equal((await ask({ query: 'dog' }, service)).status, 400);
    const bobs = await ask({ query: 'dog', user_id: bob.user.id }, service);
    assert.equal(bobs.status, 200);
    assert.match(bobs.json[0].content, /secret/);
    const late = await ask({ query: 'dog', after_lsn: 'FFFFFFFF/0' }, { token });
    assert.equal(late.status, 504);
    assert.equal(late.json.code, 'position_not_reached');
  });

  test('memory.search on a channel is answered in its reply', async () => {
    const raw = await RawSocket.open(server);
    const name = `conversation:${dog.conversation_id}`;
    const joined = await raw.join(name, { token: ada.session.access_token, isPrivate: true });
    assert.equal(joined.status, 'ok');
    const ask = (payload) =>
      raw.ask(
        `realtime:${name}`,
        'broadcast',
        { type: 'broadcast', event: 'memory.search', payload },
        joined.ref,
      );
    const good = await ask(puppy);
    assert.equal(good.status, 'ok');
    assert.equal(good.response.memories[0].message_id, dog.message_id);
    const bad = await ask({ query: '' });
    assert.equal(bad.status, 'error');
    assert.match(bad.response.reason, /^query/);
    raw.close();
    const { channel } = await joinConversation(ada.client, dog.conversation_id);
    const said = await channel.send({ type: 'broadcast', event: 'memory.search', payload: { query: 'x' } });
    assert.equal(said, 'ok');
  });

  test('a reply is given what was said in other conversations, unless that is off', async () => {
    const made = async (metadata) => {
      const { data, error } = await ada.client
        .from('conversations')
        .insert({ metadata })
        .select('id')
        .single();
      assert.ifError(error);
      const { channel, events } = await joinConversation(ada.client, data.id);
      const sent = await send(ada.client, 'What is the name of my dog?', { conversation_id: data.id });
      const started = await events.find(
        'the start',
        ({ event, payload }) => event === 'reply.started' && payload.id === sent.reply_id,
      );
      await events.find('the end', ({ event }) => event === 'reply.completed');
      await ada.client.removeChannel(channel);
      const content = await server.value(
        `select content from public.messages where id = '${sent.reply_id}'`,
      );
      return { memories: started.payload.memories, content };
    };
    const used = await made({});
    const rex = used.memories.find(({ message_id }) => message_id === dog.message_id);
    assert.ok(rex, 'the dog is remembered');
    assert.equal(rex.conversation_id, dog.conversation_id);
    assert.match(rex.excerpt, /Rex/);
    assert.match(used.content, /Rex/);
    const off = await made({ memory: false });
    assert.deepEqual(off.memories, []);
  });

  test('a message that is deleted is found no more', async () => {
    const { data } = await ada.client
      .from('messages')
      .insert({ conversation_id: dog.conversation_id, content: 'I once swam with dolphins in Portugal.' })
      .select('id')
      .single();
    await settled(server);
    const query = 'swimming with dolphins';
    await until('it is found', async () => (await find(ada.client, { query }))[0]?.message_id === data.id);
    const { error } = await ada.client.from('messages').delete().eq('id', data.id);
    assert.ifError(error);
    const found = await find(ada.client, { query, hybrid: true });
    assert.ok(found.every(({ message_id }) => message_id !== data.id));
  });

  test('files are written at a stop, taken at a start, and checked by verify', async () => {
    await settled(server);
    await server.stop();
    const stopped = await verify(server, '--deep');
    assert.equal(stopped.code, 0, stopped.stdout);
    assert.match(stopped.stdout, /, 0 to fetch, 0 to drop, \d+ vectors compared/);
    await server.startAgain();
    const [found] = await find(ada.client, puppy);
    assert.equal(found.message_id, dog.message_id);
  });

  test('neither a kill nor a broken file loses anything', async () => {
    const search = async () =>
      (await find(ada.client, puppy))[0].message_id;
    const files = async () => {
      const folder = `${server.directory}/index`;
      const names = await readdir(folder);
      const whole = names.filter((name) => /^shard-\d+-of-\d+$/.test(name));
      return whole.map((name) => `${folder}/${name}`);
    };
    await send(ada.client, 'Written just before the kill.');
    await server.kill();
    await server.startAgain();
    assert.equal(await search(), dog.message_id);
    await settled(server);

    await server.stop();
    for (const file of await files()) await truncate(file, 100);
    const cut = await verify(server);
    assert.equal(cut.code, 1);
    assert.match(cut.stdout, /FAULT .*shard-/);
    await server.startAgain();
    assert.equal(await search(), dog.message_id);
    await until('the index is complete', async () =>
      /^jessica_actors_memory_complete [1-9]/m.test(
        await (await fetch(`${server.url}/metrics`)).text(),
      ),
    );
    await server.stop(); // writes them anew
    const anew = await verify(server, '--deep');
    assert.equal(anew.code, 0, anew.stdout);

    for (const file of await files()) {
      const bytes = await readFile(file);
      bytes[Math.floor(bytes.length / 2)] ^= 0x10;
      await writeFile(file, bytes);
    }
    assert.equal((await verify(server, '--deep')).code, 1);
    await server.startAgain();
    assert.equal(await search(), dog.message_id);
  });
});
