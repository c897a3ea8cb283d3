// Branches with the real client: edits, other replies, a choice, a reply that goes on, devices.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { close, joinConversation, send, signedIn, signedUp } from './harness/clients.mjs';
import { replyDeltas, replyEnd } from './harness/replies.mjs';
import { Server } from './harness/server.mjs';
import { Inbox, second, until } from './harness/waiting.mjs';

const replyLimit = 40 * second;

/** A function of the server; {data} or {status, body} of a refusal. */
async function invoke(client, name, body) {
  const { data, error } = await client.functions.invoke(name, { body });
  if (!error) return { data };
  return { status: error.context.status, body: await error.context.json() };
}

async function begin(client, name, body) {
  const { data, ...refused } = await invoke(client, name, body);
  assert.ok(data, JSON.stringify(refused));
  return data;
}

async function path(client, conversation_id) {
  const { data, error } = await client.rpc('conversation_path', { conversation_id }).order('seq');
  assert.ifError(error);
  return data;
}

/** The branch as "text n/of". */
const shown = (rows) =>
  rows.map(({ id, role, content, siblings }) => {
    const text = role === 'user' ? content : 're';
    return siblings.length > 1 ? `${text} ${siblings.indexOf(id) + 1}/${siblings.length}` : text;
  });

const stored = (client, id) =>
  until('the reply is stored', async () => {
    const { data } = await client.from('messages').select('*').eq('id', id).single();
    return ['complete', 'cancelled', 'error'].includes(data.status) && data;
  });

