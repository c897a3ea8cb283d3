// Accounts, sessions, tokens and keys, and every way they are refused.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import {
  claimsOf,
  http,
  makeClient,
  makeToken,
  newEmail,
  password,
  send,
  signedIn,
  signedUp,
} from './harness/clients.mjs';
import { Server } from './harness/server.mjs';
import { second, until } from './harness/waiting.mjs';

const apiVersion = { 'x-supabase-api-version': '2024-01-01' };
const reuseSeconds = 2;

let server;
before(async () => {
  server = await Server.start({ 'auth-refresh-reuse': `${reuseSeconds}s` });
});
after(() => server?.remove());

function assertRefused(error, status, code) {
  assert.ok(error, `refused with ${code}`);
  assert.deepEqual({ status: error.status, code: error.code }, { status, code });
}

const refresh = (token) =>
  http(server, '/auth/v1/token?grant_type=refresh_token', {
    method: 'POST',
    headers: apiVersion,
    body: { refresh_token: token },
  });

describe('sign up', () => {
  test('gives a session, keeps the data, and the token says who it is', async () => {
    const client = makeClient(server);
    const email = newEmail();
    const { data, error } = await client.auth.signUp({
      email: email.toUpperCase(),
      password,
      options: { data: { name: 'Ada' } },
    });
    assert.ifError(error);
    assert.equal(data.user.email, email);
    assert.equal(data.user.user_metadata.name, 'Ada');
    assert.equal(data.user.is_anonymous, false);
    const claims = claimsOf(data.session.access_token);
    assert.equal(claims.sub, data.user.id);
    assert.equal(claims.iss, `${server.url}/auth/v1`);
    assert.equal(claims.role, 'authenticated');
    assert.equal(claims.aud, 'authenticated');
    assert.ok(claims.exp - claims.iat > 90);
    const me = await client.auth.getUser();
    assert.equal(me.data.user.id, data.user.id);
    const stored = await server.value(
      `select encrypted_password from auth.users where id = '${data.user.id}'`,
    );
    assert.match(stored, /^\$(argon2id|2[aby])\$/);
  });

  test('a taken e-mail, a short password and a bad address are refused', async () => {
    const { email } = await signedUp(server);
    const { auth } = makeClient(server);
    const taken = await auth.signUp({ email: email.toUpperCase(), password });
    assertRefused(taken.error, 422, 'user_already_exists');
    const short = await auth.signUp({ email: newEmail(), password: '12345' });
    assertRefused(short.error, 422, 'weak_password');
    assert.equal(short.error.name, 'AuthWeakPasswordError');
    assert.deepEqual(short.error.reasons, ['length']);
    for (const bad of ['nobody', 'a@', '@b.test', 'a b@c.test', `${'x'.repeat(250)}@c.test`])
      assertRefused((await auth.signUp({ email: bad, password })).error, 400, 'validation_failed');
    const long = await auth.signUp({ email: newEmail(), password: 'x'.repeat(73) });
    assertRefused(long.error, 400, 'validation_failed');
  });

  test('anonymous sign-in gives an anonymous user that may chat', async () => {
    const client = makeClient(server);
    const { data, error } = await client.auth.signInAnonymously();
    assert.ifError(error);
    assert.equal(data.user.is_anonymous, true);
    assert.equal(claimsOf(data.session.access_token).is_anonymous, true);
    const { message_id } = await send(client, 'Hello from a guest');
    const { data: rows } = await client.from('messages').select('id').eq('id', message_id);
    assert.equal(rows.length, 1);
  });
});

describe('sign in', () => {
  test('a wrong password and an unknown e-mail get the same answer', async () => {
    const { email } = await signedUp(server);
    const { auth } = makeClient(server);
    const wrong = await auth.signInWithPassword({ email, password: 'not the password' });
    const unknown = await auth.signInWithPassword({ email: newEmail(), password });
    assertRefused(wrong.error, 400, 'invalid_credentials');
    assertRefused(unknown.error, 400, 'invalid_credentials');
    assert.equal(wrong.error.message, unknown.error.message);
  });

  test('bad bodies are client errors in both error shapes', async () => {
    const path = '/auth/v1/token?grant_type=password';
    const post = (body, headers) => http(server, path, { method: 'POST', body, headers });
    const versioned = await post('{"email":', apiVersion);
    assert.equal(versioned.status, 400);
    assert.equal(versioned.json.code, 'bad_json');
    assert.equal(versioned.headers.get('x-supabase-api-version'), '2024-01-01');
    const old = await post('{"email":', {});
    assert.equal(old.status, 400);
    assert.deepEqual([old.json.code, old.json.error_code], [400, 'bad_json']);
    assert.equal(old.headers.get('x-sb-error-code'), 'bad_json');
    for (const body of ['[]', '"x"', 'null', { email: 7, password: [] }, {}, '\u0000'])
      assert.equal((await post(body, apiVersion)).status, 400, JSON.stringify(body));
  });
});

