// Accounts by e-mail: confirmation, magic links, recovery, invitations, changes of the
// address, reauthentication; and what a server without e-mail answers.
import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { apiVersion, assertError } from './harness/auth.mjs';
import { claimsOf, http, makeClient, newEmail, password, signedUp } from './harness/clients.mjs';
import { Mailbox, followed } from './harness/mails.mjs';
import { Server } from './harness/server.mjs';
import { until } from './harness/waiting.mjs';

const site = 'https://app.example/home';

const adminOf = (server) => makeClient(server, { key: server.keys.service_key }).auth.admin;

describe('with confirmations', () => {
  let server;
  let mails;
  before(async () => {
    server = await Server.start({
      'auth-mail-mode': 'sink',
      'auth-autoconfirm': 'false',
      'auth-site-url': site,
      'auth-redirect-urls': 'https://*.example/in, myapp://**',
      'auth-require-reauthentication': 'true',
      'auth-otp-attempts': 3,
      'mail-interval': '0s',
      'mail-per-hour': 1000,
      'mail-from': 'no-reply@chat.example',
      'mail-from-name': 'Chät',
    });
    mails = new Mailbox(server);
  });
  after(() => server?.remove());

  /** A confirmed account: {client, email, user, session}. */
  async function member() {
    const client = makeClient(server);
    const email = newEmail();
    assert.ifError((await client.auth.signUp({ email, password })).error);
    const { code } = await mails.next(email, 'confirmation');
    const { data, error } = await client.auth.verifyOtp({ email, token: code, type: 'email' });
    assert.ifError(error);
    return { client, email, ...data };
  }

  test('a sign-up gives no session until its code came back', async () => {
    const { auth } = makeClient(server);
    const email = newEmail();
    const { data, error } = await auth.signUp({ email, password, options: { data: { name: 'Ada' } } });
    assert.ifError(error);
    assert.equal(data.session, null);
    assert.equal(data.user.email, email);
    assert.equal(data.user.identities.length, 1);
    assert.ok(data.user.confirmation_sent_at);
    assert.equal(data.user.email_confirmed_at, undefined);
    assertError((await auth.signInWithPassword({ email, password })).error, 400, 'email_not_confirmed');

    const mail = await mails.next(email);
    assert.equal(mail.headers.from, '=?utf-8?B?Q2jDpHQ=?= <no-reply@chat.example>');
    assert.match(mail.headers['message-id'], /^<[0-9a-f-]+@chat\.example>$/);
    assert.ok(Math.abs(new Date(mail.headers.date) - Date.now()) < 60_000);
    assert.match(mail.plain, /signed up to Chät/);
    assert.equal((await stat(`${server.directory}/mail/${mail.name}`)).mode & 0o777, 0o600);

    const verified = await auth.verifyOtp({ email, token: mail.code, type: 'signup' });
    assert.ifError(verified.error);
    assert.ok(verified.data.user.email_confirmed_at);
    assert.equal(verified.data.user.user_metadata.email_verified, true);
    assert.equal(verified.data.user.user_metadata.name, 'Ada');
    assert.equal(claimsOf(verified.data.session.access_token).amr[0].method, 'otp');
    assertError(
      (await auth.verifyOtp({ email, token: mail.code, type: 'signup' })).error,
      403,
      'otp_expired',
    );
    assert.ifError((await makeClient(server).auth.signInWithPassword({ email, password })).error);
  });

  test("a taken address looks like a new one, and its owner's account stays", async () => {
    const { email, user } = await member();
    const { data, error } = await makeClient(server).auth.signUp({
      email,
      password: 'somebody else knows it',
      options: { data: { name: 'Eve' } },
    });
    assert.ifError(error);
    assert.equal(data.session, null);
    assert.deepEqual(data.user.identities, []);
    assert.notEqual(data.user.id, user.id);
    assert.equal(data.user.user_metadata.name, 'Eve');
    assert.ok(data.user.confirmation_sent_at);
    assert.equal(await mails.waiting(email), 0);
    assert.ifError((await makeClient(server).auth.signInWithPassword({ email, password })).error);
  });

  test("the link of a mail signs in at the site, once", async () => {
    const { auth } = makeClient(server);
    const email = newEmail();
    await auth.signUp({ email, password });
    const { link } = await mails.next(email);
    assert.equal((await fetch(link, { method: 'HEAD', redirect: 'manual' })).status, 200);
    const arrived = await followed(link);
    assert.equal(arrived.url, site);
    assert.equal(arrived.fragment.get('type'), 'signup');
    assert.equal(arrived.fragment.get('token_type'), 'bearer');
    assert.ok(Number(arrived.fragment.get('expires_at')) > Date.now() / 1000);
    const { data, error } = await auth.setSession({
      access_token: arrived.fragment.get('access_token'),
      refresh_token: arrived.fragment.get('refresh_token'),
    });
    assert.ifError(error);
    assert.equal(data.user.email, email);
    const again = await followed(link);
    assert.equal(again.url, site);
    assert.equal(again.fragment.get('error'), 'access_denied');
    assert.equal(again.fragment.get('error_code'), 'otp_expired');
    assert.equal(again.fragment.get('error_description'), 'Email link is invalid or has expired');
  });

  test('a link leads to allowed addresses only', async () => {
    for (const [wish, where] of [
      ['https://chat.example/in', 'https://chat.example/in'],
      ['myapp://welcome/back', 'null/back'],
      ['https://app.example/elsewhere', 'https://app.example/elsewhere'],
      ['https://a.b.example/in', site],
      ['https://evil.test/in', site],
      ['https://chat.example@evil.test/in', site],
      ['https://chat.example/in\r\nX-Evil: 1', site],
      ['javascript:alert(1)', site],
    ]) {
      const email = newEmail();
      const { error } = await makeClient(server).auth.signInWithOtp({
        email,
        options: { emailRedirectTo: wish },
      });
      assert.ifError(error);
      const { link } = await mails.next(email);
      const { url } = await followed(link);
      assert.equal(url, where, wish);
      const forged = new URL(link);
      forged.searchParams.set('redirect_to', 'https://evil.test/');
      assert.equal((await followed(forged.href)).url, site, 'a changed link');
    }
  });

  test('a token hash is as good as a code', async () => {
    const { auth } = makeClient(server);
    const email = newEmail();
    await auth.signUp({ email, password });
    const { link } = await mails.next(email);
    const token_hash = new URL(link).searchParams.get('token');
    assertError(
      (await auth.verifyOtp({ token_hash, type: 'recovery' })).error,
      403,
      'otp_expired',
    );
    const { data, error } = await auth.verifyOtp({ token_hash, type: 'email' });
    assert.ifError(error);
    assert.equal(data.user.email, email);
  });

  test('wrong codes are counted, and then the right one is worth nothing', async () => {
    const { auth } = makeClient(server);
    const email = newEmail();
    await auth.signUp({ email, password });
    const { code, link } = await mails.next(email);
    const wrong = String((Number(code) + 1) % 1_000_000).padStart(6, '0');
    for (let i = 0; i < 3; ++i)
      assertError((await auth.verifyOtp({ email, token: wrong, type: 'signup' })).error, 403, 'otp_expired');
    assertError((await auth.verifyOtp({ email, token: code, type: 'signup' })).error, 403, 'otp_expired');
    assert.ok((await followed(link)).fragment.get('access_token'), 'nobody guesses the link');
  });

  test('a code is for one address, one kind and some time', async () => {
    const { auth } = makeClient(server);
    const [one, other] = [newEmail(), newEmail()];
    await auth.signUp({ email: one, password });
    await auth.signUp({ email: other, password });
    const mine = await mails.next(one);
    await mails.next(other);
    assertError((await auth.verifyOtp({ email: other, token: mine.code, type: 'signup' })).error, 403, 'otp_expired');
    assertError((await auth.verifyOtp({ email: one, token: mine.code, type: 'recovery' })).error, 403, 'otp_expired');
    await auth.resend({ type: 'signup', email: one });
    const newer = await mails.next(one);
    assertError(
      (await auth.verifyOtp({ token_hash: new URL(mine.link).searchParams.get('token'), type: 'signup' })).error,
      403,
      'otp_expired',
    );
    await server.sql(`update auth.one_time_codes set expires_at = now() where email = '${one}'`);
    assertError((await auth.verifyOtp({ email: one, token: newer.code, type: 'signup' })).error, 403, 'otp_expired');
    assert.equal((await followed(newer.link)).fragment.get('error_code'), 'otp_expired');
  });

  test('nothing that opens an account is in the database or the log', async () => {
    const { auth } = makeClient(server);
    const email = newEmail();
    await auth.signUp({ email, password });
    const { code, link } = await mails.next(email);
    const token = new URL(link).searchParams.get('token');
    const stored = await server.value(`select concat((select json_agg(c) from auth.one_time_codes c),
      (select json_agg(m) from auth.mail_outbox m), (select json_agg(u) from auth.users u))`);
    assert.ok(!stored.includes(token));
    assert.ok(!stored.includes(`"${code}"`));
    const sent = await server.log.find('the mail in the log', (entry) => entry.event === 'mail.sent' && entry.recipient === email);
    assert.equal(sent.kind, 'confirmation');
    const logged = JSON.stringify(server.log.items);
    assert.ok(!logged.includes(token));
  });

  test('a magic link makes an account unless told not to', async () => {
    const client = makeClient(server);
    const email = newEmail();
    const refused = await client.auth.signInWithOtp({ email, options: { shouldCreateUser: false } });
    assertError(refused.error, 422, 'otp_disabled');
    assert.equal(refused.error.message, 'Signups not allowed for otp');
    assert.ifError((await client.auth.signInWithOtp({ email, options: { data: { name: 'Ada' } } })).error);
    const first = await mails.next(email, 'confirmation');
    const made = await client.auth.verifyOtp({ email, token: first.code, type: 'email' });
    assert.ifError(made.error);
    assert.equal(made.data.user.user_metadata.name, 'Ada');
    assert.ifError((await client.auth.signInWithOtp({ email, options: { shouldCreateUser: false } })).error);
    const second = await mails.next(email, 'magic_link');
    const back = await client.auth.verifyOtp({ email, token: second.code, type: 'magiclink' });
    assert.ifError(back.error);
    assert.equal(back.data.user.id, made.data.user.id);
    assert.ok(back.data.user.recovery_sent_at);
  });

  test('a lost password is recovered; unknown addresses get the same answer and no mail', async () => {
    const { email } = await member();
    const { auth } = makeClient(server);
    const nobody = newEmail();
    const answers = [await auth.resetPasswordForEmail(email), await auth.resetPasswordForEmail(nobody)];
    assert.deepEqual(answers, [{ data: {}, error: null }, { data: {}, error: null }]);
    const events = [];
    auth.onAuthStateChange((event) => events.push(event));
    const { code } = await mails.next(email, 'recovery');
    const { error } = await auth.verifyOtp({ email, token: code, type: 'recovery' });
    assert.ifError(error);
    assert.ok(events.includes('PASSWORD_RECOVERY'));
    assert.ifError((await auth.updateUser({ password: 'a new, better password' })).error);
    assert.ifError(
      (await makeClient(server).auth.signInWithPassword({ email, password: 'a new, better password' })).error,
    );
    assert.equal(await mails.waiting(nobody), 0);
  });

  test('resend sends once more what waits, and nothing else', async () => {
    const { auth } = makeClient(server);
    const email = newEmail();
    await auth.signUp({ email, password });
    await mails.next(email);
    assert.ifError((await auth.resend({ type: 'signup', email })).error);
    const { code } = await mails.next(email, 'confirmation');
    assert.ifError((await auth.verifyOtp({ email, token: code, type: 'signup' })).error);
    for (const again of [
      { type: 'signup', email },
      { type: 'signup', email: newEmail() },
      { type: 'email_change', email },
    ])
      assert.ifError((await auth.resend(again)).error);
    assert.equal(await mails.waiting(email), 0);
    for (const bad of [{ type: 'recovery', email }, { email }])
      assertError((await auth.resend(bad)).error, 400, 'validation_failed');
  });

  test('an operator invites; the invited is confirmed by coming', async () => {
    const email = newEmail();
    const { data, error } = await adminOf(server).inviteUserByEmail(email, {
      data: { team: 'blue' },
      redirectTo: 'https://chat.example/in',
    });
    assert.ifError(error);
    assert.equal(data.user.email, email);
    assert.ok(data.user.invited_at);
    const { link } = await mails.next(email, 'invite');
    const arrived = await followed(link);
    assert.equal(arrived.url, 'https://chat.example/in');
    assert.equal(arrived.fragment.get('type'), 'invite');
    const claims = claimsOf(arrived.fragment.get('access_token'));
    assert.equal(claims.user_metadata.team, 'blue');
    assertError((await adminOf(server).inviteUserByEmail(email)).error, 422, 'email_exists');
    assertError((await makeClient(server).auth.admin.inviteUserByEmail(newEmail())).error, 403, 'not_admin');
  });

  test('an old session needs a code to change the password', async () => {
    const { client, email, user } = await member();
    await server.sql(`update auth.sessions set created_at = now() - interval '2 days' where user_id = '${user.id}'`);
    assertError((await client.auth.updateUser({ password: 'another password' })).error, 400, 'reauthentication_needed');
    assert.ifError((await client.auth.reauthenticate()).error);
    const mail = await mails.next(email, 'reauthentication');
    assert.equal(mail.link, undefined);
    const wrong = String((Number(mail.code) + 1) % 1_000_000).padStart(6, '0');
    assertError(
      (await client.auth.updateUser({ password: 'another password', nonce: wrong })).error,
      422,
      'reauthentication_not_valid',
    );
    assert.ifError((await client.auth.updateUser({ password: 'another password', nonce: mail.code })).error);
    assertError(
      (await client.auth.updateUser({ password: 'a third password', nonce: mail.code })).error,
      422,
      'reauthentication_not_valid',
    );
  });

  test('an address changes when the old and the new one have confirmed', async () => {
    const { client, email, user } = await member();
    const next = newEmail();
    const asked = await client.auth.updateUser({ email: next });
    assert.ifError(asked.error);
    assert.equal(asked.data.user.email, email);
    assert.equal(asked.data.user.new_email, next);
    assert.ok(asked.data.user.email_change_sent_at);
    const old = await mails.next(email, 'email_change_current');
    const fresh = await mails.next(next, 'email_change_new');
    assert.match(old.plain, new RegExp(next));
    const first = await client.auth.verifyOtp({ email, token: old.code, type: 'email_change' });
    assert.ifError(first.error);
    assert.equal(first.data.session, null);
    assertError(
      (await client.auth.verifyOtp({ email, token: old.code, type: 'email_change' })).error,
      403,
      'otp_expired',
    );
    const arrived = await followed(fresh.link);
    assert.equal(arrived.fragment.get('type'), 'email_change');
    assert.equal(claimsOf(arrived.fragment.get('access_token')).email, next);
    const now = await makeClient(server).auth.signInWithPassword({ email: next, password });
    assert.equal(now.data.user.id, user.id);
    assert.equal(now.data.user.new_email, undefined);
    assertError(
      (await makeClient(server).auth.signInWithPassword({ email, password })).error,
      400,
      'invalid_credentials',
    );
  });

  test("an address that is somebody's cannot be taken", async () => {
    const one = await member();
    const other = await member();
    assertError((await one.client.auth.updateUser({ email: other.email })).error, 422, 'email_exists');
    const next = newEmail();
    assert.ifError((await one.client.auth.updateUser({ email: next })).error);
    const old = await mails.next(one.email, 'email_change_current');
    const fresh = await mails.next(next, 'email_change_new');
    await followed(old.link);
    await server.sql(`update auth.users set email = '${next}' where id = '${other.user.id}'`);
    const late = await followed(fresh.link);
    assert.equal(late.fragment.get('error_code'), 'email_exists');
  });

  test('an anonymous user becomes permanent by confirming an address', async () => {
    const { auth } = makeClient(server);
    await auth.signInAnonymously();
    const email = newEmail();
    const { data, error } = await auth.updateUser({ email });
    assert.ifError(error);
    assert.equal(data.user.is_anonymous, true);
    assert.equal(data.user.new_email, email);
    const { code } = await mails.next(email, 'email_change_new');
    const done = await auth.verifyOtp({ email, token: code, type: 'email_change' });
    assert.ifError(done.error);
    assert.equal(done.data.user.is_anonymous, false);
    assert.equal(done.data.user.email, email);
    assert.deepEqual(done.data.user.app_metadata, { provider: 'email', providers: ['email'] });
  });

  test('bad bodies are client errors', async () => {
    const post = (path, body) => http(server, `/auth/v1${path}`, { method: 'POST', headers: apiVersion, body });
    for (const [path, body, code] of [
      ['/verify', '{', 'bad_json'],
      ['/verify', {}, 'validation_failed'],
      ['/verify', { type: 'signup' }, 'validation_failed'],
      ['/verify', { type: 'signup', token: '123456' }, 'validation_failed'],
      ['/verify', { type: 'planet', token: '1', email: 'a@b.test' }, 'validation_failed'],
      ['/verify', { type: 'signup', token: '1', token_hash: '2', email: 'a@b.test' }, 'validation_failed'],
      ['/otp', {}, 'validation_failed'],
      ['/otp', { email: 'nobody' }, 'validation_failed'],
      ['/otp', { email: 'a@b.test\r\nBcc: c@d.test' }, 'validation_failed'],
      ['/otp', { email: newEmail(), code_challenge: 'short', code_challenge_method: 's256' }, 'validation_failed'],
      ['/recover', { email: '' }, 'validation_failed'],
      ['/signup', { email: newEmail(), password, code_challenge: 'x'.repeat(43) }, 'validation_failed'],
    ]) {
      const { status, json } = await post(path, body);
      assert.deepEqual([status, json.code], [400, code], `${path} ${JSON.stringify(body)}`);
    }
    const phone = await post('/otp', { phone: '+4930123456' });
    assert.deepEqual([phone.status, phone.json.code], [422, 'phone_provider_disabled']);
    for (const query of ['', '?token=x', '?type=signup', '?token=x&type=planet']) {
      const answer = await fetch(`${server.url}/auth/v1/verify${query}`, { redirect: 'manual' });
      assert.equal(answer.status, 400, query);
    }
  });

  test('/settings says that addresses are confirmed', async () => {
    const { json } = await http(server, '/auth/v1/settings');
    assert.equal(json.mailer_autoconfirm, false);
  });
});

