// The page in a real browser: what a person does, sees, and reads with a keyboard alone.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { newEmail, password, signedUp, send } from './harness/clients.mjs';
import { Server } from './harness/server.mjs';
import { second, until } from './harness/waiting.mjs';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const artifacts = here('artifacts/');
const replyLimit = 40 * second;
const desktop = { width: 1180, height: 780 };
const phone = { width: 375, height: 720 };

let server;
let browser;
before(async () => {
  await mkdir(artifacts, { recursive: true });
  server = await Server.start({ 'inference-tokens-per-second': 12 });
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
});
after(async () => {
  await browser?.close();
  await server?.remove();
});

describe('the page', () => {
  let context;
  let page;
  let complaints;
  /** Complaints of the browser that a test provokes on purpose. */
  let expected;

  async function open(options = {}) {
    context = await browser.newContext({ viewport: desktop, ...options });
    context.setDefaultTimeout(15 * second);
    page = await context.newPage();
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(server.url);
  }

  beforeEach(() => {
    complaints = [];
    expected = /^$/;
  });
  afterEach(async (t) => {
    await page?.screenshot({ path: `${artifacts}last-${t.name.replace(/\W+/g, '-')}.png` });
    await context?.close();
    assert.deepEqual(
      complaints.filter((text) => !expected.test(text)),
      [],
      'the console stays empty',
    );
  });

  const signUp = async (email = newEmail()) => {
    await page.getByRole('button', { name: 'Create an account' }).click();
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByLabel('Message', { exact: true }).waitFor();
    return email;
  };
  const enter = async (text) => {
    await page.getByLabel('Message', { exact: true }).fill(text);
    await page.keyboard.press('Enter');
  };
  /** Its reply has a place on the page then. */
  const write = async (text) => {
    await enter(text);
    await answerTo(text).waitFor();
  };
  const answerTo = (text) =>
    page.locator('.message.user', { hasText: text }).locator('xpath=following-sibling::li[1]');
  const lastReply = () => page.locator('.message.assistant').last();
  const replyText = () => lastReply().locator('.text').innerText();
  const finished = () =>
    until('no reply is running', async () => (await running()) === 0, replyLimit);
  const running = () => page.locator('.message.running').count();
  const grownBeyond = (length) =>
    until(`a reply of more than ${length} characters`, async () => {
      const text = await replyText().catch(() => '');
      return text.length > length && text;
    });

  test('sign up, send, and watch the reply grow', async () => {
    await open();
    await page.screenshot({ path: `${artifacts}sign-in.png` });
    await signUp('ada@example.test');
    await page.screenshot({ path: `${artifacts}empty.png` });
    await write('For the kitchen we chose sage green tiles, and the plumber comes on Tuesday.');
    const steps = [await grownBeyond(0)];
    while (steps.length < 4) steps.push(await grownBeyond(steps.at(-1).length));
    assert.equal(await running(), 1);
    for (const [index, text] of steps.slice(1).entries())
      assert.ok(text.startsWith(steps[index]), 'text is only ever added');
    await page.screenshot({ path: `${artifacts}streaming.png` });
    await finished();
    const row = await server.value(
      `select content from public.messages where role = 'assistant' and status = 'complete'
        order by created_at desc limit 1`,
    );
    assert.ok((await replyText()).startsWith(row.split('\n')[0].trim()));
    assert.match(await page.locator('#announcer').innerText(), /^Jessica: /);
    assert.equal(await page.locator('#connection').innerText(), 'Connected');
    await write('When does the plumber come?');
    await finished();
    await page.screenshot({ path: `${artifacts}desktop.png` });
    if (process.env.UPDATE_SCREENSHOT === '1')
      await page.screenshot({ path: here('../../docs/page.png') });
  });

  test('a reload in the middle resumes the reply and keeps everything', async () => {
    await open();
    await signUp();
    await write('Please answer at length, I am going to reload the page.');
    const before = await grownBeyond(10);
    const address = page.url();
    assert.match(address, /#\/[0-9a-f-]{36}$/);
    await page.reload();
    assert.equal(page.url(), address);
    const resumed = await grownBeyond(before.length);
    assert.ok(resumed.startsWith(before), 'the text so far is back');
    assert.equal(await running(), 1, 'and it goes on');
    await finished();
    assert.equal(await page.locator('.message').count(), 2);
    const stored = await server.value(
      `select md5(content) from public.messages where role = 'assistant'
        order by created_at desc limit 1`,
    );
    const shown = await lastReply().locator('.text').evaluate((node) => node.textContent);
    const { createHash } = await import('node:crypto');
    assert.equal(createHash('md5').update(shown).digest('hex'), stored);
  });

  test('a running reply is stopped with one button, and its text stays', async () => {
    await open();
    await signUp();
    await write('Please answer at length, I am going to stop you.');
    const before = await grownBeyond(10);
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByText('Stopped.').waitFor();
    await finished();
    const shown = await lastReply().locator('.text').evaluate((node) => node.textContent);
    assert.ok(shown.startsWith(before));
    const [[status, content]] = await server.sql(
      `select status, content from public.messages where role = 'assistant'
        order by created_at desc limit 1`,
    );
    assert.equal(status, 'cancelled');
    assert.equal(content, shown);
    assert.equal(await page.getByRole('button', { name: 'Stop' }).count(), 0);
    await page.reload();
    await page.getByText('Stopped.').waitFor();
  });

  test('conversations are listed, newest first, and opened by their link', async () => {
    await open();
    await signUp();
    await write('The first subject');
    await finished();
    await page.getByRole('button', { name: 'New conversation' }).click();
    await write('The second subject');
    await finished();
    const list = page.getByRole('navigation', { name: 'Conversations' }).getByRole('link');
    await until('both are listed', async () => (await list.count()) === 2);
    assert.deepEqual(await list.allInnerTexts(), ['The second subject', 'The first subject']);
    await list.nth(1).click();
    await page.locator('.message.user', { hasText: 'The first subject' }).waitFor();
    assert.equal(await page.getByRole('heading', { level: 1 }).innerText(), 'The first subject');
    assert.equal(await list.nth(1).getAttribute('aria-current'), 'page');
    await page.goBack();
    await page.locator('.message.user', { hasText: 'The second subject' }).waitFor();
  });

  test('a guest starts without an account and is warned before leaving', async () => {
    await open();
    await page.getByRole('button', { name: 'Start without an account' }).click();
    await write('Hello from a guest');
    await finished();
    await page.getByRole('button', { name: 'Sign out' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Stay' }).click();
    assert.equal(await page.locator('.message').count(), 2);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await dialog.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Welcome' }).waitFor();
    assert.equal(await page.locator('.message').count(), 0, 'nothing is left on the page');
  });

  test('mistakes at the door are told in plain words', async () => {
    expected = /status of 4\d\d/; // the browser logs every refused request
    const { email } = await signedUp(server);
    await open();
    const problem = page.getByRole('alert');
    await page.getByRole('button', { name: 'Sign in' }).click();
    assert.match(await problem.innerText(), /enter your e-mail/);
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('Password').fill('not the password');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('The e-mail or the password is not right.').waitFor();
    await page.getByRole('button', { name: 'Create an account' }).click();
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByText('There is an account with this e-mail already.').waitFor();
  });

  test('a message that could not be sent is kept, and sent once when tried again', async () => {
    expected = /Failed to load resource/;
    await open();
    await signUp();
    const content = `Lost on the way ${newEmail()}`;
    let answered = 0;
    await page.route('**/functions/v1/**', async (route) => {
      if (answered++ === 0) await route.fetch(); // it arrives, only the answer is lost
      await route.abort();
    });
    await enter(content);
    await page.getByText('Not sent.').waitFor();
    await page.unroute('**/functions/v1/**');
    await page.getByRole('button', { name: 'Try again' }).click();
    await answerTo(content).waitFor();
    await finished();
    assert.equal(await page.locator('.message.user').count(), 1);
    const stored = await server.value(
      `select count(*) from public.messages where content = '${content}'`,
    );
    assert.equal(stored, '1');
  });

  test("someone else's conversation is not shown", async () => {
    const { client } = await signedUp(server);
    const { conversation_id } = await send(client, 'A private thought');
    await open();
    await signUp();
    await page.goto(`${server.url}/#/${conversation_id}`);
    await page.getByText('This conversation cannot be opened with this account.').waitFor();
    assert.equal(await page.getByText('A private thought').count(), 0);
  });

  test('keyboard alone: in, write, send, list and back', async () => {
    await open();
    const press = async (...keys) => {
      for (const key of keys) await page.keyboard.press(key);
    };
    const focused = () =>
      page.evaluate(() => document.activeElement.getAttribute('aria-label') ||
        document.activeElement.id || document.activeElement.textContent.trim());
    const tabTo = async (name) => {
      for (let steps = 0; steps < 30; ++steps) {
        if ((await focused()) === name) return;
        await press('Tab');
      }
      assert.fail(`Tab never came to ${name}`);
    };
    await until('the first field has the focus', async () => (await focused()) === 'email');
    await tabTo('switch-mode');
    await press('Enter');
    assert.equal(await focused(), 'email');
    await page.keyboard.type(newEmail());
    await press('Tab');
    await page.keyboard.type(password);
    await press('Enter');
    await until('the message box has the focus', async () => (await focused()) === 'composer-text');
    await page.keyboard.type('One line');
    await press('Shift+Enter');
    await page.keyboard.type('and another');
    await press('Enter');
    await answerTo('One line\nand another').waitFor();
    assert.equal(await page.getByLabel('Message', { exact: true }).inputValue(), '');
    assert.equal(await focused(), 'composer-text', 'the focus stays for the next message');
    await finished();
    await page.reload();
    await until('the message box has the focus', async () => (await focused()) === 'composer-text');
    await page.evaluate(() => {
      document.body.tabIndex = -1; // as if the reader had just come in
      document.body.focus();
      document.body.removeAttribute('tabindex');
    });
    await press('Tab');
    assert.equal(await focused(), 'skip', 'the skip link comes first');
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.notEqual(outline, 'none', 'and the focus is visible');
    await press('Enter');
    assert.equal(await focused(), 'composer-text');
    assert.match(page.url(), /#\/[0-9a-f-]{36}$/, 'the conversation is still open');
  });

  test('on a phone the list is a drawer and nothing is cut off', async () => {
    await open({ viewport: phone, hasTouch: true, isMobile: true, reducedMotion: 'reduce' });
    await page.screenshot({ path: `${artifacts}phone-sign-in.png` });
    await page.getByRole('button', { name: 'Start without an account' }).tap();
    await write(`A word that does not fit ${'x'.repeat(120)}`);
    await finished();
    await page.screenshot({ path: `${artifacts}phone.png` });
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= phone.width, `the page is ${width} px wide`);
    assert.equal(await page.getByRole('navigation').count(), 0, 'the drawer is closed');
    await page.getByRole('button', { name: 'Show conversations' }).tap();
    await page.getByRole('navigation', { name: 'Conversations' }).getByRole('link').waitFor();
    await page.screenshot({ path: `${artifacts}phone-drawer.png` });
    await page.keyboard.press('Escape');
    await until('the drawer is closed', async () => (await page.getByRole('navigation').count()) === 0);
    const label = await page.evaluate(() => document.activeElement.id);
    assert.equal(label, 'open-menu', 'the focus is back where it came from');
  });

  test('the server goes away and comes back while the page is open', async () => {
    expected = /ERR_CONNECTION_REFUSED|WebSocket connection|Failed to load resource/;
    await open({ colorScheme: 'dark', reducedMotion: 'reduce' });
    await signUp();
    await write('Before the fall');
    await finished();
    await page.screenshot({ path: `${artifacts}dark.png` });
    await server.kill();
    await page.getByText('Connection lost. Trying again…').waitFor({ timeout: 45 * second });
    await page.screenshot({ path: `${artifacts}offline.png` });
    await server.startAgain();
    await page.getByText('Connected', { exact: true }).waitFor({ timeout: 45 * second });
    await write('After the fall');
    await finished();
    assert.equal(await page.locator('.message').count(), 4);
  });
});
