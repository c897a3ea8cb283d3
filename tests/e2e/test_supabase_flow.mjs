// The whole story with the unmodified client: sign up, sign in, send, stream, stored.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  close,
  joinConversation,
  makeClient,
  newEmail,
  password,
  send,
  versions,
} from './harness/clients.mjs';
import { assemble, replyDeltas, replyEnd } from './harness/replies.mjs';
import { Server } from './harness/server.mjs';
import { Inbox } from './harness/waiting.mjs';

let server;
before(async () => {
  server = await Server.start({ 'inference-tokens-per-second': 20 });
});
after(() => server?.remove());

for (const vsn of versions)
  describe(`Realtime protocol ${vsn}`, () => {
    test('sign up, sign in, enqueue-inference, the reply streams and is stored', async () => {
      const client = makeClient(server, { vsn });
      const email = newEmail();
      const signedUp = await client.auth.signUp({ email, password });
      assert.ifError(signedUp.error);
      const { data, error } = await client.auth.signInWithPassword({ email, password });
      assert.ifError(error);
      assert.equal(data.user.id, signedUp.data.user.id);

      const content = 'Please tell me how a reply gets from you to me, in some detail.';
      const receipt = await send(client, content);
      assert.equal(receipt.topic, `conversation:${receipt.conversation_id}`);
      const [stored] = await server.sql(
        `select user_id, role, status, content, conversation_id from public.messages
          where id = '${receipt.message_id}'`,
      );
      assert.deepEqual(stored, [data.user.id, 'user', 'complete', content, receipt.conversation_id]);
      const job = await server.value(
        `select reply_id from public.inference_jobs where id = ${receipt.job_id}`,
      );
      assert.equal(job, receipt.reply_id);

      const { events } = await joinConversation(client, receipt.conversation_id);
      await replyDeltas(events, receipt.reply_id, 3);
      const end = await replyEnd(events, receipt.reply_id);
      assert.equal(end.event, 'reply.completed');
      assert.equal(typeof end.payload.usage.completion_tokens, 'number');

      const heard = assemble(events, receipt.reply_id);
      const [reply] = await server.sql(
        `select status, content, role from public.messages where id = '${receipt.reply_id}'`,
      );
      assert.deepEqual(reply, ['complete', heard.text, 'assistant']);
      assert.equal(
        await server.value(`select status from public.inference_jobs where id = ${receipt.job_id}`),
        'done',
      );
      await close(client);
    });

    test('a channel joined before the message hears the reply from its first token', async () => {
      const client = makeClient(server, { vsn });
      assert.ifError((await client.auth.signUp({ email: newEmail(), password })).error);
      const first = await send(client, 'Hello');
      const { events } = await joinConversation(client, first.conversation_id);
      await replyEnd(events, first.reply_id);

      const second = await send(client, 'And once more, please.', {
        conversation_id: first.conversation_id,
      });
      assert.equal(second.conversation_id, first.conversation_id);
      await replyEnd(events, second.reply_id);
      const heard = assemble(events, second.reply_id);
      assert.equal(heard.snapshots, 0);
      assert.equal(heard.end, 'completed');
      const kinds = events.items.filter(({ payload }) => payload.id === second.reply_id);
      assert.equal(kinds[0].event, 'reply.started');
      assert.equal(kinds[0].payload.message_id, second.message_id);
      assert.equal(kinds[0].payload.attempt, 1);
      await close(client);
    });

    test('message.send over the channel is acknowledged and answered', async () => {
      const client = makeClient(server, { vsn });
      assert.ifError((await client.auth.signUp({ email: newEmail(), password })).error);
      const first = await send(client, 'Hello');
      const { channel, events } = await joinConversation(client, first.conversation_id);
      await replyEnd(events, first.reply_id);

      const clientId = crypto.randomUUID();
      const answer = await channel.send({
        type: 'broadcast',
        event: 'message.send',
        payload: { client_id: clientId, content: 'Sent over the channel' },
      });
      assert.equal(answer, 'ok');
      const [[message, reply]] = await server.sql(
        `select m.id, j.reply_id from public.messages m join public.inference_jobs j
            on j.message_id = m.id where m.client_id = '${clientId}'`,
      );
      assert.ok(message);
      await replyEnd(events, reply);
      assert.equal(assemble(events, reply).end, 'completed');
      await close(client);
    });
  });

test('two listeners with different protocols hear the same text', async () => {
  const [one, two] = versions.map((vsn) => makeClient(server, { vsn }));
  const email = newEmail();
  assert.ifError((await one.auth.signUp({ email, password })).error);
  assert.ifError((await two.auth.signInWithPassword({ email, password })).error);
  const first = await send(one, 'Hello');
  const heard = [new Inbox(), new Inbox()];
  await joinConversation(one, first.conversation_id, heard[0]);
  await joinConversation(two, first.conversation_id, heard[1]);
  const next = await send(two, 'Both of you listen.', { conversation_id: first.conversation_id });
  const texts = [];
  for (const events of heard) {
    await replyEnd(events, next.reply_id);
    texts.push(assemble(events, next.reply_id).text);
  }
  assert.ok(texts[0].length > 0);
  assert.equal(texts[0], texts[1]);
  await close(one, two);
});