describe('limits', () => {
  let server;
  before(async () => {
    server = await Server.start({
      'auth-mail-mode': 'sink',
      'auth-autoconfirm': 'false',
      'mail-per-hour': 4,
      'mail-sink-files': 2,
    });
  });
  after(() => server?.remove());

  test('an address gets one mail a minute, known or not, and all together so many an hour', async () => {
    const { auth } = makeClient(server);
    const [email, nobody] = [newEmail(), newEmail()];
    assert.ifError((await auth.signUp({ email, password })).error);
    assert.ifError((await auth.resetPasswordForEmail(nobody)).error);
    for (const again of [
      await auth.signUp({ email, password }),
      await auth.resend({ type: 'signup', email }),
      await auth.signInWithOtp({ email }),
      await auth.resetPasswordForEmail(nobody),
    ]) {
      assertError(again.error, 429, 'over_email_send_rate_limit');
      assert.match(again.error.message, /^For security purposes, you can only request this after [1-6]?\d seconds\.$/);
    }
    for (let i = 0; i < 3; ++i)
      assert.ifError((await auth.signUp({ email: newEmail(), password })).error);
    const full = await auth.signUp({ email: newEmail(), password });
    assertError(full.error, 429, 'over_email_send_rate_limit');
    assert.equal(full.error.message, 'email rate limit exceeded');
    const box = new Mailbox(server);
    await until('all mails sent', async () =>
      (await server.value('select count(*) from auth.mail_outbox where sent')) === '4');
    assert.equal(await box.waiting(email), 0, 'the oldest files are gone');
  });
});

