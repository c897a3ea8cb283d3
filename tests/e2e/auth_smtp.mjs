// Mail by SMTP: taken, refused for now, refused for good, and never in the clear.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { makeClient, newEmail, password } from './harness/clients.mjs';
import { followed, parsedMail } from './harness/mails.mjs';
import { Server } from './harness/server.mjs';
import { SmtpServer, makeCertificate } from './harness/smtp.mjs';
import { second } from './harness/waiting.mjs';

const login = { user: 'chat', password: 'p4ss word$' };
let folder;
let certificate;
before(async () => {
  folder = await mkdtemp('/tmp/jessica-smtp-');
  certificate = await makeCertificate(folder);
});
after(() => rm(folder, { recursive: true, force: true }));

const settings = (smtp, more) => ({
  'auth-mail-mode': 'smtp',
  'auth-autoconfirm': 'false',
  'mail-interval': '0s',
  'mail-per-hour': 1000,
  'mail-from': 'no-reply@chat.example',
  'mail-smtp-host': 'localhost',
  'mail-smtp-port': smtp.port,
  'mail-ca-file': certificate.file,
  'mail-attempts': 3,
  'mail-retry-after': '200ms',
  'mail-timeout': '3s',
  ...more,
});

async function signUp(server) {
  const email = newEmail();
  const { error } = await makeClient(server).auth.signUp({ email, password });
  assert.ifError(error);
  return email;
}

const mailTo = (smtp, email) => smtp.mails.find(`a mail to ${email}`, ({ to }) => to === email);
const logged = (server, event, email) =>
  server.log.find(event, (entry) => entry.event === event && entry.recipient === email);

describe('STARTTLS and a password', () => {
  let smtp;
  let server;
  before(async () => {
    smtp = await SmtpServer.start({ certificate, login });
    server = await Server.start(
      settings(smtp, { 'mail-smtp-user': login.user, 'mail-smtp-password': login.password }),
    );
  });
  after(async () => {
    await server?.remove();
    await smtp?.stop();
  });

  test('a mail arrives encrypted, signed in, and its link works', async () => {
    const email = await signUp(server);
    const { text, secure, user } = await mailTo(smtp, email);
    assert.deepEqual([secure, user], [true, login.user]);
    const mail = parsedMail(text);
    assert.equal(mail.headers.to, email);
    assert.ok((await followed(mail.link)).fragment.get('access_token'));
    await logged(server, 'mail.sent', email);
    assert.ok(!JSON.stringify(server.log.items).includes(login.password));
  });

  test('what is refused for now, or cut off, arrives later', async () => {
    for (const answer of ['451 busy', 'hang up']) {
      smtp.answers.push(answer);
      const email = await signUp(server);
      await logged(server, 'mail.delayed', email);
      await mailTo(smtp, email);
      const { attempts } = await logged(server, 'mail.sent', email);
      assert.equal(attempts, 2);
    }
  });

  test('what is refused for good, or too often, is given up and said so', async () => {
    for (const [answers, tries] of [
      [['550 nobody'], 1],
      [['451 a', '451 b', '451 c'], 3],
    ]) {
      smtp.answers.push(...answers);
      const email = await signUp(server);
      const { attempts } = await logged(server, 'mail.given_up', email);
      assert.equal(attempts, tries);
      assert.equal(smtp.asked.items.filter((to) => to === email).length, tries);
    }
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    assert.match(metrics, /^jessica_mail_given_up_total 2$/m);
    assert.equal(
      await server.value('select count(*) from auth.mail_outbox where sealed is not null'),
      '0',
      'nothing is kept of a settled mail',
    );
  });

  test('a mail that waits survives a kill of the server', async () => {
    smtp.answers.push('451 busy');
    const email = await signUp(server);
    await logged(server, 'mail.delayed', email);
    await server.kill();
    smtp.answers.length = 0;
    await server.startAgain();
    // Killed in the middle of an attempt, the letter waits for the end of its lease.
    await smtp.mails.find('the mail', ({ to }) => to === email, { limit: 40 * second });
  });
});

describe('TLS from the first byte', () => {
  test('a mail arrives encrypted', async () => {
    const smtp = await SmtpServer.start({ certificate, implicit: true });
    const server = await Server.start(settings(smtp, { 'mail-smtp-tls': 'implicit' }));
    try {
      const email = await signUp(server);
      assert.equal((await mailTo(smtp, email)).secure, true);
    } finally {
      await server.remove();
      await smtp.stop();
    }
  });
});

describe('what cannot be trusted', () => {
  test('a server without STARTTLS, and one with a stranger’s certificate, get nothing', async () => {
    const plain = await SmtpServer.start();
    const stranger = await SmtpServer.start({ certificate });
    for (const [smtp, more] of [
      [plain, {}],
      [stranger, { 'mail-ca-file': '' }],
    ]) {
      const server = await Server.start(settings(smtp, { 'mail-attempts': 1, ...more }));
      try {
        const email = await signUp(server);
        await logged(server, 'mail.given_up', email);
        assert.deepEqual(smtp.asked.items, []);
      } finally {
        await server.remove();
        await smtp.stop();
      }
    }
  });
});
