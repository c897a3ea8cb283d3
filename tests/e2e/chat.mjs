// Sending and reading: limits, repetition, ownership, joining in the middle, REST.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import {
  close,
  http,
  joinConversation,
  refusedSend,
  send,
  signedIn,
  signedUp,
} from './harness/clients.mjs';
import { assemble, replyDeltas, replyEnd } from './harness/replies.mjs';
import { Server } from './harness/server.mjs';
import { Inbox, second } from './harness/waiting.mjs';

const pace = 12; // tokens a second: slow enough to come in the middle
const replyLimit = 40 * second;
const question = 'Tell me about the numbered stream, with all the detail you can give.';

let server;
before(async () => {
  server = await Server.start({ 'inference-tokens-per-second': pace });
});
after(() => server?.remove());

const countOf = (where) => server.value(`select count(*) from public.messages where ${where}`);

describe('what is refused', () => {
  test('a message of 300 kB, clearly and without a trace', async () => {
    const { client, user } = await signedUp(server);
    const { status, body } = await refusedSend(client, { content: 'x'.repeat(300_000) });
    assert.equal(status, 413);
    assert.equal(body.code, 'message_too_large');
    assert.ok(body.message.length > 0);
    assert.equal(await countOf(`user_id = '${user.id}'`), '0');
  });

  test('a body over the limit of the server', async () => {
    const { session } = await signedUp(server);
    const { status, json } = await http(server, '/functions/v1/enqueue-inference', {
      method: 'POST',
      token: session.access_token,
      body: { content: 'x'.repeat(2_000_000) },
    });
    assert.equal(status, 413);
    assert.equal(typeof json.code, 'string');
  });

  test('the largest message that fits is taken whole', async () => {
    const { client } = await signedUp(server);
    const { message_id } = await send(client, 'ü'.repeat(131_072));
    const bytes = await server.value(
      `select octet_length(content) from public.messages where id = '${message_id}'`,
    );
    assert.equal(bytes, '262144');
  });

  test('empty, missing, foreign-typed and unreadable contents', async () => {
    const { client, user } = await signedUp(server);
    for (const body of [
      { content: '' },
      {},
      { content: null },
      { content: 5 },
      { content: ['x'] },
      { content: 'a\u0000b' },
      { content: 'x', conversation_id: 'nonsense' },
      { content: 'x', client_id: '' },
      { content: 'x', client_id: 'y'.repeat(129) },
      { content: 'x', params: 'none' },
    ]) {
      const { status, body: answer } = await refusedSend(client, body);
      assert.ok([400, 422].includes(status), `${JSON.stringify(body)}: ${status}`);
      assert.equal(typeof answer.code, 'string');
      assert.equal(typeof answer.message, 'string');
    }
    assert.equal(await countOf(`user_id = '${user.id}'`), '0');
  });

  test('bodies that are not JSON', async () => {
    const { session } = await signedUp(server);
    for (const body of ['{"content":', 'content=x', '', '[]', '"x"', '\xff{}']) {
      const answer = await http(server, '/functions/v1/enqueue-inference', {
        method: 'POST',
        token: session.access_token,
        headers: { 'content-type': 'application/json' },
        body,
      });
      assert.ok([400, 422].includes(answer.status), `${JSON.stringify(body)}: ${answer.status}`);
      assert.equal(typeof answer.json.code, 'string');
    }
  });

  test('GET on a function', async () => {
    const { session } = await signedUp(server);
    const path = '/functions/v1/enqueue-inference';
    assert.equal((await http(server, path, { token: session.access_token })).status, 405);
  });
});

describe('repetition', () => {
  test('the same client_id twice gives the same ids and one message', async () => {
    const { client, user } = await signedUp(server);
    const more = { client_id: randomUUID() };
    const first = await send(client, 'Once', more);
    const again = await send(client, 'Once', more);
    assert.deepEqual(again, first);
    assert.equal(await countOf(`user_id = '${user.id}' and role = 'user'`), '1');
    assert.equal(
      await server.value(`select count(*) from public.inference_jobs where user_id = '${user.id}'
                            and kind = 'inference'`),
      '1',
    );
  });

  test('ten at once with one client_id are one message', async () => {
    const { client, user } = await signedUp(server);
    const more = { client_id: randomUUID() };
    const all = await Promise.all(Array.from({ length: 10 }, () => send(client, 'Once', more)));
    assert.equal(new Set(all.map((receipt) => JSON.stringify(receipt))).size, 1);
    assert.equal(await countOf(`user_id = '${user.id}' and role = 'user'`), '1');
    assert.equal(
      await server.value(`select count(*) from public.conversations where user_id = '${user.id}'`),
      '1',
    );
  });

  test('two people may use the same client_id', async () => {
    const [one, two] = [await signedUp(server), await signedUp(server)];
    const more = { client_id: randomUUID() };
    const [a, b] = [await send(one.client, 'Mine', more), await send(two.client, 'Mine', more)];
    assert.notEqual(a.message_id, b.message_id);
  });
});