describe('refresh', () => {
  test('rotates the token and stays in the same session', async () => {
    const { client, session } = await signedUp(server);
    const { data, error } = await client.auth.refreshSession();
    assert.ifError(error);
    assert.notEqual(data.session.refresh_token, session.refresh_token);
    assert.equal(
      claimsOf(data.session.access_token).session_id,
      claimsOf(session.access_token).session_id,
    );
    assert.ifError((await client.auth.getUser()).error);
  });

  test('five at once all get the one live token', async () => {
    const { session } = await signedUp(server);
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => refresh(session.refresh_token)),
    );
    assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200, 200, 200]);
    assert.equal(new Set(answers.map(({ json }) => json.refresh_token)).size, 1);
    assert.notEqual(answers[0].json.refresh_token, session.refresh_token);
  });

  test('the parent of the live token gives the live one, without rotating', async () => {
    const { session } = await signedUp(server);
    const next = await refresh(session.refresh_token);
    const again = await refresh(session.refresh_token);
    assert.equal(again.status, 200);
    assert.equal(again.json.refresh_token, next.json.refresh_token);
  });

  test('an older token is refused after the reuse interval and ends the session', async () => {
    const { session } = await signedUp(server);
    const two = await refresh(session.refresh_token);
    const three = await refresh(two.json.refresh_token);
    assert.equal(three.status, 200);
    const soon = await refresh(session.refresh_token);
    assert.equal(soon.status, 200, 'within the interval');
    assert.equal(soon.json.refresh_token, three.json.refresh_token);
    const late = await until(
      'the old token is refused',
      async () => {
        const answer = await refresh(session.refresh_token);
        return answer.status === 200 ? null : answer;
      },
      5 * reuseSeconds * second,
      250,
    );
    assert.deepEqual([late.status, late.json.code], [400, 'refresh_token_already_used']);
    const live = await refresh(three.json.refresh_token);
    assert.equal(live.status, 400, 'the whole session is gone');
  });

  test('unknown, short and missing tokens are refused', async () => {
    for (const token of ['x', 'notatokenatall', randomUUID()]) {
      const { status, json } = await refresh(token);
      assert.deepEqual([status, json.code], [400, 'refresh_token_not_found'], token);
    }
    const empty = await refresh('');
    assert.deepEqual([empty.status, empty.json.error], [400, 'invalid_request']);
  });
});

describe('sign out', () => {
  async function threeDevices() {
    const { email, client } = await signedUp(server);
    const second = (await signedIn(server, email)).client;
    const third = (await signedIn(server, email)).client;
    return [client, second, third];
  }
  const alive = async ({ auth }) => !(await auth.refreshSession()).error;
  const expected = {
    local: [false, true, true],
    others: [true, false, false],
    global: [false, false, false],
  };

  for (const scope of Object.keys(expected))
    test(`with scope ${scope} ends the right sessions`, async () => {
      const devices = await threeDevices();
      assert.ifError((await devices[0].auth.signOut({ scope })).error);
      const after = [];
      for (const device of devices) after.push(await alive(device));
      assert.deepEqual(after, expected[scope]);
    });

  test('an unknown scope is refused', async () => {
    const { session } = await signedUp(server);
    const { status, json } = await http(server, '/auth/v1/logout?scope=planet', {
      method: 'POST',
      token: session.access_token,
      headers: apiVersion,
    });
    assert.deepEqual([status, json.code], [400, 'validation_failed']);
  });

  test('the access token of a session that is gone finds no user any more', async () => {
    const { client, session } = await signedUp(server);
    await client.auth.signOut();
    const { status, json } = await http(server, '/auth/v1/user', {
      token: session.access_token,
      headers: apiVersion,
    });
    assert.deepEqual([status, json.code], [403, 'session_not_found']);
  });
});

