// Memory on the page, in a real browser: what a reply was given, and the box that finds.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { newEmail, password } from './harness/clients.mjs';
import { Server } from './harness/server.mjs';
import { second, until } from './harness/waiting.mjs';

const model = fileURLToPath(new URL('../../build/models/use-lite', import.meta.url));
const skip = existsSync(`${model}/embedder.json`) ? false : 'the model is not there: ./dev test';
const limit = 30 * second;

describe('memory on the page', { skip }, () => {
  let server;
  let browser;
  let page;
  before(async () => {
    server = await Server.start({
      'inference-tokens-per-second': 0,
      'embedding-model-directory': model,
      'memory-prompt-timeout': '10s', // the machine may be slow
    });
    browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
    });
    const context = await browser.newContext();
    context.setDefaultTimeout(limit);
    page = await context.newPage();
    await page.goto(server.url);
    await page.getByRole('button', { name: 'Create an account' }).click();
    await page.getByLabel('E-mail').fill(newEmail());
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Create account' }).click();
    await enter('My dog is called Rex and he loves the garden.');
  });
  after(async () => {
    await browser?.close();
    await server?.remove();
  });

  const embedded = () =>
    until(
      'all texts are embedded',
      async () =>
        (await server.value(`select not exists (select from jessica.unembedded) and not exists (
          select from public.messages where status in ('pending', 'streaming'))`)) === 't',
      limit,
    );
  async function enter(text) {
    await page.getByLabel('Message', { exact: true }).fill(text);
    await page.keyboard.press('Enter');
    await page.locator('.message.assistant:not(.running) .text').last().waitFor();
    await embedded();
  }
  const search = async (text) => {
    await page.locator('#memory-query').fill(text);
    await page.keyboard.press('Enter');
  };

  test('a reply shows what it was given, and leads there', async () => {
    await page.getByRole('button', { name: 'New conversation' }).click();
    await enter('Good morning'); // from then on the page listens to this conversation
    await page.getByText('Connected', { exact: true }).waitFor();
    await enter('What is the name of my dog?');
    const used = page.locator('details.memories').last();
    await used.locator('summary').click();
    const link = used.getByRole('link', { name: /Rex/ }).first();
    await link.click();
    const shown = page.locator('.message.revealed');
    await shown.waitFor();
    assert.match(await shown.innerText(), /Rex and he loves the garden/);
  });

  test('the box finds by meaning, and deletes', async () => {
    await search('a puppy');
    const results = page.locator('#memory-results li');
    const rex = results.filter({ hasText: 'Rex and he loves' });
    await rex.first().waitFor();
    await rex.first().getByRole('link').click();
    await page.locator('.message.revealed', { hasText: 'Rex and he loves' }).waitFor();
    await rex.first().getByRole('button', { name: /^Delete the message/ }).click();
    await rex.first().getByRole('button', { name: 'Delete for good?' }).click();
    await page.locator('.message.user', { hasText: 'Rex and he loves' }).waitFor({ state: 'detached' });
    await search('puppy again');
    const mine = page.locator('#memory-results li', {
      has: page.getByText('You', { exact: true }),
      hasText: 'Rex and he loves',
    });
    await until('it is not found', async () => (await mine.count()) === 0);
    const stored = await server.value(
      `select count(*) from public.messages where role = 'user' and content like 'My dog is called%'`,
    );
    assert.equal(stored, '0');
  });
});
