// auth.admin: accounts for whoever holds the service role.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { apiVersion, assertRefused } from './harness/auth.mjs';
import {
  claimsOf,
  close,
  http,
  makeClient,
  newEmail,
  password,
  signedIn,
  signedUp,
  statuses,
} from './harness/clients.mjs';
import { Server } from './harness/server.mjs';
import { Inbox, second } from './harness/waiting.mjs';

const bcryptHash = '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'; // of "U*U"

let server;
let admin;
before(async () => {
  server = await Server.start();
  admin = makeClient(server, { key: server.keys.service_key }).auth.admin;
});
after(() => server?.remove());

async function created(attributes = {}) {
  const { data, error } = await admin.createUser({
    email: newEmail(),
    password,
    email_confirm: true,
    ...attributes,
  });
  assert.ifError(error);
  return data.user;
}

const signIn = (email, secret = password) =>
  makeClient(server).auth.signInWithPassword({ email, password: secret });

describe('createUser', () => {
  test('makes an account as described, which signs in', async () => {
    const id = randomUUID();
    const user = await created({
      id,
      user_metadata: { name: 'Ada' },
      app_metadata: { plan: 'pro' },
    });
    assert.equal(user.id, id);
    assert.deepEqual(user.user_metadata, { name: 'Ada', email_verified: true });
    assert.deepEqual(user.app_metadata, { plan: 'pro', provider: 'email', providers: ['email'] });
    assert.equal(user.identities.length, 1);
    assert.ok(user.email_confirmed_at);
    const { data, error } = await signIn(user.email);
    assert.ifError(error);
    assert.equal(claimsOf(data.session.access_token).app_metadata.plan, 'pro');
  });

  test('without email_confirm the address has to be confirmed first', async () => {
    const user = await created({ email_confirm: false });
    assert.equal(user.email_confirmed_at, undefined);
    assertRefused(await signIn(user.email), 400, 'email_not_confirmed', 'Email not confirmed');
  });

  test('takes a hash of bcrypt over, and Argon2id after the first sign-in', async () => {
    const user = await created({ password: undefined, password_hash: bcryptHash });
    assertRefused(await signIn(user.email, 'U*V'), 400, 'invalid_credentials');
    assert.ifError((await signIn(user.email, 'U*U')).error);
    const stored = await server.value(
      `select encrypted_password from auth.users where id = '${user.id}'`,
    );
    assert.match(stored, /^\$argon2id\$/);
    assert.ifError((await signIn(user.email, 'U*U')).error);
  });

  test('refuses what is taken, weak or no sense', async () => {
    const { email } = await created();
    const attempt = (attributes) => admin.createUser({ email: newEmail(), password, ...attributes });
    assertRefused(
      await attempt({ email }),
      422,
      'email_exists',
      'A user with this email address has already been registered',
    );
    assertRefused(await admin.createUser({ password }), 400, 'validation_failed');
    assertRefused(await attempt({ email: 'nobody' }), 400, 'validation_failed');
    assertRefused(await attempt({ password: '12345' }), 422, 'weak_password');
    assertRefused(await attempt({ password_hash: bcryptHash }), 400, 'validation_failed');
    assertRefused(
      await attempt({ password: undefined, password_hash: '$5$salt$hash' }),
      400,
      'validation_failed',
    );
    assertRefused(await attempt({ ban_duration: 'a while' }), 400, 'validation_failed');
    assertRefused(await attempt({ role: 'postgres' }), 400, 'validation_failed');
    assertRefused(await attempt({ phone: '+49123456789' }), 400, 'phone_provider_disabled');
  });

  test('gives tokens of the role it was told', async () => {
    const user = await created({ role: 'service_role' });
    const { data } = await signIn(user.email);
    assert.equal(claimsOf(data.session.access_token).role, 'service_role');
    assert.equal(data.user.role, 'service_role');
  });
});

test('listUsers: pages, with what the client needs to go on', async () => {
  for (let i = 0; i < 5; ++i) await created();
  const first = await admin.listUsers({ page: 1, perPage: 2 });
  assert.ifError(first.error);
  const { users, total, nextPage, lastPage, aud } = first.data;
  assert.equal(users.length, 2);
  assert.equal(aud, 'authenticated');
  assert.equal(nextPage, 2);
  assert.equal(lastPage, Math.ceil(total / 2));
  assert.equal(String(total), await server.value('select count(*) from auth.users'));
  const seen = new Set();
  for (let page = 1; page <= lastPage; ++page)
    for (const { id } of (await admin.listUsers({ page, perPage: 2 })).data.users) seen.add(id);
  assert.equal(seen.size, total);
  const last = await admin.listUsers({ page: lastPage, perPage: 2 });
  assert.equal(last.data.nextPage, null);
  const all = await admin.listUsers();
  assert.equal(all.data.users.length, Math.min(total, 50));
  assertRefused(await admin.listUsers({ page: 'x' }), 400, 'validation_failed');
});

