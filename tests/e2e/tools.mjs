// Tools: the whole server between a model that calls them and servers that do the work.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { chromium } from 'playwright-core';
import { close, joinConversation, newEmail, password, refusedSend, send, signedUp } from './harness/clients.mjs';
import { EmbeddingsServer } from './harness/embeddings.mjs';
import { begin, ending, Provider, says, token } from './harness/provider.mjs';
import { assemble, replyEnd } from './harness/replies.mjs';
import { Server } from './harness/server.mjs';
import { Inbox, second, until } from './harness/waiting.mjs';

const key = 'sk-tool-never-in-a-log';
let folder;
let model;
let desk;
let embeddings;
let server;

/** The server of a tool: it does what a test says, call by call. */
class Desk {
  calls = new Inbox();
  handler = (response) => response.end('{}');
  #server;

  static async start() {
    const desk = new Desk();
    desk.#server = createServer(async (request, response) => {
      let body = '';
      for await (const part of request) body += part;
      const closed = new Promise((resolve) => response.on('close', resolve));
      desk.calls.push({ path: request.url, headers: request.headers, body: JSON.parse(body), closed });
      desk.handler(response, JSON.parse(body));
    });
    desk.#server.listen(0, '127.0.0.1');
    await once(desk.#server, 'listening');
    desk.url = `http://127.0.0.1:${desk.#server.address().port}`;
    return desk;
  }

  async stop() {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const piece = (...calls) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { tool_calls: calls } }] })}\n\n`;
const callsEnd = `data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] })}\n\n` +
  `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 5, completion_tokens: 3 } })}\n\ndata: [DONE]\n\n`;

/** A model that says words, then calls; each call is [id, name, arguments]. */
const callsFor =
  (words, ...calls) =>
  (stream) => {
    begin(stream);
    if (words) stream.write(token(words));
    calls.forEach(([id, name, args], index) => {
      const half = args.length >> 1;
      stream.write(piece({ index, id, type: 'function', function: { name, arguments: args.slice(0, half) } }));
      stream.write(piece({ index, function: { arguments: args.slice(half) } }));
    });
    stream.end(callsEnd);
  };

before(async () => {
  model = await Provider.start(says('x'));
  desk = await Desk.start();
  embeddings = await EmbeddingsServer.start();
  folder = await mkdtemp('/tmp/jessica-tools-');
  await writeFile(`${folder}/tool.key`, `${key}\n`);
  await writeFile(
    `${folder}/jessica.toml`,
    `[engine]
