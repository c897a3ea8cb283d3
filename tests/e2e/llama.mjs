// Against a real language model's server: llama.cpp's, with a model of a few words.
//   ./dev test peers
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { joinConversation, send, signedUp } from './harness/clients.mjs';
import { Llama } from './harness/llama.mjs';
import { assemble, replyDeltas, replyEnd } from './harness/replies.mjs';
import { Server } from './harness/server.mjs';
import { until } from './harness/waiting.mjs';

const command = process.env.JESSICA_LLAMA;
let folder;
let llama;
let server;

before(async () => {
  assert.ok(command, 'JESSICA_LLAMA names the command; ./dev test peers sets it');
  folder = await mkdtemp('/tmp/jessica-llama-');
  llama = await Llama.start(command, folder);
  await writeFile(
    `${folder}/jessica.toml`,
    `[engine]\nurl = "${llama.url}/v1"\nconnect_timeout = "2s"\n[inference]\ntitles = false\n`,
  );
  server = await Server.start({ config: `${folder}/jessica.toml` });
});
after(async () => {
  await server?.remove();
  await llama?.kill();
  await rm(folder, { recursive: true, force: true });
});

const rowOf = async (client, id) => {
  const columns = 'status,content,model,usage,error';
  const { data } = await client.from('messages').select(columns).eq('id', id).single();
  return data;
};

/** A conversation that is listened to from before its first long reply. */
async function asked(content, params) {
  const { client } = await signedUp(server);
  const opening = await send(client, 'Hello', { params: { max_tokens: 2, temperature: 0 } });
  await until('the opening is answered', async () =>
    (await rowOf(client, opening.reply_id))?.status === 'complete');
  const { channel, events } = await joinConversation(client, opening.conversation_id);
  const conversation_id = opening.conversation_id;
  const receipt = await send(client, content, { conversation_id, params });
  return { client, channel, events, receipt };
}

describe('llama.cpp', () => {
  test('streams a reply that is stored as it was streamed, with the usage it counts', async () => {
    const { client, events, receipt } = await asked('Say something', { max_tokens: 40 });
    const { payload } = await replyEnd(events, receipt.reply_id);
    const told = assemble(events, receipt.reply_id);
    const row = await rowOf(client, receipt.reply_id);
    assert.equal(told.end, 'completed');
    assert.equal(row.status, 'complete');
    assert.equal(row.content, told.text);
    assert.match(row.content, /^( [a-z]+){40}$/);
    assert.equal(payload.finish_reason, 'length');
    assert.equal(row.usage.completion_tokens, 40);
    assert.equal(row.usage.estimated, false);
    assert.match(row.model, /tiny\.gguf$/);
  });

  test('writes the same for the same temperature of 0', async () => {
    const texts = [];
    for (let n = 0; n < 2; ++n) {
      const { client, events, receipt } = await asked('Again', { max_tokens: 12, temperature: 0 });
      await replyEnd(events, receipt.reply_id);
      texts.push((await rowOf(client, receipt.reply_id)).content);
    }
    assert.equal(texts[0], texts[1]);
  });

  test('stops writing when its user stops the reply, and keeps what there was', async () => {
    const { client, channel, events, receipt } = await asked('Go on and on', { max_tokens: 100000 });
    await replyDeltas(events, receipt.reply_id, 3);
    await channel.send({ type: 'broadcast', event: 'reply.stop', payload: { id: receipt.reply_id } });
    await replyEnd(events, receipt.reply_id);
    assert.equal(assemble(events, receipt.reply_id).end, 'cancelled');
    await until('its slots are free', async () => (await llama.busy()) === 0);
    const row = await rowOf(client, receipt.reply_id);
    assert.equal(row.status, 'cancelled');
    assert.match(row.content, /^( [a-z]+)+/);
  });

  test('serves eight conversations at once on four slots', async () => {
    const all = await Promise.all(
      Array.from({ length: 8 }, () => asked('All together', { max_tokens: 60 })),
    );
    for (const { events, receipt } of all) {
      await replyEnd(events, receipt.reply_id);
      const told = assemble(events, receipt.reply_id);
      assert.equal(told.end, 'completed');
      assert.equal(told.text.trim().split(' ').length, 60);
    }
  });

  test('dies in the middle of a reply: the reply is begun anew and completed', async () => {
    const { client, events, receipt } = await asked('Go on', { max_tokens: 3000 });
    await replyDeltas(events, receipt.reply_id, 3);
    await llama.kill();
    await llama.startAgain();
    await replyEnd(events, receipt.reply_id, 60_000);
    const told = assemble(events, receipt.reply_id);
    assert.equal(told.end, 'completed');
    assert.ok(told.resets >= 1);
    assert.equal((await rowOf(client, receipt.reply_id)).content, told.text);
  });
});