describe('with e-mail, but without confirmations', () => {
  let server;
  let mails;
  before(async () => {
    server = await Server.start({ 'auth-mail-mode': 'sink', 'mail-interval': '0s' });
    mails = new Mailbox(server);
  });
  after(() => server?.remove());

  test('a sign-up has its session at once, and links still work', async () => {
    const { email, user, session } = await signedUp(server);
    assert.ok(session);
    const { auth } = makeClient(server);
    assert.ifError((await auth.signInWithOtp({ email })).error);
    const { link } = await mails.next(email, 'magic_link');
    const arrived = await followed(link);
    assert.equal(arrived.url, `${server.url}/`);
    assert.equal(claimsOf(arrived.fragment.get('access_token')).sub, user.id);
    const taken = await auth.signUp({ email, password });
    assertError(taken.error, 422, 'user_already_exists');
  });

  test('a new address proves itself by its first magic link', async () => {
    const { auth } = makeClient(server);
    const email = newEmail();
    assert.ifError((await auth.signInWithOtp({ email })).error);
    const { code } = await mails.next(email, 'magic_link');
    const { data, error } = await auth.verifyOtp({ email, token: code, type: 'magiclink' });
    assert.ifError(error);
    assert.ok(data.user.email_confirmed_at);
  });
});

