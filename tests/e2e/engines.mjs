// Replies of language models: the whole server against providers that do as they are told.
import assert from 'node:assert/strict';
import { writeFile, mkdtemp, rm } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { close, http, joinConversation, refusedSend, send, signedUp } from './harness/clients.mjs';
import { begin, ending, Provider, reasoning, refuses, says, token } from './harness/provider.mjs';
import { replyEnd } from './harness/replies.mjs';
import { Server } from './harness/server.mjs';
import { second, until } from './harness/waiting.mjs';

const key = 'sk-never-in-a-log';
let folder;
let first;
let spare;
let server;

before(async () => {
  first = await Provider.start(says('x'));
  spare = await Provider.start(says('x'));
  folder = await mkdtemp('/tmp/jessica-engines-');
  await writeFile(
    `${folder}/jessica.toml`,
    `[engine]
url = "${first.url}"
key = "${key}"
model = "small"
first_token_timeout = "5s"
[inference]
titles = false
[[providers]]
name = "spare"
url = "${spare.url}"
model = "large"
`,
  );
  server = await Server.start({ config: `${folder}/jessica.toml` });
});
after(async () => {
  await server?.remove();
  await first?.stop();
  await spare?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A conversation that is listened to, with one reply under way. */
async function asked(content, more) {
  const { client } = await signedUp(server);
  const opening = await send(client, 'Hello?');
  await until('the opening is answered', async () => {
    const { data } = await client.from('messages').select('status').eq('id', opening.reply_id).single();
    return data?.status === 'complete';
  });
  const { events } = await joinConversation(client, opening.conversation_id);
  more?.before?.();
  const receipt = await send(client, content, {
    conversation_id: opening.conversation_id,
    ...(more?.params ? { params: more.params } : {}),
  });
  return { client, events, receipt };
}

const named = (events, name, id) =>
  events.items.filter(({ event, payload }) => event === name && payload.id === id);

const textOf = (events, id, attempt) =>
  named(events, 'reply.delta', id)
    .filter(({ payload }) => payload.attempt === attempt)
    .map(({ payload }) => payload.text)
    .join('');

const rowOf = async (client, id) => {
  const { data } = await client
    .from('messages')
    .select('content,status,model,usage,error')
    .eq('id', id)
    .single();
  return data;
};

describe('a language model', () => {
  test('streams, thinks aloud, and is stored with its name and usage', async () => {
    first.answerWith(says('Hi'));
    const { client, events, receipt } = await asked('What is 6 times 7?', {
      params: { temperature: 0.5 },
      before: () =>
        first.answerWith((stream) => {
          begin(stream);
          stream.write(reasoning('six sevens'));
          stream.write(token('It is '));
          stream.write(token('42.'));
          stream.end(ending(2));
        }),
    });
    const end = await replyEnd(events, receipt.reply_id);
    assert.equal(end.event, 'reply.completed');
    assert.deepEqual(end.payload.usage, {
      prompt_tokens: 11,
      completion_tokens: 2,
      estimated: false,
    });
    assert.equal(named(events, 'reply.started', receipt.reply_id)[0].payload.model, 'small');
    assert.equal(named(events, 'reply.reasoning', receipt.reply_id)[0].payload.text, 'six sevens');
    assert.equal(textOf(events, receipt.reply_id, 1), 'It is 42.');
    const row = await rowOf(client, receipt.reply_id);
    assert.equal(row.content, 'It is 42.');
    assert.equal(row.model, 'small');
    assert.deepEqual(row.usage, { ...end.payload.usage, finish_reason: 'stop' });
    const { body, headers } = first.questions.items.at(-1);
    assert.equal(headers.authorization, `Bearer ${key}`);
    assert.equal(body.temperature, 0.5);
    assert.deepEqual(body.messages.at(-1), { role: 'user', content: 'What is 6 times 7?' });
    assert.equal(body.messages.at(-2).role, 'assistant');
    await close(client);
  });

  test('whose user stops it loses its connection within 200 ms', async () => {
    first.answerWith(says('Hi'));
    const from = first.questions.items.length;
    const { client, events, receipt } = await asked('Count to a million', {
      before: () =>
        first.answerWith((stream) => {
          begin(stream);
          stream.write(token('one '));
        }),
    });
    await events.find('a delta', ({ event }) => event === 'reply.delta');
    const question = await first.questions.find(
      'the question',
      ({ body }) => body.messages.at(-1).content === 'Count to a million',
      { from },
    );
    const asked_at = Date.now();
    const { error } = await client.functions.invoke('stop-inference', {
      body: { reply_id: receipt.reply_id },
    });
    assert.equal(error, null);
    const took = (await question.closed) - asked_at;
    assert.ok(took < 200, `${took} ms`);
    const end = await replyEnd(events, receipt.reply_id);
    assert.equal(end.event, 'reply.cancelled');
    assert.equal((await rowOf(client, receipt.reply_id)).content, 'one ');
    await close(client);
  });

  test('that is over its limit is replaced by the next one, which is named', async () => {
    first.answerWith(says('Hi'));
    spare.answerWith(says('from ', 'the spare'));
    const { client, events, receipt } = await asked('Busy?', {
      before: () => first.answerWith(refuses(429)),
    });
    const end = await replyEnd(events, receipt.reply_id);
    assert.equal(end.event, 'reply.completed');
    assert.equal(textOf(events, receipt.reply_id, 1), 'from the spare');
    assert.equal(named(events, 'reply.model', receipt.reply_id)[0].payload.model, 'large');
    assert.equal((await rowOf(client, receipt.reply_id)).model, 'large');
    await close(client);
  });

  test('that breaks off begins anew, and only the new text stays', async () => {
    first.answerWith(says('Hi'));
    const { client, events, receipt } = await asked('Tell me a story', {
      before: () =>
        first.answerWith((stream) => {
          begin(stream);
          stream.write(token('Once '));
          stream.write(token('upon'), () => stream.destroy());
        }, says('A ', 'new ', 'story')),
    });
    const end = await replyEnd(events, receipt.reply_id, 30 * second);
    assert.equal(end.event, 'reply.completed');
    assert.equal(end.payload.attempt, 2);
    assert.equal(named(events, 'reply.reset', receipt.reply_id).length, 1);
    assert.equal(textOf(events, receipt.reply_id, 2), 'A new story');
    assert.equal((await rowOf(client, receipt.reply_id)).content, 'A new story');
    await close(client);
  });

  test('that refuses the question ends the reply with its words', async () => {
    first.answerWith(says('Hi'));
    const { client, events, receipt } = await asked('Too much', {
      before: () => first.answerWith(refuses(400)),
    });
    const end = await replyEnd(events, receipt.reply_id);
    assert.equal(end.event, 'reply.failed');
    assert.equal(
      end.payload.error.message,
      'The language model refused the question. status 400',
    );
    assert.equal((await rowOf(client, receipt.reply_id)).status, 'error');
    await close(client);
  });
});

test('params that cannot be are refused when they are sent', async () => {
  const { client } = await signedUp(server);
  const { status, body } = await refusedSend(client, {
    content: 'x',
    params: { temperature: 9 },
  });
  assert.ok([400, 422].includes(status));
  assert.match(body.message, /params\.temperature must be a number from 0 to 2/);
  await close(client);
});

test('metrics count by provider, and no log holds the key', async () => {
  const { text } = await http(server, '/metrics', { key: null });
  assert.match(text, /jessica_engines_tokens_total\{provider="default"\} \d+/);
  assert.match(text, /jessica_engines_errors_total\{kind="rate_limited",provider="default"\} 1/);
  assert.match(text, /jessica_engines_open_streams\{provider="default"\} 0/);
  assert.ok(!JSON.stringify(server.log.items).includes(key));
});