url = "${model.url}"
model = "small"
tool_rounds = 2
[inference]
titles = false
[[tools]]
name = "weather"
description = "What the weather is like in a city."
url = "${desk.url}/weather"
key_file = "${folder}/tool.key"
timeout = "2s"
[tools.parameters]
type = "object"
required = ["city"]
[tools.parameters.properties.city]
type = "string"
[[tools]]
name = "clock"
description = "What time it is."
url = "${desk.url}/clock"
max_result_bytes = 64
`,
  );
  server = await Server.start({ config: `${folder}/jessica.toml`, ...embeddings.settings });
});
after(async () => {
  await server?.remove();
  await model?.stop();
  await desk?.stop();
  await embeddings?.stop();
  await rm(folder, { recursive: true, force: true });
});

const rowOf = async (client, id) => {
  const { data, error } = await client
    .from('messages')
    .select('content,status,model,usage,tools')
    .eq('id', id)
    .single();
  assert.ifError(error);
  return data;
};

/** A conversation that is listened to, with one reply under way. */
async function asked(content, handlers, { params, metadata } = {}) {
  const { client } = await signedUp(server);
  const { data, error } = await client.from('conversations').insert({ metadata: metadata ?? {} }).select().single();
  assert.ifError(error);
  const { events } = await joinConversation(client, data.id);
  model.answerWith(...handlers);
  const from = model.questions.items.length;
  const receipt = await send(client, content, { conversation_id: data.id, ...(params ? { params } : {}) });
  return { client, events, receipt, questions: () => model.questions.items.slice(from) };
}

const toolEvents = (events, id) =>
  events.items.filter(({ event, payload }) => event === 'reply.tool' && payload.id === id).map(({ payload }) => payload);

describe('tools', () => {
  test('a model calls them, reads what they say, and the reply is one', async () => {
    desk.handler = (response, { name }) => {
      response.setHeader('content-type', 'application/json');
      if (name === 'weather') response.end('{"sky":"clear","degrees":21}');
      else response.end(`"${'tick '.repeat(100)}"`);
    };
    const { client, events, receipt, questions } = await asked('How is it in Köln?', [
      callsFor('Let me look.', ['c1', 'weather', '{"city":"Köln"}'], ['c2', 'clock', '']),
      says('It is ', 'clear.'),
    ]);
    const end = await replyEnd(events, receipt.reply_id);
    assert.equal(end.event, 'reply.completed');
    assert.deepEqual(end.payload.usage, { prompt_tokens: 16, completion_tokens: 5, estimated: false });
    const reply = assemble(events, receipt.reply_id);
    assert.equal(reply.text, 'Let me look.\n\nIt is clear.');

    const told = toolEvents(events, receipt.reply_id);
    assert.equal(told.length, 4);
    assert.deepEqual(
      told.filter(({ call_id }) => call_id === 'c1').map(({ status, name, result }) => [status, name, result]),
      [
        ['running', 'weather', undefined],
        ['done', 'weather', '{"sky":"clear","degrees":21}'],
      ],
    );
    const call = desk.calls.items.find(({ path }) => path === '/weather');
    assert.equal(call.headers.authorization, `Bearer ${key}`);
    assert.ok(call.headers['idempotency-key'].startsWith(receipt.reply_id));
    const { data } = await client.auth.getUser();
    assert.deepEqual(call.body, {
      name: 'weather',
      arguments: { city: 'Köln' },
      call_id: 'c1',
      user_id: data.user.id,
      conversation_id: receipt.conversation_id,
      reply_id: receipt.reply_id,
    });

    const [first, last] = questions().map(({ body }) => body);
    assert.deepEqual(first.tools.map((one) => one.function.name).sort(), ['clock', 'search_memory', 'weather']);
    assert.deepEqual(first.tools.find((one) => one.function.name === 'weather').function.parameters, {
      type: 'object',
      required: ['city'],
      properties: { city: { type: 'string' } },
    });
    assert.deepEqual(last.messages.slice(-3), [
      {
        role: 'assistant',
        content: 'Let me look.',
        tool_calls: [
          { id: 'c1', type: 'function', function: { name: 'weather', arguments: '{"city":"Köln"}' } },
          { id: 'c2', type: 'function', function: { name: 'clock', arguments: '{}' } },
        ],
      },
      { role: 'tool', content: '{"sky":"clear","degrees":21}', tool_call_id: 'c1' },
      { role: 'tool', content: `${`"${'tick '.repeat(100)}`.slice(0, 64)}\n[cut after 64 bytes]`, tool_call_id: 'c2' },
    ]);

    const row = await rowOf(client, receipt.reply_id);
    assert.equal(row.content, reply.text);
    assert.equal(row.model, 'small');
    assert.deepEqual(row.usage, { ...end.payload.usage, finish_reason: 'stop' });
    assert.equal(row.tools.length, 2);
    const { took_ms, ...kept } = row.tools[0];
    assert.ok(took_ms >= 0);
    assert.deepEqual(kept, {
      id: 'c1',
      name: 'weather',
      arguments: '{"city":"Köln"}',
      result: '{"sky":"clear","degrees":21}',
      failed: false,
    });

    // What was called is not sent again with later messages.
    model.answerWith(says('Bye'));
    const next = await send(client, 'Thanks', { conversation_id: receipt.conversation_id });
    await replyEnd(events, next.reply_id);
    const { body } = model.questions.items.at(-1);
    assert.deepEqual(body.messages, [
      { role: 'user', content: 'How is it in Köln?' },
      { role: 'assistant', content: reply.text },
      { role: 'user', content: 'Thanks' },
    ]);
    assert.ok(!JSON.stringify(server.log.items).includes(key));
    await close(client);
  });

  test('one that fails is told to the model, and rounds end', async () => {
    desk.handler = (response) => response.writeHead(503).end();
    const again = callsFor('', ['c1', 'weather', '{"city":"Rome"}']);
    const { client, events, receipt, questions } = await asked('And in Rome?', [again, again, says('I cannot tell.')]);
    await replyEnd(events, receipt.reply_id);
    const bodies = questions().map(({ body }) => body);
    assert.equal(bodies.length, 3);
    assert.equal(bodies[1].messages.at(-1).content, 'the tool failed: 503');
    assert.ok(bodies[1].tools);
    assert.equal(bodies[2].tools, undefined);
    const row = await rowOf(client, receipt.reply_id);
    assert.equal(row.content, 'I cannot tell.');
    assert.deepEqual(
      row.tools.map(({ id, failed }) => [id, failed]),
      [['c1', true], ['c1-2', true]],
    );
    await close(client);
  });

  test('a stop ends the call that runs, and the reply', async () => {
    desk.handler = () => {}; // says nothing
    const from = desk.calls.items.length;
    const { client, events, receipt } = await asked('Wait for it', [
      callsFor('A moment.', ['c1', 'clock', '{}']),
      says('never'),
    ]);
    const call = await desk.calls.find('the call', () => true, { from });
    const { error } = await client.functions.invoke('stop-inference', { body: { reply_id: receipt.reply_id } });
    assert.equal(error, null);
    await call.closed;
    const end = await replyEnd(events, receipt.reply_id);
    assert.equal(end.event, 'reply.cancelled');
    const row = await rowOf(client, receipt.reply_id);
    assert.equal(row.content, 'A moment.');
    assert.equal(row.status, 'cancelled');
    assert.equal(row.tools[0].failed, true);
    await close(client);
  });

  test('conversations and messages may leave them out', async () => {
    const namesIn = ({ body }) => body.tools?.map((one) => one.function.name);
    const none = await asked('a', [says('x')], { metadata: { tools: false } });
    await replyEnd(none.events, none.receipt.reply_id);
    assert.equal(namesIn(none.questions()[0]), undefined);
    const some = await asked('b', [says('x')], {
      metadata: { tools: ['clock', 'weather'] },
      params: { tools: ['weather', 'unknown'] },
    });
    await replyEnd(some.events, some.receipt.reply_id);
    assert.deepEqual(namesIn(some.questions()[0]), ['weather']);
    const wrong = await refusedSend(none.client, { content: 'c', params: { tools: 'weather' } });
    assert.equal(wrong.status, 400);
    assert.match(JSON.stringify(wrong.body), /params\.tools/);
    await close(none.client);
    await close(some.client);
  });

  test('memory is a tool: what its user said, and nobody else', async () => {
    const one = await asked('My dog is called Rex', [says('Nice')]);
    await replyEnd(one.events, one.receipt.reply_id);
    const other = await asked('My dog is called Fido', [says('Nice')]);
    await replyEnd(other.events, other.receipt.reply_id);
    await until(
      'all texts are embedded',
      async () => (await server.value('select not exists (select from jessica.unembedded)')) === 't',
      30 * second,
    );
    const { data, error } = await one.client
      .from('conversations')
      .insert({ metadata: {} })
      .select()
      .single();
    assert.ifError(error);
    const { events } = await joinConversation(one.client, data.id);
    model.answerWith(
      callsFor('', ['m1', 'search_memory', '{"query":"My dog is called","k":2}']),
      says('Rex'),
    );
    const receipt = await send(one.client, 'Who is it?', { conversation_id: data.id });
    await replyEnd(events, receipt.reply_id);
    const result = toolEvents(events, receipt.reply_id).find(({ status }) => status === 'done').result;
    const found = JSON.parse(result);
    assert.ok(found.some(({ excerpt, role, time }) => excerpt === 'My dog is called Rex' && role === 'user' && time));
    assert.ok(!result.includes('Fido'));
    await close(one.client);
    await close(other.client);
  });
});

test('the page shows what a reply uses, while it does and ever after', async () => {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  });
  try {
    const context = await browser.newContext();
    context.setDefaultTimeout(30 * second);
    const page = await context.newPage();
    const enter = async (text) => {
      await page.getByLabel('Message', { exact: true }).fill(text);
      await page.keyboard.press('Enter');
    };
    await page.goto(server.url);
    await page.getByRole('button', { name: 'Create an account' }).click();
    await page.getByLabel('E-mail').fill(newEmail());
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Create account' }).click();
    model.answerWith(says('Hello'));
    await enter('Good morning'); // from then on the page listens to this conversation
    await page.getByText('Connected', { exact: true }).waitFor();
    await page.getByText('Hello', { exact: true }).waitFor();

    let answer;
    desk.handler = (response) => (answer = response);
    model.answerWith(callsFor('', ['c1', 'clock', '{}'], ['c2', 'no_such_tool', '{}']), says('Noon.'));
    await enter('What time is it?');
    await page.getByText('Using clock…').waitFor();
    answer.end('"12:00"');
    await page.getByText('Noon.', { exact: true }).waitFor();
    const lines = page.locator('.message.assistant').last().locator('.tools li');
    const shown = ['Used clock', 'Used no_such_tool: it failed'];
    assert.deepEqual(await lines.allInnerTexts(), shown);
    await page.reload();
    await page.getByText('Noon.', { exact: true }).waitFor();
    assert.deepEqual(await lines.allInnerTexts(), shown);
  } finally {
    await browser.close();
  }
});
