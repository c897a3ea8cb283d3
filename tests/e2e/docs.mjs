// The programs that the documents show, as they stand there, against a server.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Server } from './harness/server.mjs';
import { second } from './harness/waiting.mjs';

const root = new URL('../../', import.meta.url);
const written = 'http://127.0.0.1:54321';
const limit = 30 * second;

let server;
let folder;
before(async () => {
  // Below this directory, so that the client is found where npm put it.
  folder = await mkdtemp(fileURLToPath(new URL('docs-', import.meta.url)));
  // Slow enough to be joined in the middle.
  server = await Server.start({ 'inference-tokens-per-second': 50 });
});
after(async () => {
  await server?.remove();
  if (folder) await rm(folder, { recursive: true, force: true });
});

/** Runs the first program of a document; gives what it prints. */
async function run(document) {
  const text = await readFile(new URL(document, root), 'utf8');
  const [, program] = text.match(/^```js\n([^]*?)^```$/m);
  assert.ok(program.includes(written), 'it says where the server is');
  const file = `${folder}/${document.replaceAll('/', '-')}.mjs`;
  await writeFile(file, program.replace(written, server.url));
  const { stdout } = await promisify(execFile)(process.execPath, [file], {
    timeout: limit,
    env: { PATH: process.env.PATH, ANON_KEY: server.keys.anon_key },
  });
  return stdout;
}

describe('programs in the documents', () => {
  test("the README's prints a reply", async () => {
    assert.match(await run('README.md'), /You wrote: “Hello!”.*Tell me something/);
  });

  test("the client's prints the reply word by word, and then what was stored", async () => {
    const printed = await run('docs/client.md');
    const [, streamed] = printed.match(/^ok \n\n([^]*)\n reply\.completed\n/);
    const [, asked, stored] = printed.match(
      /^user \(complete\): (.*)\nassistant \(complete\): (.*)$/m,
    );
    assert.equal(asked, 'Hello!');
    assert.ok(stored.length > 0);
    assert.equal(streamed, stored);
  });
});