describe('branches', () => {
  let server;
  before(async () => {
    server = await Server.start({ 'inference-tokens-per-second': 0 });
  });
  after(() => server?.remove());

  /** A conversation of these messages, all replies stored. */
  async function conversation(client, ...texts) {
    const receipts = [];
    for (const content of texts) {
      const more = receipts.length > 0 && { conversation_id: receipts[0].conversation_id };
      receipts.push(await send(client, content, more || {}));
      await stored(client, receipts.at(-1).reply_id);
    }
    return receipts;
  }

  test('an edit keeps the old version and answers with the history of the new one', async () => {
    const { client } = await signedUp(server);
    const [one, two] = await conversation(client, 'My dog is Rex', 'What is his name?', 'And now?');
    const edited = await begin(client, 'edit-message', {
      message_id: two.message_id,
      content: 'What did I say?',
    });
    assert.equal(edited.conversation_id, one.conversation_id);
    assert.equal(edited.topic, one.topic);
    const reply = await stored(client, edited.reply_id);
    assert.match(reply.content, /one message from you/, 'the prompt follows the branch');
    assert.deepEqual(shown(await path(client, one.conversation_id)), [
      'My dog is Rex',
      're',
      'What did I say? 2/2',
      're',
    ]);
    const { data: all } = await client.from('messages').select('id');
    assert.equal(all.length, 8, 'all is kept');
    await close(client);
  });

  test('the same client_id twice is one edit, over the function and rpc', async () => {
    const { client } = await signedUp(server);
    const [one] = await conversation(client, 'Hello');
    const body = { message_id: one.message_id, content: 'Hallo', client_id: randomUUID() };
    const first = await begin(client, 'edit-message', body);
    assert.deepEqual(await begin(client, 'edit-message', body), first);
    const { data, error } = await client.rpc('edit_message', body);
    assert.ifError(error);
    assert.deepEqual(data, [
      { message_id: first.message_id, reply_id: first.reply_id, job_id: first.job_id },
    ]);
    await close(client);
  });

  test('a reply is asked for twice more, a choice is followed, and sends go on there', async () => {
    const { client, email } = await signedUp(server);
    const [one, two] = await conversation(client, 'One', 'Two');
    const second_ = await begin(client, 'regenerate-reply', { reply_id: one.reply_id });
    assert.equal(second_.message_id, one.message_id);
    await stored(client, second_.reply_id);
    const third = await client.rpc('regenerate_reply', { reply_id: second_.reply_id });
    assert.ifError(third.error);
    await stored(client, third.data[0].reply_id);
    assert.deepEqual(shown(await path(client, one.conversation_id)), ['One', 're 3/3']);

    const device = (await signedIn(server, email)).client;
    const changes = new Inbox();
    await device.realtime.setAuth();
    await new Promise((resolve) => {
      device
        .channel('list')
        .on('postgres_changes', { event: '*', schema: 'public', table: 'conversations' }, (change) =>
          changes.push(change),
        )
        .subscribe((status) => status === 'SUBSCRIBED' && resolve());
    });
    const chosen = await begin(client, 'select-branch', { message_id: one.reply_id });
    assert.deepEqual(chosen, { conversation_id: one.conversation_id, message_id: one.reply_id });
    const { new: row } = await changes.find('the choice', (change) => change.new.head_seq !== null);
    const rows = await path(device, one.conversation_id);
    assert.equal(row.head_seq, rows.at(-1).seq);
    assert.deepEqual(shown(rows), ['One', 're 1/3', 'Two', 're']);

    const next = await send(device, 'Three', { conversation_id: one.conversation_id });
    await stored(device, next.reply_id);
    assert.deepEqual(shown(await path(client, one.conversation_id)), [
      ...['One', 're 1/3', 'Two', 're', 'Three', 're'],
    ]);
    assert.equal((await client.rpc('select_branch', { message_id: second_.reply_id })).error, null);
    assert.deepEqual(shown(await path(client, one.conversation_id)), ['One', 're 2/3']);
    assert.ok(two.reply_id);
    await close(client, device);
  });

  test('the rule of three lines gives the same branch from the rows alone', async () => {
    const { client } = await signedUp(server);
    const [one, two] = await conversation(client, 'One', 'Two', 'Three');
    await begin(client, 'edit-message', { message_id: two.message_id, content: 'Zwei' });
    await begin(client, 'edit-message', { message_id: one.message_id, content: 'Eins' });
    for (const id of [two.message_id, one.message_id]) {
      await begin(client, 'select-branch', { message_id: id });
      const [{ data: rows }, { data: room }] = await Promise.all([
        client.from('messages').select('*').order('seq', { ascending: false }),
        client.from('conversations').select('head_seq').single(),
      ]);
      let upto = room.head_seq ?? Infinity;
      const branch = [];
      for (const row of rows)
        if (row.seq <= upto) {
          branch.unshift(row.id);
          upto = row.after_seq ?? row.seq - 1;
        }
      assert.deepEqual(branch, (await path(client, one.conversation_id)).map((row) => row.id));
    }
    await close(client);
  });

  test("nobody reaches another's messages, and what is not there is not told apart", async () => {
    const { client } = await signedUp(server);
    const [one] = await conversation(client, 'Mine');
    const stranger = (await signedUp(server)).client;
    for (const [name, field, id, code] of [
      ['edit-message', 'message_id', one.message_id, 'message_not_found'],
      ['select-branch', 'message_id', one.message_id, 'message_not_found'],
      ['regenerate-reply', 'reply_id', one.reply_id, 'reply_not_found'],
      ['continue-reply', 'reply_id', one.reply_id, 'reply_not_found'],
    ]) {
      const content = name === 'edit-message' ? { content: 'x' } : {};
      const foreign = await invoke(stranger, name, { [field]: id, ...content });
      assert.deepEqual([foreign.status, foreign.body?.code], [404, code], name);
      assert.deepEqual(await invoke(stranger, name, { [field]: randomUUID(), ...content }), foreign);
      const bad = await invoke(client, name, { [field]: 'nonsense', ...content });
      assert.equal(bad.status, 400);
    }
    assert.deepEqual(await path(stranger, one.conversation_id), []);
    await close(client, stranger);
  });
});