describe('without e-mail', () => {
  let server;
  before(async () => {
    server = await Server.start();
  });
  after(() => server?.remove());

  test('every call has the answer its client expects', async () => {
    const { client, email } = await signedUp(server);
    const { auth } = client;
    for (const address of [email, newEmail()]) {
      assert.deepEqual(await auth.resetPasswordForEmail(address), { data: {}, error: null });
      assert.ifError((await auth.resend({ type: 'signup', email: address })).error);
      const otp = await auth.signInWithOtp({ email: address });
      assertError(otp.error, 422, 'email_provider_disabled');
      assert.equal(otp.error.message, 'Login with magic link is disabled');
      assertError((await auth.verifyOtp({ email: address, token: '123456', type: 'email' })).error, 403, 'otp_expired');
    }
    assertError((await auth.verifyOtp({ token_hash: 'x', type: 'email' })).error, 403, 'otp_expired');
    assertError((await auth.reauthenticate()).error, 422, 'email_provider_disabled');
    assertError((await auth.updateUser({ email: newEmail() })).error, 422, 'email_provider_disabled');
    assertError((await adminOf(server).inviteUserByEmail(newEmail())).error, 422, 'email_provider_disabled');
    assertError((await auth.signInWithOtp({ phone: '+4930123456' })).error, 422, 'phone_provider_disabled');
    assertError(
      (await auth.verifyOtp({ phone: '+4930123456', token: '123456', type: 'sms' })).error,
      403,
      'otp_expired',
    );
    const guest = makeClient(server);
    await guest.auth.signInAnonymously();
    const nameless = await guest.auth.reauthenticate();
    assertError(nameless.error, 400, 'validation_failed');
    const code = await http(server, '/auth/v1/token?grant_type=pkce', {
      method: 'POST',
      headers: apiVersion,
      body: { auth_code: 'x', code_verifier: 'y' },
    });
    assert.deepEqual([code.status, code.json.code], [404, 'flow_state_not_found']);
    assert.equal(await server.value('select count(*) from auth.mail_outbox'), '0');
  });
});
