// What a language model is asked beside the replies: names of conversations; and how much of a
// long conversation it is shown.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { send, signedUp } from './harness/clients.mjs';
import { Provider, refuses, says } from './harness/provider.mjs';
import { Server } from './harness/server.mjs';
import { Inbox, until } from './harness/waiting.mjs';

let folder;
let provider;
let server;
/** Told by the test: what a question for a title is answered with. */
let named = says('A title');

const asksForTitle = (body) => body.messages[0].content.startsWith('You name conversations');
const answer = (stream, body) => (asksForTitle(body) ? named : says('Sure.'))(stream, body);

before(async () => {
  provider = await Provider.start(answer);
  folder = await mkdtemp('/tmp/jessica-titles-');
  await writeFile(
    `${folder}/jessica.toml`,
    `[engine]
url = "${provider.url}"
model = "gpt-4o-mini"
context_tokens = 500
reply_tokens = 100
`,
  );
  server = await Server.start({ config: `${folder}/jessica.toml` });
});
after(async () => {
  await server?.remove();
  await provider?.stop();
  await rm(folder, { recursive: true, force: true });
});

const titleOf = async (client, id) => {
  const { data } = await client.from('conversations').select('title').eq('id', id).single();
  return data.title;
};

async function answered(client, receipt) {
  await until('the reply is stored', async () => {
    const { data } = await client.from('messages').select('status').eq('id', receipt.reply_id).single();
    return data?.status === 'complete';
  });
}

const titleQuestions = () => provider.questions.items.filter(({ body }) => asksForTitle(body));

describe('titles', () => {
  test('a conversation is named after its first exchange, and who looks on hears of it', async () => {
    named = says('"Ferry', ' times', '."');
    const { client } = await signedUp(server);
    const changes = new Inbox();
    await new Promise((resolve, reject) =>
      client
        .channel('list')
        .on('postgres_changes', { event: '*', schema: 'public', table: 'conversations' }, (change) =>
          changes.push(change),
        )
        .subscribe((status, why) =>
          status === 'SUBSCRIBED' ? resolve() : status === 'CHANNEL_ERROR' ? reject(why) : 0,
        ),
    );
    const receipt = await send(client, 'When does the ferry leave?');
    await until('the title is there', async () =>
      (await titleOf(client, receipt.conversation_id)) === 'Ferry times');
    await until('the change is told', () =>
      changes.items.some(({ eventType, new: row }) => eventType === 'UPDATE' && row.title === 'Ferry times'));
    const { body } = titleQuestions().at(-1);
    assert.equal(body.model, 'gpt-4o-mini');
    assert.match(body.messages[1].content, /When does the ferry leave\?[^]*Sure\./);
  });

  test('a title that its owner chose stays, and no model is asked for another', async () => {
    const { client } = await signedUp(server);
    const { data } = await client.from('conversations').insert({ title: 'My journey' }).select('id').single();
    const before = titleQuestions().length;
    const receipt = await send(client, 'When?', { conversation_id: data.id });
    await answered(client, receipt);
    await answered(client, await send(client, 'And then?', { conversation_id: data.id }));
    assert.equal(await titleOf(client, data.id), 'My journey');
    assert.equal(titleQuestions().length, before);
  });

  test('a title that fails costs no reply, and the next exchange asks again', async () => {
    named = refuses(400);
    const { client } = await signedUp(server);
    const before = titleQuestions().length;
    const receipt = await send(client, 'When does the bus leave?');
    await answered(client, receipt);
    await until('the model was asked', () => titleQuestions().length > before);
    assert.equal(await titleOf(client, receipt.conversation_id), 'When does the bus leave?');
    named = says('Bus times');
    await answered(client, await send(client, 'Well?', { conversation_id: receipt.conversation_id }));
    await until('the title is there', async () =>
      (await titleOf(client, receipt.conversation_id)) === 'Bus times');
  });
});

describe('a long conversation', () => {
  test('is shown to the model as far as it fits its window, the newest turns first', async () => {
    const { client } = await signedUp(server);
    const words = 'word '.repeat(100);
    let id;
    for (const n of [1, 2, 3, 4, 5]) {
      const receipt = await send(client, `${n} ${words}`, id ? { conversation_id: id } : {});
      id = receipt.conversation_id;
      await answered(client, receipt);
    }
    const last = provider.questions.items.filter(({ body }) => !asksForTitle(body)).at(-1).body;
    const shown = last.messages.filter(({ role }) => role === 'user').map(({ content }) => content[0]);
    assert.deepEqual(shown, ['3', '4', '5']);
    assert.equal(last.messages[0].role, 'user');
  });

  test('whose last message alone is too long is asked with it all the same', async () => {
    const { client } = await signedUp(server);
    const receipt = await send(client, 'word '.repeat(2000));
    await answered(client, receipt);
    const last = provider.questions.items.filter(({ body }) => !asksForTitle(body)).at(-1).body;
    assert.equal(last.messages.length, 1);
  });
});