describe('ownership', () => {
  test("someone else's conversation and one that is not there are refused alike", async () => {
    const [one, two] = [await signedUp(server), await signedUp(server)];
    const { conversation_id } = await send(one.client, 'Mine');
    const foreign = await refusedSend(two.client, { content: 'Let me in', conversation_id });
    const missing = await refusedSend(two.client, {
      content: 'Let me in',
      conversation_id: randomUUID(),
    });
    assert.ok([403, 404].includes(foreign.status));
    assert.deepEqual(foreign, missing, 'nothing tells that it exists');
    assert.equal(await countOf(`user_id = '${two.user.id}'`), '0');
  });

  test('one user reads none of the rows of another', async () => {
    const [one, two] = [await signedUp(server), await signedUp(server)];
    const mine = await send(one.client, 'A secret of one');
    await send(two.client, 'A secret of two');
    for (const table of ['messages', 'conversations']) {
      const { data, error } = await two.client.from(table).select('user_id');
      assert.ifError(error);
      assert.ok(data.length > 0);
      assert.ok(data.every(({ user_id }) => user_id === two.user.id), table);
    }
    const { data } = await two.client.from('messages').select('*').eq('id', mine.message_id);
    assert.deepEqual(data, []);
  });
});

describe('in the middle of a stream', () => {
  test('a second device gets one snapshot and then the next token', async () => {
    const { client, email } = await signedUp(server);
    const receipt = await send(client, question);
    const here = await joinConversation(client, receipt.conversation_id);
    await replyDeltas(here.events, receipt.reply_id, 4);

    const device = (await signedIn(server, email, { vsn: '1.0.0' })).client;
    const there = await joinConversation(device, receipt.conversation_id);
    await Promise.all(
      [here, there].map(({ events }) => replyEnd(events, receipt.reply_id, replyLimit)),
    );
    const heard = [here, there].map(({ events }) => assemble(events, receipt.reply_id));
    assert.equal(heard[1].snapshots, 1);
    assert.ok(heard[1].deltas > 0, 'it came before the end');
    assert.equal(heard[0].text, heard[1].text);
    assert.equal(heard[0].seq, heard[1].seq);
    await close(client, device);
  });

  test('whoever leaves and joins again misses no token and gets none twice', async () => {
    const { client } = await signedUp(server);
    const receipt = await send(client, question);
    const events = new Inbox();
    let joined = await joinConversation(client, receipt.conversation_id, events);
    for (const deltas of [2, 4]) {
      await replyDeltas(events, receipt.reply_id, deltas);
      assert.equal(await client.removeChannel(joined.channel), 'ok');
      joined = await joinConversation(client, receipt.conversation_id, events);
    }
    await replyEnd(events, receipt.reply_id, replyLimit);
    const heard = assemble(events, receipt.reply_id);
    assert.ok(heard.snapshots >= 2);
    const stored = await server.value(
      `select content from public.messages where id = '${receipt.reply_id}'`,
    );
    assert.equal(heard.text, stored);
    await close(client);
  });

  test('two replies at once in one conversation keep apart', async () => {
    const { client } = await signedUp(server);
    const first = await send(client, question);
    const { events } = await joinConversation(client, first.conversation_id);
    const other = await send(client, 'And something else entirely.', {
      conversation_id: first.conversation_id,
    });
    for (const { reply_id } of [first, other]) {
      await replyEnd(events, reply_id, replyLimit);
      const stored = await server.value(
        `select content from public.messages where id = '${reply_id}'`,
      );
      assert.equal(assemble(events, reply_id).text, stored);
    }
    await close(client);
  });
});

describe('history over REST', () => {
  let one;
  let receipts;
  before(async () => {
    one = await signedUp(server);
    receipts = [await send(one.client, 'first')];
    for (const content of ['second', 'third', 'fourth'])
      receipts.push(
        await send(one.client, content, { conversation_id: receipts[0].conversation_id }),
      );
  });

  const history = (columns = 'content,seq') =>
    one.client
      .from('messages')
      .select(columns)
      .eq('conversation_id', receipts[0].conversation_id)
      .eq('role', 'user');

  test('eq, order and limit', async () => {
    const { data, error } = await history().order('seq', { ascending: false }).limit(2);
    assert.ifError(error);
    assert.deepEqual(data.map(({ content }) => content), ['fourth', 'third']);
    const page = await history().order('seq').range(1, 2);
    assert.deepEqual(page.data.map(({ content }) => content), ['second', 'third']);
    const older = await history().lt('seq', data[1].seq).order('seq');
    assert.deepEqual(older.data.map(({ content }) => content), ['first', 'second']);
  });

  test('in, neq, not and count', async () => {
    const some = await history().in('content', ['first', 'third']).order('seq');
    assert.deepEqual(some.data.map(({ content }) => content), ['first', 'third']);
    const others = await history().neq('content', 'first').order('seq');
    assert.equal(others.data.length, 3);
    const counted = await one.client
      .from('messages')
      .select('id', { count: 'exact', head: true })
      .eq('conversation_id', receipts[0].conversation_id)
      .eq('role', 'user');
    assert.equal(counted.count, 4);
  });

  test('single finds the one row, and says so when there is none', async () => {
    const found = await history().eq('content', 'second').single();
    assert.equal(found.data.content, 'second');
    const none = await history().eq('content', 'nothing').single();
    assert.deepEqual([none.status, none.error.code], [406, 'PGRST116']);
    assert.equal((await history().eq('content', 'nothing').maybeSingle()).data, null);
  });

  test('a wrong column, table and operator are named', async () => {
    const column = await history('nothing');
    assert.deepEqual([column.status, column.error.code], [400, '42703']);
    const table = await one.client.from('nothing').select('*');
    assert.deepEqual([table.status, table.error.code], [404, 'PGRST205']);
    const operator = await history().filter('seq', 'around', '5');
    assert.deepEqual([operator.status, operator.error.code], [400, 'PGRST100']);
    const injected = await history().eq('content', `'; drop table messages; --`);
    assert.deepEqual(injected.data, []);
  });
});
