// Sessions among tabs, devices and thieves; limits of sessions and of how often one may ask.
import assert from 'node:assert/strict';
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

const proxied = (address) => ({ ...apiVersion, 'x-forwarded-for': address });

/** A client of its own with this session, as another tab of the browser has it. */
async function tab(server, { access_token, refresh_token }) {
  const client = makeClient(server);
  assert.ifError((await client.auth.setSession({ access_token, refresh_token })).error);
  return client;
}

describe('sessions', () => {
  let server;
  before(async () => {
    server = await Server.start();
  });
  after(() => server?.remove());

  test('twenty tabs that refresh at once all stay signed in', async () => {
    const { session } = await signedUp(server);
    const tabs = await Promise.all(Array.from({ length: 20 }, () => tab(server, session)));
    for (let round = 0; round < 3; ++round) {
      const answers = await Promise.all(tabs.map(({ auth }) => auth.refreshSession()));
      for (const { error } of answers) assert.ifError(error);
      const live = new Set(answers.map(({ data }) => data.session.refresh_token));
      assert.equal(live.size, 1, 'all hold the live token');
    }
    for (const { auth } of tabs) assert.ifError((await auth.getUser()).error);
    assert.equal(
      await server.value(
        `select count(*) from auth.refresh_tokens
         where session_id = '${claimsOf(session.access_token).session_id}'`,
      ),
      '4',
    );
  });

  test("a new password closes the sockets of the user's other sessions", async () => {
    const { client, email } = await signedUp(server);
    const other = (await signedIn(server, email)).client;
    const mine = statuses(client.channel('lobby'));
    const theirs = statuses(other.channel('lobby'));
    for (const states of [mine, theirs])
      await states.find('SUBSCRIBED', ({ status }) => status === 'SUBSCRIBED');
    assert.ifError((await client.auth.updateUser({ password: 'quite another one' })).error);
    await theirs.find('CLOSED', ({ status }) => status === 'CLOSED');
    assert.deepEqual(mine.items.map(({ status }) => status), ['SUBSCRIBED']);
    await close(client, other);
  });

  test('a user and a session that are gone are told apart', async () => {
    const { client, session, user } = await signedUp(server);
    await client.auth.signOut();
    const look = () =>
      http(server, '/auth/v1/user', { token: session.access_token, headers: apiVersion });
    assert.equal((await look()).json.code, 'session_not_found');
    await server.sql(`delete from auth.users where id = '${user.id}'`);
    const gone = await look();
    assert.deepEqual([gone.status, gone.json.code], [403, 'user_not_found']);
  });

  test('a client whose session was ended elsewhere forgets it', async () => {
    const { client, email } = await signedUp(server);
    const other = (await signedIn(server, email)).client;
    assert.ifError((await other.auth.signOut({ scope: 'others' })).error);
    const { error } = await client.auth.getUser();
    assert.equal(error.name, 'AuthSessionMissingError');
    assert.equal((await client.auth.getSession()).data.session, null);
  });
});

describe('a session ends by itself', () => {
  let server;
  before(async () => {
    server = await Server.start({
      'auth-session-timebox': '1h',
      'auth-session-inactivity': '10m',
    });
  });
  after(() => server?.remove());

  const age = (session, column, interval) =>
    server.sql(
      `update auth.sessions set ${column} = now() - interval '${interval}'
       where id = '${claimsOf(session.access_token).session_id}'`,
    );

  test('past its time box', async () => {
    const { client, session } = await signedUp(server);
    assert.ifError((await client.auth.refreshSession()).error);
    await age(session, 'created_at', '61 minutes');
    assertRefused(
      await client.auth.refreshSession(),
      400,
      'session_expired',
      'Invalid Refresh Token: Session Expired',
    );
  });

  test('when nobody refreshed it for too long', async () => {
    const { client, session } = await signedUp(server);
    assert.ifError((await client.auth.refreshSession()).error);
    await age(session, 'refreshed_at', '11 minutes');
    assertRefused(
      await client.auth.refreshSession(),
      400,
      'session_expired',
      'Invalid Refresh Token: Session Expired (Inactivity)',
    );
  });
});