describe('one user', () => {
  test('is shown and changed; a password ends all sessions', async () => {
    const { client, user } = await signedUp(server);
    assert.equal((await admin.getUserById(user.id)).data.user.email, user.email);
    const email = newEmail();
    const changed = await admin.updateUserById(user.id, {
      email,
      user_metadata: { a: 1 },
      app_metadata: { plan: 'pro', provider: null },
    });
    assert.ifError(changed.error);
    assert.equal(changed.data.user.email, email);
    assert.deepEqual(changed.data.user.app_metadata, { plan: 'pro', providers: ['email'] });
    const refreshed = await client.auth.refreshSession();
    assert.ifError(refreshed.error);
    assert.equal(claimsOf(refreshed.data.session.access_token).app_metadata.plan, 'pro');
    assert.ifError((await admin.updateUserById(user.id, { password: 'set by somebody' })).error);
    assert.ok((await client.auth.refreshSession()).error);
    assert.ifError((await signIn(email, 'set by somebody')).error);
  });

  test('who is not there is not found', async () => {
    const id = randomUUID();
    const gone = [404, 'user_not_found', 'User not found'];
    assertRefused(await admin.getUserById(id), ...gone);
    assertRefused(await admin.updateUserById(id, { role: 'authenticated' }), ...gone);
    assertRefused(await admin.deleteUser(id), ...gone);
    const bad = await http(server, '/auth/v1/admin/users/7', {
      key: server.keys.service_key,
      headers: apiVersion,
    });
    assert.deepEqual([bad.status, bad.json.code], [404, 'validation_failed']);
  });
});

describe('a ban', () => {
  test('closes sockets, shuts every door, and ends', async () => {
    const { client, user, session, email } = await signedUp(server);
    const channel = client.channel('lobby');
    const system = new Inbox();
    channel.on('system', {}, (payload) => system.push(payload));
    const states = statuses(channel);
    await states.find('SUBSCRIBED', ({ status }) => status === 'SUBSCRIBED');
    const banned = await admin.updateUserById(user.id, { ban_duration: '24h' });
    assert.ifError(banned.error);
    const left = new Date(banned.data.user.banned_until) - Date.now();
    assert.ok(Math.abs(left - 24 * 3600 * second) < 60 * second);
    await states.find('CLOSED', ({ status }) => status === 'CLOSED');
    assert.equal(system.items.at(-1).message, 'Session was ended');
    assertRefused(await signIn(email), 400, 'user_banned', 'User is banned');
    assertRefused(
      await client.auth.refreshSession({ refresh_token: session.refresh_token }),
      400,
      'user_banned',
      'Invalid Refresh Token: User Banned',
    );
    const bearer = await http(server, '/auth/v1/user', {
      token: session.access_token,
      headers: apiVersion,
    });
    assert.deepEqual([bearer.status, bearer.json.code], [403, 'user_banned']);
    assert.ifError((await admin.updateUserById(user.id, { ban_duration: 'none' })).error);
    assert.ifError((await signIn(email)).error);
    await close(client);
  });
});

describe('deleteUser', () => {
  test('for good takes everything, and frees the address', async () => {
    const { client, user, session, email } = await signedUp(server);
    assert.ifError((await admin.deleteUser(user.id)).error);
    assertRefused(await admin.getUserById(user.id), 404, 'user_not_found');
    const bearer = await http(server, '/auth/v1/user', {
      token: session.access_token,
      headers: apiVersion,
    });
    assert.deepEqual(
      [bearer.status, bearer.json.code, bearer.json.message],
      [403, 'user_not_found', 'User from sub claim in JWT does not exist'],
    );
    assert.ok((await client.auth.refreshSession()).error);
    assert.ifError((await makeClient(server).auth.signUp({ email, password })).error);
  });

  test('softly keeps the row, without what was personal', async () => {
    const { user, email } = await signedUp(server);
    assert.ifError((await admin.deleteUser(user.id, true)).error);
    const { data } = await admin.getUserById(user.id);
    assert.ok(data.user.deleted_at);
    assert.notEqual(data.user.email, email);
    assert.deepEqual(data.user.app_metadata, {});
    assertRefused(await signIn(email), 400, 'invalid_credentials');
    assert.ifError((await makeClient(server).auth.signUp({ email, password })).error);
  });
});

test('nobody else may', async () => {
  const { client, user } = await signedUp(server);
  for (const { auth } of [client, makeClient(server)]) {
    assertRefused(await auth.admin.listUsers(), 403, 'not_admin', 'User not allowed');
    assertRefused(await auth.admin.createUser({ email: newEmail() }), 403, 'not_admin');
    assertRefused(await auth.admin.updateUserById(user.id, { role: 'service_role' }), 403, 'not_admin');
    assertRefused(await auth.admin.deleteUser(user.id), 403, 'not_admin');
  }
  const link = await admin.generateLink({ type: 'magiclink', email: user.email });
  assert.ok(link.error.status >= 400 && link.error.status < 500);
  assert.equal((await signedIn(server, user.email)).user.id, user.id);
});
