// updateUser: what users change about their own account, and how it is refused.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  claimsOf,
  http,
  makeClient,
  newEmail,
  password,
  signedIn,
  signedUp,
} from './harness/clients.mjs';
import { Server } from './harness/server.mjs';

let server;
before(async () => {
  server = await Server.start();
});
after(() => server?.remove());

function assertRefused(error, status, code, message) {
  assert.ok(error, `refused with ${code}`);
  assert.deepEqual({ status: error.status, code: error.code }, { status, code });
  if (message) assert.equal(error.message, message);
}

const put = (token, body) =>
  http(server, '/auth/v1/user', {
    method: 'PUT',
    token,
    headers: { 'x-supabase-api-version': '2024-01-01' },
    body,
  });

describe('data', () => {
  test('is merged into user_metadata, and a null removes its key', async () => {
    const { client } = await signedUp(server);
    const first = await client.auth.updateUser({ data: { name: 'Ada', color: 'red' } });
    assert.ifError(first.error);
    const { data, error } = await client.auth.updateUser({ data: { color: null, n: [1, 2] } });
    assert.ifError(error);
    assert.deepEqual(data.user.user_metadata, { name: 'Ada', n: [1, 2], email_verified: true });
    assert.equal((await client.auth.getUser()).data.user.user_metadata.name, 'Ada');
    const refreshed = await client.auth.refreshSession();
    assert.equal(claimsOf(refreshed.data.session.access_token).user_metadata.name, 'Ada');
  });

  test('that would not fit into a token is refused', async () => {
    const { client } = await signedUp(server);
    const { error } = await client.auth.updateUser({ data: { x: 'x'.repeat(5000) } });
    assertRefused(error, 400, 'validation_failed');
  });
});

describe('password', () => {
  test('a new one ends the other sessions and leaves this one', async () => {
    const { client, email } = await signedUp(server);
    const other = (await signedIn(server, email)).client;
    const { error } = await client.auth.updateUser({ password: 'quite another one' });
    assert.ifError(error);
    assert.ifError((await client.auth.refreshSession()).error);
    assert.ok((await other.auth.refreshSession()).error, 'the other device is out');
    const { auth } = makeClient(server);
    assertRefused(
      (await auth.signInWithPassword({ email, password })).error,
      400,
      'invalid_credentials',
    );
    assert.ifError((await auth.signInWithPassword({ email, password: 'quite another one' })).error);
  });

  test('the same one and a weak one are refused', async () => {
    const { client } = await signedUp(server);
    assertRefused(
      (await client.auth.updateUser({ password })).error,
      422,
      'same_password',
      'New password should be different from the old password.',
    );
    const weak = (await client.auth.updateUser({ password: '12345' })).error;
    assertRefused(weak, 422, 'weak_password');
    assert.deepEqual(weak.reasons, ['length']);
    assertRefused(
      (await client.auth.updateUser({ password: 'x'.repeat(73) })).error,
      400,
      'validation_failed',
      'Password cannot be longer than 72 characters',
    );
  });
});

describe('an anonymous user', () => {
  test('becomes permanent with an e-mail and a password', async () => {
    const client = makeClient(server);
    const { data: guest } = await client.auth.signInAnonymously();
    const email = newEmail();
    const { data, error } = await client.auth.updateUser({ email: email.toUpperCase(), password });
    assert.ifError(error);
    assert.equal(data.user.id, guest.user.id);
    assert.equal(data.user.email, email);
    assert.equal(data.user.is_anonymous, false);
    assert.deepEqual(
      data.user.identities.map((way) => [way.provider, way.identity_data.email]),
      [['email', email]],
    );
    const { data: refreshed } = await client.auth.refreshSession();
    const claims = claimsOf(refreshed.session.access_token);
    assert.equal(claims.is_anonymous, false);
    assert.equal(claims.email, email);
    assert.equal(claims.session_id, claimsOf(guest.session.access_token).session_id);
    const again = await signedIn(server, email);
    assert.equal(again.user.id, guest.user.id);
  });

  test('needs an e-mail for a password, and one that is free', async () => {
    const { email } = await signedUp(server);
    const { auth } = makeClient(server);
    await auth.signInAnonymously();
    assertRefused(
      (await auth.updateUser({ password })).error,
      422,
      'validation_failed',
      'Updating password of an anonymous user without an email or phone is not allowed',
    );
    assertRefused((await auth.updateUser({ email, password })).error, 422, 'email_exists');
    assertRefused(
      (await auth.updateUser({ email: 'nobody', password })).error,
      400,
      'validation_failed',
    );
    assert.equal((await auth.getUser()).data.user.is_anonymous, true);
  });
});

describe('what a user may not', () => {
  test('move to another address without mail, nor to a telephone', async () => {
    const { client, email } = await signedUp(server);
    const moved = await client.auth.updateUser({ email: newEmail() });
    assertRefused(moved.error, 422, 'email_provider_disabled');
    assert.ifError((await client.auth.updateUser({ email })).error, 'to the same address');
    const { error } = await client.auth.updateUser({ phone: '+491234567' });
    assertRefused(error, 400, 'phone_provider_disabled');
  });

  test('change app_metadata', async () => {
    const { session } = await signedUp(server);
    const { status, json } = await put(session.access_token, { app_metadata: { role: 'boss' } });
    assert.deepEqual(
      [status, json.code, json.message],
      [403, 'not_admin', 'Updating app_metadata requires admin privileges'],
    );
  });

  test('anything without a session', async () => {
    const { client, session } = await signedUp(server);
    await client.auth.signOut();
    const gone = await put(session.access_token, { data: {} });
    assert.deepEqual([gone.status, gone.json.code], [403, 'session_not_found']);
    const nobody = await put(server.keys.anon_key, { data: {} });
    assert.deepEqual([nobody.status, nobody.json.code], [403, 'bad_jwt']);
    const none = await put(undefined, { data: {} });
    assert.deepEqual([none.status, none.json.code], [401, 'no_authorization']);
  });
});