describe('policies', () => {
  let server;
  const settings = {
    'net-trusted-proxies': 1,
    'auth-token-rate': 20,
    'auth-anonymous-rate': 2,
    'auth-wrong-password-rate': 3,
    'auth-max-password': 200,
  };
  before(async () => {
    server = await Server.start(settings);
  });
  after(() => server?.remove());

  const signIn = (address, email, secret = password) =>
    http(server, '/auth/v1/token?grant_type=password', {
      method: 'POST',
      headers: proxied(address),
      body: { email, password: secret },
    });

  test('an address that asks too often is told when to come back', async () => {
    const { email } = await signedUp(server);
    const answers = [];
    for (let i = 0; i < 21; ++i) answers.push(await signIn('192.0.2.1', email));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [...Array(20).fill(200), 429],
    );
    const { json, headers } = answers.at(-1);
    assert.deepEqual(
      [json.code, json.message],
      ['over_request_rate_limit', 'Request rate limit reached'],
    );
    assert.ok(Number(headers.get('retry-after')) > 0);
    assert.equal((await signIn('192.0.2.2', email)).status, 200, 'others go on');
    const forged = await signIn('198.51.100.1, 192.0.2.1', email);
    assert.equal(forged.status, 429, 'what a client claims about itself does not count');
  });

  test('anonymous sign-ins are counted for themselves', async () => {
    const guest = () =>
      http(server, '/auth/v1/signup', { method: 'POST', headers: proxied('192.0.2.3'), body: {} });
    assert.equal((await guest()).status, 200);
    assert.equal((await guest()).status, 200);
    assert.equal((await guest()).status, 429);
  });

  test('wrong passwords are counted for the account, from wherever they come', async () => {
    const { email } = await signedUp(server);
    for (const n of [1, 2, 3])
      assert.equal((await signIn(`203.0.113.${n}`, email, 'wrong')).status, 400);
    const { status, json } = await signIn('203.0.113.4', email);
    assert.deepEqual([status, json.code], [429, 'over_request_rate_limit']);
  });

  test('a long password counts in full', async () => {
    const { auth } = makeClient(server);
    const email = newEmail();
    const long = 'ä'.repeat(100);
    assert.ifError((await auth.signUp({ email, password: long })).error);
    assert.ifError((await auth.signInWithPassword({ email, password: long })).error);
    assertRefused(
      await auth.signInWithPassword({ email, password: `${long.slice(0, -1)}a` }),
      400,
      'invalid_credentials',
    );
    assertRefused(
      await auth.signUp({ email: newEmail(), password: `${long}x` }),
      400,
      'validation_failed',
      'Password cannot be longer than 200 characters',
    );
  });

  test('who signs in with a password that became too weak is told so', async () => {
    const { email } = await signedUp(server);
    const easy = 'dragon';
    const { auth } = makeClient(server);
    const other = newEmail();
    assert.ifError((await auth.signUp({ email: other, password: easy })).error);
    await server.stop();
    const strict = await Server.join(server.directory, {
      'auth-refuse-known-passwords': true,
      'auth-password-characters': 'abcdefghijklmnopqrstuvwxyz:0123456789',
    });
    try {
      const client = makeClient(strict);
      const weak = await client.auth.signInWithPassword({ email: other, password: easy });
      assert.ifError(weak.error);
      assert.deepEqual(weak.data.weakPassword?.reasons, ['characters', 'pwned']);
      const refused = await client.auth.signUp({ email: newEmail(), password: easy });
      assertRefused(refused, 422, 'weak_password');
      assert.deepEqual(refused.error.reasons, ['characters', 'pwned']);
      const fine = await client.auth.signUp({ email: newEmail(), password: 'drag0n of the moor' });
      assert.ifError(fine.error);
      assertRefused(await client.auth.signInWithPassword({ email, password: easy }), 400, 'invalid_credentials');
    } finally {
      await strict.remove();
      await server.startAgain();
    }
  });
});
