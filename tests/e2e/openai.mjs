// Tools that speak OpenAI: the unmodified openai client against /v1, beside the chat.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';
import OpenAI from 'openai';
import { close, http, makeClient, send, signedUp, subscribed } from './harness/clients.mjs';
import { EmbeddingsServer, vectorOf } from './harness/embeddings.mjs';
import { begin, ending, Provider, reasoning, refuses, says, token } from './harness/provider.mjs';
import { Server } from './harness/server.mjs';
import { Inbox, second, until, within } from './harness/waiting.mjs';

let folder;
let provider;
let embeddings;
let server;
let ada;
let bob;

before(async () => {
  provider = await Provider.start(says('x'));
  embeddings = await EmbeddingsServer.start();
  folder = await mkdtemp('/tmp/jessica-openai-');
  await writeFile(
    `${folder}/jessica.toml`,
    `[inference]
titles = false
[[providers]]
name = "one"
url = "${provider.url}"
model = "small"
models = ["small", "large"]
`,
  );
  server = await Server.start({
    config: `${folder}/jessica.toml`,
    'gateway-per-user': 3,
    'embedding-match-percent': 90,
    ...embeddings.settings,
  });
  ada = await signedUp(server);
  bob = await signedUp(server);
});
after(async () => {
  await close(ada?.client, bob?.client);
  await server?.remove();
  await provider?.stop();
  await embeddings?.stop();
  await rm(folder, { recursive: true, force: true });
});

const openai = (apiKey, more = {}) =>
  new OpenAI({ apiKey, baseURL: `${server.url}/v1`, maxRetries: 0, timeout: 15 * second, ...more });
const as = (who, more) => openai(who.session.access_token, more);
const hello = [{ role: 'user', content: 'Hello' }];

/** The error of a promise that has to reject. */
async function refused(promise) {
  const error = await promise.then(
    () => assert.fail('it was not refused'),
    (why) => why,
  );
  assert.ok(error instanceof OpenAI.APIError, String(error));
  return error;
}

/** A question to a provider that says nothing by itself. */
async function put(ask) {
  provider.answerWith((stream) => begin(stream));
  const from = provider.questions.items.length;
  const asking = ask();
  asking.catch(() => {}); // who needs the answer waits for it
  const { stream: to, closed } = await provider.questions.find('the question', () => true, { from });
  return { asking, to, closed };
}

/** A stream with its first word, "x"; the test says the rest. */
async function opened(who, more) {
  const { asking, to, closed } = await put(() =>
    as(who).chat.completions.create({ messages: hello, stream: true, ...more }),
  );
  to.write(token('x'));
  return { answer: await asking, to, closed };
}

async function textOf(stream) {
  let text = '';
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
  return text;
}

describe('tools', () => {
  const add = {
    type: 'function',
    function: { name: 'add', description: 'Adds.', parameters: { type: 'object' } },
  };
  const calls = (stream) => {
    begin(stream);
    const call = { index: 0, id: 'c1', type: 'function', function: { name: 'add', arguments: '{"x":1}' } };
    const line = (value) => stream.write(`data: ${JSON.stringify(value)}\n\n`);
    line({ choices: [{ index: 0, delta: { tool_calls: [call] } }] });
    line({ choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] });
    stream.end('data: [DONE]\n\n');
  };

  test('are handed to the model, its calls to the client, and results back', async () => {
    const messages = [{ role: 'user', content: 'One more?' }];
    provider.answerWith(calls);
    const first = await as(ada).chat.completions.create({ messages, tools: [add], tool_choice: 'auto' });
    assert.equal(first.choices[0].finish_reason, 'tool_calls');
    const [call] = first.choices[0].message.tool_calls;
    assert.deepEqual(call, { id: 'c1', type: 'function', function: { name: 'add', arguments: '{"x":1}' } });
    assert.deepEqual(provider.questions.items.at(-1).body.tools, [add]);
    provider.answerWith(says('Two.'));
    const second = await as(ada).chat.completions.create({
      messages: [...messages, first.choices[0].message, { role: 'tool', tool_call_id: 'c1', content: '2' }],
      tools: [add],
    });
    assert.equal(second.choices[0].message.content, 'Two.');
    const shown = provider.questions.items.at(-1).body.messages;
    assert.deepEqual(shown.map(({ role }) => role), ['user', 'assistant', 'tool']);
    assert.equal(shown[1].tool_calls[0].id, 'c1');
    assert.equal(shown[2].tool_call_id, 'c1');
  });

  test('of a stream come as deltas', async () => {
    provider.answerWith(calls);
    const stream = await as(ada).chat.completions.create({ messages: hello, tools: [add], stream: true });
    const pieces = [];
    let reason;
    for await (const chunk of stream) {
      pieces.push(...(chunk.choices[0]?.delta.tool_calls ?? []));
      reason = chunk.choices[0]?.finish_reason ?? reason;
    }
    assert.equal(pieces.map((one) => one.function.arguments ?? '').join(''), '{"x":1}');
    assert.equal(pieces[0].function.name, 'add');
    assert.equal(reason, 'tool_calls');
  });
});

