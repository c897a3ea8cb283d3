// The queue from a terminal and for a scheduler: `jessica jobs`, run-inference-worker.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { close, http, send, signedUp } from './harness/clients.mjs';
import { Server } from './harness/server.mjs';
import { until } from './harness/waiting.mjs';

const binary =
  process.env.JESSICA_BINARY ??
  fileURLToPath(new URL('../../build/release/jessica', import.meta.url));

let server;
let sent;
let client;
before(async () => {
  server = await Server.start({ 'inference-tokens-per-second': 0 });
  ({ client } = await signedUp(server));
  sent = await send(client, 'a reply that shall fail');
  await until('it is done', async () => (await status()) === 'done');
});
after(async () => {
  await close(client);
  await server?.remove();
});

const status = () =>
  server.value(`select status from public.inference_jobs where id = ${sent.job_id}`);

/** What `jessica jobs ...` prints; rejects with its complaint. */
async function jobs(...words) {
  const { JESSICA_BINARY: _, ...env } = process.env; // it would be taken for a setting
  const { stdout } = await promisify(execFile)(
    binary,
    ['jobs', ...words, '--storage-directory', server.directory],
    { env },
  );
  return stdout;
}

describe('jessica jobs', () => {
  test('lists, shows and retries a dead job', async () => {
    await server.sql(`update public.inference_jobs set status = 'dead', last_error = 'no engine',
        attempts = 5 where id = ${sent.job_id}`);
    assert.match(await jobs('list', 'dead'), new RegExp(`${sent.job_id} +dead.*no engine`));
    assert.match(await jobs('list'), new RegExp(`${sent.job_id} +dead`));
    assert.match(await jobs('show', String(sent.job_id)), /last_error +no engine/);
    assert.match(await jobs('retry', String(sent.job_id)), /^1 of 1 dead/);
    await until('it is done again', async () => (await status()) === 'done');
    assert.match(await jobs('retry', String(sent.job_id)), /^0 of 1 dead/);
  });

  test('cancels what waits', async () => {
    const id = await server.value(`insert into public.inference_jobs
        (user_id, conversation_id, message_id, kind) select user_id, conversation_id, message_id,
        'embedding' from public.inference_jobs where id = ${sent.job_id} returning id`);
    assert.match(await jobs('cancel', id), /^1 of 1 unfinished/);
    assert.match(await jobs('list', 'cancelled'), new RegExp(`${id} +cancelled`));
  });

  test('complains about what it cannot do', async () => {
    for (const words of [['show', '0'], ['retry'], ['retry', 'x'], ['list', 'odd']])
      await assert.rejects(jobs(...words), ({ code, stderr }) => code === 2 && stderr.length > 0);
    await assert.rejects(jobs('show', '999999'), ({ code, stderr }) => code === 1 && stderr.length > 0);
  });
});

test('run-inference-worker answers the service role with counts', async () => {
  const run = (key) =>
    http(server, '/functions/v1/run-inference-worker', {
      method: 'POST',
      key,
      token: key,
      body: { max: 5 },
    });
  const { status: code, json } = await run(server.keys.service_key);
  assert.equal(code, 200);
  assert.deepEqual(Object.keys(json), ['claimed', 'running', 'waiting']);
  assert.equal((await run(server.keys.anon_key)).status, 403);
});
