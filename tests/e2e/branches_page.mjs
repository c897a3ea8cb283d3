// Versions on the page, in a real browser: edit, try again, continue, arrows, another device.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { after, afterEach, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { close, newEmail, password, send, signedIn } from './harness/clients.mjs';
import { Server } from './harness/server.mjs';
import { second, until } from './harness/waiting.mjs';

const limit = 40 * second;
const artifacts = fileURLToPath(new URL('artifacts/', import.meta.url));

describe('versions on the page', () => {
  let server;
  let browser;
  let page;
  let email;
  const complaints = [];
  before(async () => {
    await mkdir(artifacts, { recursive: true });
    server = await Server.start({ 'inference-tokens-per-second': 40 });
    browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
    });
    const context = await browser.newContext({ viewport: { width: 1180, height: 780 } });
    context.setDefaultTimeout(limit);
    page = await context.newPage();
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(server.url);
    email = newEmail();
    await page.getByRole('button', { name: 'Create an account' }).click();
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Create account' }).click();
    await write('My dog is called Rex.');
    await write('What is his name?');
    await page.getByText('Connected', { exact: true }).waitFor();
  });
  afterEach((t) =>
    page?.screenshot({ path: `${artifacts}branches-${t.name.replace(/\W+/g, '-')}.png` }),
  );
  after(async () => {
    await browser?.close();
    await server?.remove();
    assert.deepEqual(complaints, [], 'the console stays empty');
  });

  const settled = () =>
    until('no reply is running', async () => (await page.locator('.message.running').count()) === 0, limit);
  async function write(text) {
    await page.getByLabel('Message', { exact: true }).fill(text);
    await page.keyboard.press('Enter');
    await page.locator('.message.user', { hasText: text }).locator('xpath=following-sibling::li[1]').waitFor();
    await settled();
  }
  const texts = () => page.locator('.message.user .text').allInnerTexts();
  const shows = (wanted) =>
    until(`the page shows ${wanted}`, async () => (await texts()).join('|') === wanted.join('|'), limit);
  const user = (text) => page.locator('.message.user', { hasText: text });
  const lastReply = () => page.locator('.message.assistant').last();
  const version = (message) => message.locator('.version').innerText();

  test('an edit is a version with arrows, by mouse and by keyboard', async () => {
    await user('What is his name?').getByRole('button', { name: 'Edit' }).click();
    const box = page.getByLabel('Edit your message');
    assert.equal(await box.inputValue(), 'What is his name?');
    await page.keyboard.press('Escape');
    await user('What is his name?').getByRole('button', { name: 'Edit' }).click();
    await box.fill('Which animal is Rex?');
    await page.keyboard.press('Enter');
    await shows(['My dog is called Rex.', 'Which animal is Rex?']);
    await settled();
    assert.equal(await version(user('Which animal')), '2 / 2');
    assert.equal(await page.locator('.message').count(), 4);

    await user('Which animal').getByRole('button', { name: 'Previous version' }).click();
    await shows(['My dog is called Rex.', 'What is his name?']);
    assert.equal(await version(user('What is his name?')), '1 / 2');
    assert.ok(await user('What is').getByRole('button', { name: 'Previous version' }).isDisabled());
    await user('What is').getByRole('button', { name: 'Next version' }).focus();
    await page.keyboard.press('Enter');
    await shows(['My dog is called Rex.', 'Which animal is Rex?']);
    assert.equal(
      await page.evaluate(() => document.activeElement.closest('.message')?.innerText.includes('Which animal')),
      true,
      'the keyboard stays at the arrows',
    );
  });

  test('a reply is tried again, and both stay', async () => {
    await lastReply().getByRole('button', { name: 'Try again' }).click();
    await until('a second version', async () =>
      (await lastReply().locator('.version').allInnerTexts()).join() === '2 / 2', limit);
    await settled();
    assert.ok((await lastReply().locator('.text').innerText()).length > 20);
    await lastReply().getByRole('button', { name: 'Previous version' }).click();
    await until('the first one', async () => (await version(lastReply())) === '1 / 2', limit);
    assert.equal(await page.locator('.message.assistant').count(), 2);
    await page.reload();
    await shows(['My dog is called Rex.', 'Which animal is Rex?']);
    await until('the choice is kept', async () => (await version(lastReply())) === '1 / 2', limit);
  });

  test('a stopped reply goes on with its text', async () => {
    await page.getByLabel('Message', { exact: true }).fill('Tell me all about the garden, please.');
    await page.keyboard.press('Enter');
    await shows([...['My dog is called Rex.', 'Which animal is Rex?'], 'Tell me all about the garden, please.']);
    await until('some text', async () => (await lastReply().locator('.text').innerText()).length > 10, limit);
    await lastReply().getByRole('button', { name: 'Stop' }).click();
    await lastReply().getByText('Stopped.').waitFor();
    const half = await lastReply().locator('.text').innerText();
    await lastReply().getByRole('button', { name: 'Continue' }).click();
    await until('more text', async () => (await lastReply().locator('.text').innerText()).length > half.length, limit);
    await settled();
    const whole = await lastReply().locator('.text').innerText();
    assert.ok(whole.startsWith(half.trimEnd()), `${half} | ${whole}`);
    assert.equal(await lastReply().getByText('Stopped.').count(), 0);
  });

  test('what another device does is seen: a choice, a new conversation, another name', async () => {
    const { client } = await signedIn(server, email);
    const { data: old } = await client
      .from('messages')
      .select('id')
      .eq('content', 'What is his name?')
      .single();
    await client.functions.invoke('select-branch', { body: { message_id: old.id } });
    await shows(['My dog is called Rex.', 'What is his name?']);
    const { conversation_id } = await send(client, 'Begun on the phone');
    const link = page.getByRole('link', { name: 'Begun on the phone' });
    await link.waitFor();
    await client.from('conversations').update({ title: 'Phone' }).eq('id', conversation_id);
    await page.getByRole('link', { name: 'Phone', exact: true }).waitFor();
    await client.from('conversations').delete().eq('id', conversation_id);
    await until('it is gone', async () =>
      (await page.getByRole('link', { name: 'Phone', exact: true }).count()) === 0, limit);
    await close(client);
  });
});