describe('quotas', () => {
  const limit = async (who, columns) => {
    const { error } = await makeClient(server, { key: server.keys.service_key })
      .from('usage_limits')
      .upsert({ user_id: who.session.user.id, ...columns }, { onConflict: 'user_id' });
    assert.ifError(error);
  };
  const used = async (who) => (await who.client.from('my_usage').select('*')).data;

  test('what a completion used is counted for its user, like a reply of the chat', async () => {
    const eve = await signedUp(server);
    provider.answerWith(says('Hello', ' Eve'));
    const answer = await as(eve).chat.completions.create({ model: 'large', messages: hello });
    const rows = await until('it is counted', async () => {
      const found = await used(eve);
      return found.length > 0 && found;
    });
    assert.equal(rows.length, 1);
    assert.equal(rows[0].model, 'large');
    assert.equal(rows[0].replies, 1);
    assert.equal(rows[0].prompt_tokens, answer.usage.prompt_tokens);
    assert.equal(rows[0].completion_tokens, answer.usage.completion_tokens);
    await close(eve.client);
  });

  test('a limit that is reached is told with its name, and no provider is asked', async () => {
    const eve = await signedUp(server);
    await limit(eve, { replies_per_day: 1 });
    provider.answerWith(says('Hello'));
    // Nobody asks the database as long as there are no limits: the first count tells of this one.
    await as(eve).chat.completions.create({ model: 'small', messages: hello });
    await until('it is counted', async () => (await used(eve)).length > 0);
    const asked = provider.questions.items.length;
    const why = await refused(as(eve).chat.completions.create({ model: 'small', messages: hello }));
    assert.equal(why.status, 429);
    assert.equal(why.code, 'quota_exceeded');
    assert.equal(why.type, 'insufficient_quota');
    assert.equal(why.error.quota.limit, 'replies_per_day');
    assert.ok(Date.parse(why.error.quota.resets_at) > Date.now());
    assert.ok(Number(why.headers.get('retry-after')) > 0);
    assert.equal(provider.questions.items.length, asked);
    await close(eve.client);
  });
});

