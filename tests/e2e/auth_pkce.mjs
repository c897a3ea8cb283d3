// PKCE: links whose redirect carries a code that only the app which asked can exchange.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { createClient } from '@supabase/supabase-js';
import { apiVersion, assertError } from './harness/auth.mjs';
import { claimsOf, http, newEmail, password } from './harness/clients.mjs';
import { Mailbox, followed } from './harness/mails.mjs';
import { Server } from './harness/server.mjs';

const site = 'https://app.example';

let server;
let mails;
before(async () => {
  server = await Server.start({
    'auth-mail-mode': 'sink',
    'auth-autoconfirm': 'false',
    'auth-site-url': site,
    'mail-interval': '0s',
    'mail-per-hour': 1000,
  });
  mails = new Mailbox(server);
});
after(() => server?.remove());

function pkceClient() {
  const kept = new Map();
  return createClient(server.url, server.keys.anon_key, {
    auth: {
      flowType: 'pkce',
      autoRefreshToken: false,
      detectSessionInUrl: false,
      storage: {
        getItem: (key) => kept.get(key) ?? null,
        setItem: (key, value) => kept.set(key, value),
        removeItem: (key) => kept.delete(key),
      },
    },
  });
}

const exchange = (auth_code, code_verifier) =>
  http(server, '/auth/v1/token?grant_type=pkce', {
    method: 'POST',
    headers: apiVersion,
    body: { auth_code, code_verifier },
  });

describe('PKCE', () => {
  test('a sign-up ends in the app that began it', async () => {
    const { auth } = pkceClient();
    const email = newEmail();
    assert.ifError((await auth.signUp({ email, password })).error);
    const { link } = await mails.next(email, 'confirmation');
    assert.match(new URL(link).searchParams.get('token'), /^pkce_/);
    const arrived = await followed(link);
    assert.equal(arrived.url, `${site}/`);
    assert.equal(arrived.fragment.size, 0);
    const code = arrived.query.get('code');
    assert.ok(code);
    const { data, error } = await auth.exchangeCodeForSession(code);
    assert.ifError(error);
    assert.equal(data.user.email, email);
    assert.ok(data.user.email_confirmed_at);
    assert.equal(claimsOf(data.session.access_token).amr[0].method, 'email/signup');
    const again = await exchange(code, 'x'.repeat(56));
    assert.deepEqual([again.status, again.json.code], [404, 'flow_state_not_found']);
  });

  test('a recovery says what it is, and a magic link too', async () => {
    const { auth } = pkceClient();
    const email = newEmail();
    await auth.signUp({ email, password });
    await followed((await mails.next(email)).link);
    const events = [];
    auth.onAuthStateChange((event) => events.push(event));
    assert.ifError((await auth.resetPasswordForEmail(email)).error);
    const lost = await followed((await mails.next(email, 'recovery')).link);
    const { data, error } = await auth.exchangeCodeForSession(lost.query.get('code'));
    assert.ifError(error);
    assert.equal(claimsOf(data.session.access_token).amr[0].method, 'recovery');
    assert.ok(events.includes('PASSWORD_RECOVERY'));
    assert.ifError((await auth.signInWithOtp({ email })).error);
    const magic = await followed((await mails.next(email, 'magic_link')).link);
    const back = await auth.exchangeCodeForSession(magic.query.get('code'));
    assert.equal(claimsOf(back.data.session.access_token).amr[0].method, 'magiclink');
  });

  test("another app's verifier opens nothing, and the right one still does", async () => {
    const mine = pkceClient();
    const other = pkceClient();
    const email = newEmail();
    await mine.auth.signUp({ email, password });
    await other.auth.signInWithOtp({ email: newEmail() });
    const { query } = await followed((await mails.next(email)).link);
    const stolen = await other.auth.exchangeCodeForSession(query.get('code'));
    assertError(stolen.error, 400, 'bad_code_verifier');
    assert.ifError((await mine.auth.exchangeCodeForSession(query.get('code'))).error);
  });

  test('a plain challenge works, too', async () => {
    const email = newEmail();
    const code_challenge = randomBytes(32).toString('base64url');
    const asked = await http(server, '/auth/v1/otp', {
      method: 'POST',
      headers: apiVersion,
      body: { email, code_challenge, code_challenge_method: 'plain' },
    });
    assert.equal(asked.status, 200);
    const { query } = await followed((await mails.next(email)).link);
    const wrong = await exchange(query.get('code'), `${code_challenge}x`);
    assert.deepEqual([wrong.status, wrong.json.code], [400, 'bad_code_verifier']);
    const right = await exchange(query.get('code'), code_challenge);
    assert.equal(right.status, 200);
    assert.ok(right.json.access_token);
  });

  test('codes that are old or unknown, and empty fields', async () => {
    const { auth } = pkceClient();
    const email = newEmail();
    await auth.signUp({ email, password });
    const { query } = await followed((await mails.next(email)).link);
    await server.sql(`update auth.flow_state set auth_code_issued_at = now() - interval '1 hour'`);
    assertError(
      (await auth.exchangeCodeForSession(query.get('code'))).error,
      422,
      'flow_state_expired',
    );
    for (const [code, verifier, status, word] of [
      ['nothing', 'x', 404, 'flow_state_not_found'],
      ['', 'x', 400, 'validation_failed'],
      ['x', '', 400, 'validation_failed'],
    ]) {
      const answer = await exchange(code, verifier);
      assert.deepEqual([answer.status, answer.json.code], [status, word]);
    }
  });

  test('an error comes in the query as well, where such an app looks', async () => {
    const { auth } = pkceClient();
    const email = newEmail();
    await auth.signUp({ email, password });
    const { link } = await mails.next(email);
    await followed(link);
    const again = await followed(link);
    for (const from of [again.query, again.fragment]) {
      assert.equal(from.get('error'), 'access_denied');
      assert.equal(from.get('error_code'), 'otp_expired');
    }
    assert.equal(again.query.get('code'), null);
  });

  test('the code of the mail signs in at once, without an exchange', async () => {
    const { auth } = pkceClient();
    const email = newEmail();
    await auth.signUp({ email, password });
    const { code } = await mails.next(email);
    const { data, error } = await auth.verifyOtp({ email, token: code, type: 'signup' });
    assert.ifError(error);
    assert.ok(data.session);
  });

  test('neither codes nor verifiers are stored', async () => {
    const { auth } = pkceClient();
    const email = newEmail();
    await auth.signUp({ email, password });
    const { query } = await followed((await mails.next(email)).link);
    const stored = await server.value('select json_agg(f) from auth.flow_state f');
    assert.ok(!stored.includes(query.get('code')));
  });
});