describe('a reply that goes on', () => {
  const question = 'Tell me about the numbered stream, with all the detail you can give.';
  let server;
  before(async () => {
    server = await Server.start({ 'inference-tokens-per-second': 12 });
  });
  after(() => server?.remove());

  /** Stopped in the middle: {client, receipt, events, half}. */
  async function stopped() {
    const { client, email } = await signedUp(server);
    const receipt = await send(client, question);
    const { events } = await joinConversation(client, receipt.conversation_id);
    await replyDeltas(events, receipt.reply_id, 4);
    await begin(client, 'stop-inference', { reply_id: receipt.reply_id });
    await replyEnd(events, receipt.reply_id, replyLimit);
    const half = await stored(client, receipt.reply_id);
    assert.equal(half.status, 'cancelled');
    return { client, email, receipt, events, half };
  }
  const of = (events, from, event, id) =>
    events.items.slice(from).filter((one) => one.event === event && one.payload.id === id);

  test('after a stop, to its end, before the eyes of two devices', async () => {
    const { client, email, receipt, events, half } = await stopped();
    const device = (await signedIn(server, email)).client;
    const there = await joinConversation(device, receipt.conversation_id);
    const from = events.items.length;
    const more = await begin(client, 'continue-reply', { reply_id: receipt.reply_id });
    assert.equal(more.reply_id, receipt.reply_id);
    assert.notEqual(more.job_id, receipt.job_id);
    const again = await invoke(client, 'continue-reply', { reply_id: receipt.reply_id });
    assert.deepEqual([again.status, again.body.code], [409, 'reply_running']);
    for (const [inbox, start] of [[events, from], [there.events, 0]]) {
      await inbox.find('the end', ({ event }) => event === 'reply.completed', {
        from: start,
        limit: replyLimit,
      });
      const id = receipt.reply_id;
      const heard = inbox.items.slice(start).filter(({ payload }) => payload.id === id);
      assert.deepEqual(heard.slice(0, 3).map(({ event }) => event), [
        ...['reply.reset', 'reply.started', 'reply.snapshot'],
      ]);
      assert.ok(heard.every(({ payload }) => payload.attempt === 2));
      assert.deepEqual(
        [heard[2].payload.seq, heard[2].payload.text, heard[0].payload.reason],
        [0, half.content, 'continue'],
      );
      const deltas = of(inbox, start, 'reply.delta', id);
      assert.equal(deltas[0].payload.first_seq, 1);
      const text = half.content + deltas.map(({ payload }) => payload.text).join('');
      const whole = await stored(client, id);
      assert.equal(whole.content, text);
      assert.equal(whole.status, 'complete');
      assert.ok(whole.usage.completion_tokens > half.usage.completion_tokens);
      assert.ok(whole.usage.prompt_tokens > half.usage.prompt_tokens);
    }
    assert.equal((await path(client, receipt.conversation_id)).length, 2);
    await close(client, device);
  });

  test('a stop of what goes on keeps both parts', async () => {
    const { client, receipt, events, half } = await stopped();
    const from = events.items.length;
    await begin(client, 'continue-reply', { reply_id: receipt.reply_id });
    await events.find('a delta', ({ event }) => event === 'reply.delta', { from });
    await begin(client, 'stop-inference', { reply_id: receipt.reply_id });
    await events.find('its end', ({ event }) => event === 'reply.cancelled', { from });
    const more = await stored(client, receipt.reply_id);
    assert.ok(more.content.startsWith(half.content));
    assert.ok(more.content.length > half.content.length);
    await close(client);
  });

  test('another reply, and an edit, stop the one that is being written', async () => {
    const { client } = await signedUp(server);
    const receipt = await send(client, question);
    const { events } = await joinConversation(client, receipt.conversation_id);
    await replyDeltas(events, receipt.reply_id, 2);
    const other = await begin(client, 'regenerate-reply', { reply_id: receipt.reply_id });
    assert.equal((await replyEnd(events, receipt.reply_id)).event, 'reply.cancelled');
    await replyDeltas(events, other.reply_id, 2);
    const edit = { message_id: receipt.message_id, content: 'Something shorter.' };
    const edited = await begin(client, 'edit-message', edit);
    assert.equal((await replyEnd(events, other.reply_id)).event, 'reply.cancelled');
    const kept = await stored(client, receipt.reply_id);
    assert.equal(kept.status, 'cancelled');
    assert.ok(kept.content.length > 0, 'with the text so far');
    assert.equal((await replyEnd(events, edited.reply_id, replyLimit)).event, 'reply.completed');
    await close(client);
  });

  test('kill -9 in the middle of it keeps the old text, and it goes on', async () => {
    const { client, receipt, events, half } = await stopped();
    const from = events.items.length;
    await begin(client, 'continue-reply', { reply_id: receipt.reply_id });
    await events.find('a delta', ({ event }) => event === 'reply.delta', { from });
    await server.kill();
    await server.startAgain();
    const row = await client.from('messages').select('*').eq('id', receipt.reply_id).single();
    assert.ok(row.data.content.startsWith(half.content), 'the old text is there');
    const whole = await until(
      'it is complete',
      async () => {
        const { data } = await client
          .from('messages')
          .select('*')
          .eq('id', receipt.reply_id)
          .single();
        return data?.status === 'complete' && data;
      },
      replyLimit,
    );
    assert.ok(whole.content.startsWith(half.content));
    assert.ok(whole.content.length > half.content.length);
    assert.equal(
      await server.value(`select max(attempts) from public.inference_jobs
        where reply_id = '${receipt.reply_id}'`),
      '3',
    );
    await close(client);
  });
});