describe('completions', () => {
  test('a whole answer', async () => {
    provider.answerWith(says('Hello', ' Ada'));
    const { data: answer, response } = await as(ada)
      .chat.completions.create({
        model: 'large',
        messages: [
          { role: 'developer', content: 'Be kind.' },
          { role: 'user', content: [{ type: 'text', text: 'Hello' }] },
        ],
        temperature: 0.5,
        top_p: 0.9,
        max_completion_tokens: 9,
        stop: ['.'],
        user: 'somebody',
        metadata: { a: 'b' },
        store: false,
      })
      .withResponse();
    assert.equal(answer.object, 'chat.completion');
    assert.match(answer.id, /^chatcmpl-/);
    assert.equal(answer.model, 'large');
    assert.equal(answer.choices.length, 1);
    assert.equal(answer.choices[0].message.role, 'assistant');
    assert.equal(answer.choices[0].message.content, 'Hello Ada');
    assert.equal(answer.choices[0].finish_reason, 'stop');
    assert.deepEqual(answer.usage, { prompt_tokens: 11, completion_tokens: 2, total_tokens: 13 });
    assert.equal(response.headers.get('x-request-id'), answer.id);
    const { body } = provider.questions.items.at(-1);
    assert.equal(body.model, 'large');
    assert.deepEqual(body.messages, [
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content: 'Hello' },
    ]);
    assert.equal(body.temperature, 0.5);
    assert.equal(body.max_tokens ?? body.max_completion_tokens, 9);
    assert.deepEqual(body.stop, ['.']);
  });

  test('a stream, token by token, with usage at its end', async () => {
    const { answer, to } = await opened(ada, {
      model: 'small',
      stream_options: { include_usage: true },
    });
    const chunks = [];
    for await (const chunk of answer) {
      chunks.push(chunk);
      // The next token is not said before this one is here.
      const { content, reasoning_content } = chunk.choices[0]?.delta ?? {};
      if (content === 'x') to.write(reasoning('hm'));
      if (reasoning_content === 'hm') to.write(token(' two'));
      if (content === ' two') to.end(ending(2));
    }
    assert.equal(chunks[0].choices[0].delta.role, 'assistant');
    assert.ok(chunks.every(({ object }) => object === 'chat.completion.chunk'));
    assert.ok(chunks.every(({ id }) => id === chunks[0].id));
    assert.equal(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join(''), 'x two');
    assert.equal(chunks.find(({ choices }) => choices[0]?.delta.reasoning_content)?.model, 'small');
    assert.equal(chunks.at(-2).choices[0].finish_reason, 'stop');
    assert.deepEqual(chunks.at(-1).choices, []);
    assert.equal(chunks.at(-1).usage.total_tokens, 13);
  });

  test("the client's own helper puts a stream together", async () => {
    provider.answerWith(says('a', 'b', 'c'));
    const runner = as(ada).chat.completions.stream({ model: 'small', messages: hello });
    assert.equal(await runner.finalContent(), 'abc');
  });

  test('an aborted stream is cancelled at the provider', async () => {
    const { answer, closed } = await opened(ada);
    for await (const chunk of answer) if (chunk.choices[0].delta.content) break; // aborts
    await within(5 * second, 'the provider is left', closed);
  });

  test('an aborted whole answer is, too', async () => {
    const controller = new AbortController();
    const { asking, closed } = await put(() =>
      as(ada).chat.completions.create({ messages: hello }, { signal: controller.signal }),
    );
    controller.abort();
    await within(5 * second, 'the provider is left', closed);
    await assert.rejects(asking, OpenAI.APIUserAbortError);
  });

  test('a failure before the first token has a status of its own', async () => {
    provider.answerWith(refuses(400));
    assert.equal((await refused(as(ada).chat.completions.create({ messages: hello }))).status, 400);
    provider.answerWith(refuses(401));
    const broken = await refused(as(ada).chat.completions.create({ messages: hello, stream: true }));
    assert.equal(broken.status, 502);
    assert.equal(broken.code, 'upstream_failed');
  });

  test('a failure in mid-stream is an error of the stream, which has no end', async () => {
    provider.answerWith((stream) => {
      begin(stream);
      stream.write(token('half'));
      setImmediate(() => stream.destroy());
    });
    const stream = await as(ada).chat.completions.create({ messages: hello, stream: true });
    const error = await textOf(stream).then(
      () => assert.fail('the stream ended as if it were whole'),
      (why) => why,
    );
    assert.ok(error instanceof OpenAI.APIError, String(error));
    assert.equal(error.code, 'upstream_failed');
  });

  test('a connection serves more after a stream', async () => {
    provider.answerWith(says('x'));
    const client = as(ada);
    for (let i = 0; i < 5; ++i) {
      const stream = await client.chat.completions.create({ messages: hello, stream: true });
      assert.equal(await textOf(stream), 'x');
      assert.ok((await client.models.list()).data.length > 0);
    }
  });
});

