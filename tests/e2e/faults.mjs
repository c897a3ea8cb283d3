// What breaks: the database, the server, and the moment of stopping.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { close, joinConversation, newEmail, password, send, signedUp } from './harness/clients.mjs';
import { RawSocket } from './harness/raw_socket.mjs';
import { assemble, replyDeltas, replyEnd } from './harness/replies.mjs';
import { Server } from './harness/server.mjs';
import { Inbox, second, until, within } from './harness/waiting.mjs';
import { connect, sendMessage, subscribeToMessages } from '../../web/src/supabase_adapter.js';

const pace = 10;
const takeoverLimit = 45 * second;
const question = 'Tell me something long enough to be interrupted in the middle of it.';

describe('faults', () => {
  let server;
  beforeEach(async () => {
    server = await Server.start({ 'inference-tokens-per-second': pace });
  });
  afterEach(() => server?.remove());

  const rowOf = async (id) =>
    (await server.sql(`select status, content from public.messages where id = '${id}'`))[0];

  test('PostgreSQL is killed in the middle of a reply', async () => {
    const { client } = await signedUp(server);
    const receipt = await send(client, question);
    const { events } = await joinConversation(client, receipt.conversation_id);
    await replyDeltas(events, receipt.reply_id, 3);
    const killed = await server.postmaster();
    process.kill(killed, 'SIGKILL');

    const end = await replyEnd(events, receipt.reply_id, takeoverLimit);
    assert.ok(['reply.completed', 'reply.failed'].includes(end.event), end.event);
    const heard = assemble(events, receipt.reply_id);
    await until('the database is back', () => server.value('select 1').catch(() => null));
    assert.notEqual(await server.postmaster(), killed);
    const [status, content] = await rowOf(receipt.reply_id);
    assert.equal(status, end.event === 'reply.completed' ? 'complete' : 'error');
    if (status === 'complete') assert.equal(content, heard.text);

    const next = await sendMessage(client, {
      content: 'Are you back?',
      conversationId: receipt.conversation_id,
      tries: 10,
    });
    assert.equal((await replyEnd(events, next.reply_id, takeoverLimit)).event, 'reply.completed');
    await close(client);
  });

  test('the server is killed in the middle of a reply and started again', async () => {
    const client = await connect({
      url: server.url,
      options: { auth: { persistSession: false, autoRefreshToken: false } },
    });
    assert.ifError((await client.auth.signUp({ email: newEmail(), password })).error);
    const receipt = await sendMessage(client, { content: question });
    const [replies, events] = [new Inbox(), new Inbox()];
    const subscription = subscribeToMessages(client, receipt.conversation_id, {
      onReply: (reply, event) => {
        replies.push({ ...reply });
        events.push(event);
      },
    });
    await replies.find('some text', ({ seq }) => seq >= 3);
    await server.kill();
    await server.startAgain();
    assert.deepEqual(
      await server.value(`select content from public.messages where id = '${receipt.message_id}'`),
      question,
      'what was acknowledged is still there',
    );

    const reply = await replies.find('the reply', ({ status }) => status === 'complete', {
      limit: takeoverLimit,
    });
    assert.equal(reply.attempt, 2);
    assert.ok(events.items.includes('reply.reset'), 'the new attempt was announced');
    assert.deepEqual(await rowOf(receipt.reply_id), ['complete', reply.text]);
    const attempts = replies.items.map(({ attempt }) => attempt);
    assert.deepEqual(attempts, [...attempts].sort(), 'no event of the first attempt afterwards');
    await subscription.stop();
    await close(client);
  });

  test('everything acknowledged before kill -9 is there afterwards', async () => {
    const { client } = await signedUp(server);
    const first = await send(client, 'The first');
    const acknowledged = [first];
    let sending = true;
    const senders = Array.from({ length: 4 }, async () => {
      while (sending) {
        const { data } = await client.functions.invoke('enqueue-inference', {
          body: { content: 'More', conversation_id: first.conversation_id },
        });
        if (data) acknowledged.push(data);
      }
    });
    await until('many were acknowledged', () => acknowledged.length >= 40);
    await server.kill();
    sending = false;
    await Promise.all(senders);
    await server.startAgain();
    const ids = acknowledged.flatMap(({ message_id, reply_id }) => [message_id, reply_id]);
    const found = await server.value(
      `select count(*) from public.messages where id in ('${ids.join("','")}')`,
    );
    assert.equal(Number(found), ids.length);
    const jobs = acknowledged.map(({ job_id }) => job_id);
    const kept = await server.value(
      `select count(*) from public.inference_jobs where id in (${jobs.join(',')})`,
    );
    assert.equal(Number(kept), jobs.length);
    await close(client);
  });

  test('rows answered 201 are there after PostgreSQL is killed amid parallel inserts', async () => {
    const { client } = await signedUp(server);
    const stored = [];
    let others = 0;
    let writing = true;
    const writers = Array.from({ length: 24 }, async () => {
      while (writing) {
        const id = crypto.randomUUID();
        const { status } = await client.from('conversations').insert({ id });
        if (status === 201) stored.push(id);
        else ++others;
      }
    });
    await until('many are stored', () => stored.length >= 2000);
    process.kill(await server.postmaster(), 'SIGKILL');
    await until('the loss is noticed', () => others > 0);
    const before = stored.length;
    await until('writing goes on', () => stored.length > before + 100, takeoverLimit);
    writing = false;
    await Promise.all(writers);
    const kept = await server.value(
      `select count(*) from public.conversations where id in ('${stored.join("','")}')`,
    );
    assert.equal(Number(kept), stored.length);
    await close(client);
  });

  test('SIGTERM in the middle of replies: sockets close with 1012, exit code 0', async () => {
    const { client, session } = await signedUp(server);
    const receipts = [await send(client, question)];
    const { conversation_id } = receipts[0];
    for (let more = 0; more < 4; ++more)
      receipts.push(await send(client, question, { conversation_id }));
    const raw = await RawSocket.open(server);
    const joined = await raw.join(`conversation:${conversation_id}`, {
      token: session.access_token,
      isPrivate: true,
    });
    assert.equal(joined.status, 'ok');
    await raw.frames.find('a delta', ({ payload }) => payload.event === 'reply.delta');
    const idle = await RawSocket.open(server, { vsn: '1.0.0' });

    await server.stop(); // asserts the exit code
    for (const socket of [raw, idle]) {
      const { code } = await within(5 * second, 'the socket is closed', socket.closed);
      assert.equal(code, 1012);
    }

    await server.startAgain();
    await until(
      'all replies are complete',
      async () => {
        const ids = receipts.map(({ reply_id }) => `'${reply_id}'`).join(',');
        const open = await server.value(
          `select count(*) from public.messages where id in (${ids}) and status <> 'complete'`,
        );
        return open === '0';
      },
      takeoverLimit,
      250,
    );
    await close(client);
  });
});