describe('tokens and keys', () => {
  const now = () => Math.floor(Date.now() / 1000);

  async function badTokens() {
    const { session } = await signedUp(server);
    const claims = claimsOf(session.access_token);
    const [head, body, signature] = session.access_token.split('.');
    const other = Buffer.from(JSON.stringify({ ...claims, sub: randomUUID() })).toString('base64url');
    return {
      expired: makeToken(server.keys.jwt_secret, { ...claims, exp: now() - 600 }),
      'signed with another secret': makeToken('x'.repeat(40), claims),
      'changed after signing': `${head}.${other}.${signature}`,
      'of algorithm none': makeToken('', claims, 'none'),
      'cut off': `${head}.${body}`,
      rubbish: 'rubbish',
    };
  }

  test('an expired or forged token is refused everywhere', async () => {
    for (const [kind, token] of Object.entries(await badTokens())) {
      const user = await http(server, '/auth/v1/user', { token, headers: apiVersion });
      assert.deepEqual([user.status, user.json.code], [403, 'bad_jwt'], `auth, ${kind}`);
      const rest = await http(server, '/rest/v1/messages?select=id', { token });
      const code = kind === 'expired' ? 'PGRST303' : 'PGRST301';
      assert.deepEqual([rest.status, rest.json.code], [401, code], `rest, ${kind}`);
      assert.match(rest.headers.get('www-authenticate'), /^Bearer/);
      const call = await http(server, '/functions/v1/enqueue-inference', {
        method: 'POST',
        token,
        body: { content: 'x' },
      });
      assert.deepEqual([call.status, call.json.code], [401, 'UNAUTHORIZED_INVALID_JWT'], kind);
    }
    assert.equal(await server.value(`select count(*) from public.messages where content = 'x'`), '0');
  });

  test('the anon key alone may not chat and sees no row', async () => {
    const client = makeClient(server);
    const { error } = await client.functions.invoke('enqueue-inference', { body: { content: 'x' } });
    assert.equal(error.context.status, 401);
    const rest = await client.from('messages').select('id');
    assert.equal(rest.status, 401);
    assert.equal(rest.error.code, '42501');
  });

  test('without an API key nothing is answered', async () => {
    const { session } = await signedUp(server);
    for (const [method, path] of [
      ['GET', '/auth/v1/user'],
      ['POST', '/auth/v1/token?grant_type=password'],
      ['GET', '/rest/v1/messages'],
      ['POST', '/functions/v1/enqueue-inference'],
    ]) {
      const { status, json } = await http(server, path, {
        method,
        key: '',
        token: session.access_token,
        body: method === 'POST' ? {} : undefined,
      });
      assert.equal(status, 401, path);
      assert.equal(json.message, 'No API key found in request', path);
    }
  });

  test('a wrong API key is refused', async () => {
    for (const key of ['sb_publishable_wrong', 'sb_secret_wrong', 'x.y.z', 'nonsense']) {
      const { status } = await http(server, '/rest/v1/messages?select=id', { key });
      assert.equal(status, 401, key);
    }
  });

  test('the publishable key works as the anon key does', async () => {
    const { client } = await signedUp(server, { key: server.keys.publishable_key });
    const { message_id } = await send(client, 'With an opaque key');
    const { data, error } = await client.from('messages').select('id').eq('id', message_id);
    assert.ifError(error);
    assert.equal(data.length, 1);
  });

  test('the secret key and the service key see every row', async () => {
    const { client } = await signedUp(server);
    const { message_id } = await send(client, 'Seen by the operator');
    for (const key of [server.keys.secret_key, server.keys.service_key]) {
      const operator = makeClient(server, { key });
      const { data, error } = await operator.from('messages').select('id').eq('id', message_id);
      assert.ifError(error);
      assert.equal(data.length, 1);
    }
  });
});

describe('manners', () => {
  test('a browser may ask from anywhere: preflight and exposed headers', async () => {
    for (const path of ['/auth/v1/user', '/rest/v1/messages', '/functions/v1/enqueue-inference']) {
      const response = await fetch(`${server.url}${path}`, {
        method: 'OPTIONS',
        headers: {
          origin: 'http://app.test',
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'apikey,authorization,x-client-info',
        },
      });
      assert.ok([200, 204].includes(response.status), path);
      assert.match(response.headers.get('access-control-allow-origin'), /^(\*|http:\/\/app\.test)$/);
      assert.match(response.headers.get('access-control-allow-headers'), /x-client-info/i);
    }
    const { headers } = await http(server, '/rest/v1/messages');
    assert.match(headers.get('access-control-expose-headers'), /content-range/i);
  });

  test('unknown paths are a JSON 404', async () => {
    for (const path of ['/auth/v1/nothing', '/functions/v1/nothing', '/storage/v1/bucket', '/x/y']) {
      const { session } = await signedUp(server);
      const answer = await http(server, path, { token: session.access_token, method: 'POST', body: {} });
      assert.equal(answer.status, 404, path);
      assert.equal(typeof answer.json, 'object', path);
    }
  });
});