describe('who may ask', () => {
  test('two users, each with places of their own', async () => {
    const streams = [];
    for (let i = 0; i < 3; ++i) streams.push(await opened(ada));
    const fourth = await refused(as(ada).chat.completions.create({ messages: hello }));
    assert.equal(fourth.status, 429);
    assert.ok(fourth.headers.get('retry-after'));
    streams.push(await opened(bob));
    for (const { answer, to } of streams) {
      to.end(ending(1));
      assert.equal(await textOf(answer), 'x');
    }
    provider.answerWith(says('y'));
    await until('a place is free again', () =>
      as(ada)
        .chat.completions.create({ messages: hello })
        .then(
          () => true,
          () => false,
        ),
    );
  });

  test('nobody without an account or a service key', async () => {
    for (const key of ['none', server.keys.publishable_key, server.keys.anon_key]) {
      const error = await refused(openai(key).chat.completions.create({ messages: hello }));
      assert.equal(error.status, 401);
      assert.equal(error.code, 'invalid_api_key');
    }
    const bare = await http(server, '/v1/models', { key: null });
    assert.equal(bare.status, 401);
    assert.equal(bare.json.error.type, 'authentication_error');
  });

  test('services, with either form of their key', async () => {
    provider.answerWith(says('x'));
    for (const key of [server.keys.secret_key, server.keys.service_key]) {
      const answer = await openai(key).chat.completions.create({ messages: hello });
      assert.equal(answer.choices[0].message.content, 'x');
    }
  });

  test('a guest who signed in anonymously is a user', async () => {
    provider.answerWith(says('x'));
    const guest = makeClient(server);
    const { data, error } = await guest.auth.signInAnonymously();
    assert.ifError(error);
    const answer = await as(data).chat.completions.create({ messages: hello });
    assert.equal(answer.choices[0].message.content, 'x');
  });

  test('pages of any origin', async () => {
    const response = await fetch(`${server.url}/v1/chat/completions`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://elsewhere.test',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,x-stainless-lang',
      },
    });
    assert.equal(response.status, 204);
    assert.match(response.headers.get('access-control-allow-headers'), /x-stainless-lang/);
  });
});

describe('refusals', () => {
  test('a model that nobody offers', async () => {
    const error = await refused(as(ada).chat.completions.create({ model: 'huge', messages: hello }));
    assert.equal(error.status, 404);
    assert.equal(error.code, 'model_not_found');
  });

  test('what cannot be done is told by its field', async () => {
    const client = as(ada);
    const image = [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }];
    for (const [body, param] of [
      [{ messages: [] }, 'messages'],
      [{ messages: image }, 'messages[0].content[0]'],
      [{ messages: hello, n: 2 }, 'n'],
      [{ messages: hello, temperature: 7 }, 'temperature'],
    ]) {
      const error = await refused(client.chat.completions.create(body));
      assert.equal(error.status, 400);
      assert.equal(error.param, param);
      assert.equal(error.type, 'invalid_request_error');
    }
  });

  test('a body that is too large', async () => {
    const error = await refused(
      as(ada).chat.completions.create({
        messages: [{ role: 'user', content: 'x'.repeat(1_100_000) }],
      }),
    );
    assert.equal(error.status, 413);
    assert.equal(error.code, 'request_too_large');
  });

  test('a path that is not there', async () => {
    const error = await refused(as(ada).images.generate({ prompt: 'x' }));
    assert.equal(error.status, 404);
    assert.equal(error.code, 'unknown_url');
  });
});

describe('models and embeddings', () => {
  test('models are listed and found', async () => {
    const client = as(ada);
    const names = (await client.models.list()).data.map(({ id }) => id);
    assert.equal(names[0], 'small');
    assert.ok(names.includes('large'));
    const last = names.at(-1); // the embedder's
    const { id, object } = await client.models.retrieve(last);
    assert.deepEqual([id, object], [last, 'model']);
    assert.equal((await refused(client.models.retrieve('huge'))).status, 404);
  });

  test('vectors as floats, and as base64, which the client asks for by itself', async () => {
    const client = as(ada);
    const names = (await client.models.list()).data.map(({ id }) => id);
    const texts = ['what a day', 'what a night'];
    for (const encoding_format of [undefined, 'float', 'base64']) {
      const answer = await client.embeddings.create({
        model: names.at(-1),
        input: texts,
        encoding_format,
      });
      assert.deepEqual(
        answer.data.map(({ index }) => index),
        [0, 1],
      );
      assert.ok(answer.usage.prompt_tokens > 0);
      for (const [i, { embedding }] of answer.data.entries()) {
        const found =
          encoding_format === 'base64'
            ? [...new Float32Array(new Uint8Array(Buffer.from(embedding, 'base64')).buffer)]
            : embedding;
        const wanted = vectorOf(texts[i]);
        assert.equal(found.length, wanted.length);
        assert.ok(found.every((value, at) => Math.abs(value - wanted[at]) < 1e-5));
      }
    }
  });

  test('vectors that cannot be had', async () => {
    const client = as(ada);
    const of = async (more) => refused(client.embeddings.create({ input: 'x', ...more }));
    assert.equal((await of({ model: 'other' })).status, 404);
    assert.equal((await of({ input: [1, 2, 3] })).param, 'input[0]');
    assert.equal((await of({ dimensions: 7 })).param, 'dimensions');
  });
});

describe('beside the chat', () => {
  test('memories are given when they are wanted, and only their owner’s', async () => {
    provider.answerWith(says('I see.'));
    const said = 'my dog is called Rex';
    const { message_id } = await send(ada.client, said);
    await until(
      'it is embedded',
      async () =>
        (await server.value(
          `select count(*) from public.embeddings where message_id = '${message_id}'`,
        )) !== '0',
    );
    const systemOf = async (who, memory) => {
      await as(who).chat.completions.create({
        messages: [{ role: 'user', content: said }],
        ...(memory ? { memory } : {}),
      });
      const { messages } = provider.questions.items.at(-1).body;
      return messages.find(({ role }) => role === 'system')?.content ?? '';
    };
    await until('it is found', async () => (await systemOf(ada, true)).includes(said));
    assert.equal(await systemOf(ada, false), '');
    assert.equal(await systemOf(bob, true), '');
    const rows = await server.value(
      `select count(*) from public.messages where content = '${said}'`,
    );
    assert.equal(rows, '1'); // nothing of a completion is stored
  });

  test('long streams flow while a channel goes on', async () => {
    const words = 300;
    const streams = [await opened(ada), await opened(bob)];
    const texts = streams.map(({ answer }) => textOf(answer));
    const events = new Inbox();
    const channel = ada.client.channel('beside', { config: { broadcast: { self: true } } });
    channel.on('broadcast', { event: 'tick' }, ({ payload }) => events.push(payload.n));
    await subscribed(channel);
    for (let n = 0; n < words; ++n) {
      for (const { to } of streams) to.write(token(` ${n}`));
      if (n % 30 === 0) {
        await channel.send({ type: 'broadcast', event: 'tick', payload: { n } });
        await events.find(`tick ${n}`, (seen) => seen === n);
      }
    }
    for (const { to } of streams) to.end(ending(words));
    const wanted = `x${Array.from({ length: words }, (_, n) => ` ${n}`).join('')}`;
    for (const text of await Promise.all(texts)) assert.equal(text, wanted);
    await ada.client.removeChannel(channel);
  });

  test('HTTP/1.0 gets a stream until the connection closes', async () => {
    provider.answerWith(says('x', 'y'));
    const body = JSON.stringify({ messages: hello, stream: true });
    const text = await new Promise((resolve, reject) => {
      const socket = net.connect(server.port, '127.0.0.1');
      let got = '';
      socket.on('data', (part) => (got += part));
      socket.on('end', () => resolve(got));
      socket.on('error', reject);
      socket.write(
        `POST /v1/chat/completions HTTP/1.0\r\nAuthorization: Bearer ${ada.session.access_token}\r\n` +
          `Content-Length: ${body.length}\r\n\r\n${body}`,
      );
    });
    assert.match(text, /Connection: close/);
    assert.doesNotMatch(text, /chunked/i);
    assert.ok(text.endsWith('data: [DONE]\n\n'));
  });
});
