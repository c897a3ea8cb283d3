// Keys of every kind with the real client: opaque, asymmetric, another server's; and who is
// turned away. auth.mjs has the rest.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomUUID,
  sign,
} from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { createClient } from '@supabase/supabase-js';
import {
  claimsOf,
  close,
  http,
  makeClient,
  makeToken,
  send,
  signedUp,
  subscribed,
} from './harness/clients.mjs';
import { replyEnd } from './harness/replies.mjs';
import { recorder } from './harness/rest.mjs';
import { Server } from './harness/server.mjs';
import { Inbox, patience, second, until, within } from './harness/waiting.mjs';

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const now = () => Math.floor(Date.now() / 1000);
const headerOf = (token) => JSON.parse(Buffer.from(token.split('.')[0], 'base64url'));

/** A private JWK as {kid, alg, jwk, shown (public), sign(claims, header)}. */
function signerOf(jwk) {
  const { kid, alg } = jwk;
  const key = createPrivateKey({ key: jwk, format: 'jwk' });
  const shown = { ...createPublicKey(key).export({ format: 'jwk' }), kid, alg, use: 'sig' };
  const sign_ = (claims, header = {}) => {
    const text = `${part({ alg, typ: 'JWT', kid, ...header })}.${part(claims)}`;
    const proof = sign('sha256', text, { key, dsaEncoding: 'ieee-p1363' });
    return `${text}.${proof.toString('base64url')}`;
  };
  return { kid, alg, jwk, shown, sign: sign_ };
}

function keyPair(alg, kid) {
  const { privateKey } =
    alg === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return signerOf({ ...privateKey.export({ format: 'jwk' }), kid, alg, use: 'sig' });
}

/** One command of the server's, run to its end: {stdout}; rejects when it fails. */
const jessica = (...words) =>
  promisify(execFile)(process.env.JESSICA_BINARY, words, { env: { PATH: process.env.PATH } });

const directories = [];
async function newDirectory() {
  const directory = await mkdtemp('/tmp/jessica-keys-');
  directories.push(directory);
  return directory;
}
async function keyFile(keys) {
  const file = `${await newDirectory()}/keys.jwk`;
  await writeFile(file, JSON.stringify({ keys }), { mode: 0o600 });
  return file;
}
after(() => Promise.all(directories.map((one) => rm(one, { recursive: true, force: true }))));

/** Every part of the client, signed in; `client` was made with the key under test. */
async function useEverything(client) {
  const receipt = await send(client, 'hello');
  const { data, error } = await client.from('messages').select('content').eq('role', 'user');
  assert.ifError(error);
  assert.deepEqual(data, [{ content: 'hello' }]);
  // A client whose tokens come from elsewhere has no auth to ask.
  await client.realtime.setAuth();
  const events = new Inbox();
  const channel = client.channel(receipt.topic, { config: { private: true } });
  channel.on('broadcast', { event: '*' }, ({ event, payload }) => events.push({ event, payload }));
  await subscribed(channel);
  assert.equal((await replyEnd(events, receipt.reply_id)).event, 'reply.completed');
}

describe('keys of keys.json', () => {
  let server;
  before(async () => (server = await Server.start()));
  after(() => server?.remove());

  test('a client made with one uses auth, tables, functions and Realtime', async () => {
    const { client, user } = await signedUp(server, { key: server.keys.publishable_key });
    assert.equal((await client.auth.getUser()).data.user.id, user.id);
    await useEverything(client);
    await close(client);
  });

  test('without a session a function is called without Authorization, and works', async () => {
    const seen = [];
    const watched = (input, init) => {
      seen.push(new Headers(init.headers));
      return fetch(input, init);
    };
    const client = makeClient(server, { key: server.keys.secret_key, fetch: watched });
    const { data, error } = await client.functions.invoke('run-inference-worker', { body: {} });
    assert.ifError(error);
    assert.equal(typeof data.claimed, 'number');
    assert.equal(seen[0].has('authorization'), false);
    assert.equal(seen[0].get('apikey'), server.keys.secret_key);
    const weak = makeClient(server, { key: server.keys.publishable_key });
    const refused = await weak.functions.invoke('run-inference-worker', { body: {} });
    assert.equal(refused.error.context.status, 403);
  });

  test('the secret one reads past row security, as apikey or as bearer', async () => {
    const all = await makeClient(server, { key: server.keys.secret_key })
      .from('messages')
      .select('id', { count: 'exact', head: true });
    assert.ifError(all.error);
    assert.ok(all.count > 0);
    const bearer = await http(server, '/rest/v1/messages?select=id&limit=1', {
      key: server.keys.publishable_key,
      token: server.keys.secret_key,
    });
    assert.equal(bearer.json.length, 1);
    const wrong = await http(server, '/rest/v1/messages?select=id', { token: 'sb_secret_wrong' });
    assert.equal(wrong.status, 401);
  });

  test('public channels take them, as parameter and as token', async () => {
    for (const key of [server.keys.publishable_key, server.keys.secret_key]) {
      const client = makeClient(server, { key });
      await subscribed(client.channel(`lobby-${randomUUID()}`));
      await close(client);
    }
  });

  test('HS256: the client asks /user, and no key is shown', async () => {
    const seen = recorder();
    const { client, user } = await signedUp(server, { fetch: seen.fetch });
    const { data, error } = await client.auth.getClaims();
    assert.ifError(error);
    assert.equal(data.claims.sub, user.id);
    assert.match(seen.last().url, /\/auth\/v1\/user$/);
    const jwks = await http(server, '/auth/v1/.well-known/jwks.json', { key: '' });
    assert.deepEqual(jwks.json, { keys: [] });
  });

  const ask = (token, headers) =>
    http(server, '/functions/v1/auth-proxy', { token, key: '', headers });

  test('auth-proxy tells a proxy who the bearer is, until the session ends', async () => {
    const { client, session, user } = await signedUp(server);
    const other = await signedUp(server);
    const known = await ask(session.access_token, { cookie: 'a=b', apikey: 'of somebody else' });
    assert.equal(known.status, 200);
    assert.equal(known.headers.get('x-user-id'), user.id);
    assert.equal(known.headers.get('x-user-role'), 'authenticated');
    assert.equal(known.json.session_id, claimsOf(session.access_token).session_id);
    const { data, error } = await client.functions.invoke('auth-proxy');
    assert.ifError(error);
    assert.equal(data.user_id, user.id);
    const nobody = await ask();
    assert.equal(nobody.status, 401);
    assert.equal(nobody.headers.get('www-authenticate'), 'Bearer');
    await client.auth.signOut();
    await until('the ended session is refused', async () => {
      return (await ask(session.access_token)).status === 401;
    }, 10 * second);
    await server.sql(`update auth.users set banned_until = 'infinity' where id = '${other.user.id}'`);
    assert.equal((await ask(other.session.access_token)).status, 403);
  });

  test('auth-proxy answers a sub-request the way nginx makes it', async () => {
    const { session, user } = await signedUp(server);
    const { port, hostname } = new URL(server.url);
    const ask = async (authorization) => {
      const socket = connect(Number(port), hostname);
      socket.write(
        'GET /functions/v1/auth-proxy HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: close\r\n' +
          `${authorization}Content-Type: application/json\r\nCookie: a=b\r\n\r\n`,
      );
      return within(patience, 'an answer', text(socket));
    };
    const known = await ask(`Authorization: Bearer ${session.access_token}\r\n`);
    assert.match(known, /^HTTP\/1\.[01] 200 OK\r\n/);
    assert.ok(known.includes(`\r\nX-User-Id: ${user.id}\r\n`));
    const nobody = await ask('');
    assert.match(nobody, /^HTTP\/1\.[01] 401 Unauthorized\r\n/);
    assert.ok(nobody.includes('\r\nWWW-Authenticate: Bearer\r\n'));
  });

  test('a keys.json of a version without opaque keys gets them, and keeps its others', async () => {
    await server.stop();
    const before = server.keys;
    const { jwt_secret, anon_key, service_key } = before;
    const file = `${server.directory}/keys.json`;
    await writeFile(file, JSON.stringify({ jwt_secret, anon_key, service_key }));
    await chmod(file, 0o600);
    await server.startAgain();
    assert.equal(server.keys.anon_key, anon_key);
    assert.match(server.keys.publishable_key, /^sb_publishable_.{32}$/);
    assert.match(server.keys.secret_key, /^sb_secret_.{32}$/);
    assert.notEqual(server.keys.secret_key, before.secret_key);
    await signedUp(server, { key: server.keys.publishable_key });
  });
});

/** getClaims() by the public keys, and the server takes tokens of `older` as well. */
async function verifiesLocally(server, key, older) {
  const seen = recorder();
  const { client, session, user } = await signedUp(server, { fetch: seen.fetch });
  assert.equal(headerOf(session.access_token).kid, key.kid);
  assert.equal(headerOf(session.access_token).alg, key.alg);
  const { data, error } = await client.auth.getClaims();
  assert.ifError(error);
  assert.equal(data.claims.sub, user.id);
  assert.match(seen.last().url, /\/auth\/v1\/\.well-known\/jwks\.json$/); // and not /user
  assert.match(seen.last().headers.get('cache-control'), /^public, max-age=\d+$/);
  const { keys } = JSON.parse(seen.last().text);
  assert.deepEqual(
    keys.map((one) => one.kid),
    [key.kid, older.kid],
  );
  for (const one of keys)
    for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) assert.equal(secret in one, false);
  await useEverything(client);
  const kept = await http(server, '/auth/v1/user', {
    token: older.sign(claimsOf(session.access_token)),
  });
  assert.equal(kept.json.id, user.id);
  const refreshed = await client.auth.refreshSession();
  assert.equal(headerOf(refreshed.data.session.access_token).kid, key.kid);
  await close(client);
}

describe('ES256', () => {
  test('jessica keys sign makes the file and turns the key; the client verifies locally', async () => {
    const file = `${await newDirectory()}/keys.jwk`;
    await jessica('keys', 'sign', file);
    const [first, ...none] = JSON.parse(await readFile(file, 'utf8')).keys;
    assert.deepEqual(none, []);
    assert.ok(first.d);
    await jessica('keys', 'sign', file);
    const [fresh, kept] = JSON.parse(await readFile(file, 'utf8')).keys;
    assert.ok(fresh.d);
    assert.equal(kept.kid, first.kid);
    assert.equal('d' in kept, false);
    await assert.rejects(jessica('keys', 'sign'));
    const server = await Server.start({ 'auth-signing-keys': file });
    try {
      await verifiesLocally(server, fresh, signerOf(first));
    } finally {
      await server.remove();
    }
  });

  test('a key file that is open to others or is none is refused, and why', async () => {
    const open = await keyFile([keyPair('ES256', 'a').jwk]);
    await chmod(open, 0o644);
    const wrong = await keyFile([{ kty: 'EC' }]);
    const directory = await newDirectory();
    const use = (file) =>
      jessica('keys', '--storage-directory', directory, '--auth-signing-keys', file);
    await assert.rejects(use(open), /chmod 600/);
    await assert.rejects(use(wrong), /key 1/);
    const good = await keyFile([keyPair('ES256', 'mine').jwk]);
    assert.match((await use(good)).stdout, /publishable_key sb_publishable_.*signed by mine/s);
  });
});

describe('RS256', () => {
  const key = keyPair('RS256', 'rsa-1');
  const older = keyPair('ES256', 'older');
  let server, user, claims;
  before(async () => {
    server = await Server.start({
      'auth-signing-keys': await keyFile([key.jwk, older.shown]),
    });
    const up = await signedUp(server);
    user = up.user;
    claims = claimsOf(up.session.access_token);
  });
  after(() => server?.remove());

  const hmac = (header, secret) => {
    const text = `${part(header)}.${part(claims)}`;
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
  };
  const pem = () =>
    `-----BEGIN PUBLIC KEY-----\n${Buffer.from(JSON.stringify(key.shown)).toString('base64')}`;

  test('the client verifies locally; an older key of another kind verifies still', () =>
    verifiesLocally(server, key, older));

  test('forged tokens are refused by every API', async () => {
    const stranger = keyPair('RS256', 'rsa-1');
    const forged = {
      'of another key': stranger.sign(claims),
      'with its key inside': stranger.sign(claims, { jwk: stranger.shown }),
      'with a link to its key': stranger.sign(claims, { jku: 'http://127.0.0.1:1/jwks' }),
      'signed with the public key': hmac({ alg: 'HS256', kid: 'rsa-1' }, JSON.stringify(key.shown)),
      'signed with a public text': hmac({ alg: 'HS256' }, pem()),
      'of no algorithm': makeToken('', claims, 'none'),
      'of an unknown key': stranger.sign(claims, { kid: 'unknown' }),
      'with critical extensions': key.sign(claims, { crit: ['exp'] }),
      'for somebody else': key.sign({ ...claims, aud: 'another' }),
      'of a role nobody granted': key.sign({ ...claims, role: 'postgres' }),
      'that is no uuid': key.sign({ ...claims, sub: 'admin' }),
      'without a subject': key.sign({ ...claims, sub: undefined }),
      'that has expired': key.sign({ ...claims, exp: now() - 1 }),
      'from the future': key.sign({ ...claims, nbf: now() + 120 }),
      'with a tail': `${key.sign(claims)}A`,
      'with padding': `${key.sign(claims)}=`,
      'too long': key.sign({ ...claims, x: 'x'.repeat(9000) }),
      'that is huge': 'x'.repeat(12_000),
    };
    assert.equal((await http(server, '/auth/v1/user', { token: key.sign(claims) })).json.id, user.id);
    for (const [what, token] of Object.entries(forged)) {
      const asked = (path, more) => http(server, path, { token, ...more }).then((r) => r.status);
      assert.equal(await asked('/auth/v1/user'), 403, `/auth/v1/user, ${what}`);
      assert.equal(await asked('/rest/v1/messages?select=id'), 401, `/rest/v1, ${what}`);
      assert.equal(await asked('/functions/v1/auth-proxy'), 401, `/functions/v1, ${what}`);
      assert.equal(
        await asked('/realtime/v1/api/broadcast', { method: 'POST', body: { messages: [] } }),
        401,
        `/realtime/v1, ${what}`,
      );
    }
  });

  test('a refresh token is no access token', async () => {
    const { session } = await signedUp(server);
    const answer = await http(server, '/rest/v1/messages', { token: session.refresh_token });
    assert.equal(answer.status, 401);
  });

  test('the server lives on', async () => assert.equal((await http(server, '/health')).status, 200));
});

describe('users of another server', () => {
  const issuer = 'https://project.example/auth/v1';
  let server, jwks, shown, fetches;
  const first = keyPair('ES256', 'first');
  const claims = (sub = randomUUID(), more = {}) => ({
    iss: issuer, sub, aud: 'authenticated', role: 'authenticated', exp: now() + 600,
    iat: now(), session_id: randomUUID(), email: 'ada@example.test', is_anonymous: false, ...more,
  });
  before(async () => {
    shown = [first.shown];
    fetches = 0;
    jwks = createServer((_request, response) => {
      fetches += 1;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ keys: shown }));
    });
    await new Promise((resolve) => jwks.listen(0, '127.0.0.1', resolve));
    server = await Server.start({
      'auth-trusted-issuer': issuer,
      'auth-trusted-keys-url': `http://127.0.0.1:${jwks.address().port}/jwks`,
      'auth-trusted-refresh': '1s',
    });
  });
  after(async () => {
    await server?.remove();
    jwks?.close();
  });

  /** As docs/auth.md tells: the other client's session, this server's data. */
  const foreignClient = (token) =>
    createClient(server.url, server.keys.publishable_key, { accessToken: async () => token });

  test('write, read and listen without an account here', async () => {
    const sub = randomUUID();
    const client = foreignClient(first.sign(claims(sub)));
    await useEverything(client);
    const row = await server.sql(`select email, encrypted_password from auth.users where id = '${sub}'`);
    assert.equal(row.length, 1);
    const { data } = await client.from('conversations').select('user_id');
    assert.deepEqual(data, [{ user_id: sub }]);
    const rest = await client.from('conversations').insert({ title: 'by hand' }).select('title');
    assert.deepEqual(rest.data, [{ title: 'by hand' }]);
    await close(client);
  });

  test('see nothing of each other, and have no account', async () => {
    const token = first.sign(claims());
    const { data, error } = await foreignClient(token).from('messages').select('id');
    assert.ifError(error);
    assert.deepEqual(data, []);
    const me = await http(server, '/auth/v1/user', { token });
    assert.deepEqual([me.status, me.json.error_code], [403, 'bad_jwt']);
    const proxy = await http(server, '/functions/v1/auth-proxy', { token });
    assert.equal(proxy.status, 200);
    assert.equal(proxy.json.session_id, null);
  });

  test('their channels end with their tokens', async () => {
    const client = foreignClient(first.sign(claims(randomUUID(), { exp: now() + 8 })));
    const channel = client.channel(`lobby-${randomUUID()}`);
    const ended = new Promise((resolve) => {
      channel.on('system', {}, (payload) => payload.status === 'error' && resolve(payload.message));
    });
    await client.realtime.setAuth();
    await subscribed(channel);
    assert.match(await ended, /expired/);
    await close(client);
  });

  test('a new key is fetched when a token names it, one taken back is forgotten', async () => {
    const second_ = keyPair('RS256', 'second');
    const ask = async (token) =>
      (await http(server, '/rest/v1/messages?select=id', { token })).status;
    assert.equal(await ask(second_.sign(claims())), 401);
    shown = [second_.shown];
    const token = second_.sign(claims());
    await until('the new key is known', async () => (await ask(token)) === 200);
    assert.equal(await ask(first.sign(claims())), 401);
    const [before, began] = [fetches, Date.now()];
    for (let i = 0; i < 50; i += 1) await ask(keyPair('ES256', `junk-${i}`).sign(claims()));
    const most = 2 + (Date.now() - began) / second; // the pause is a second
    assert.ok(fetches - before <= most, `${fetches - before} fetches`);
    shown = [first.shown, second_.shown];
    await until('the old key is back', async () => (await ask(first.sign(claims()))) === 200);
  });

  test('only its own name and keys count, and never as service role', async () => {
    const refused = {
      'of another issuer': first.sign(claims(undefined, { iss: 'https://evil.example' })),
      'as service role': first.sign(claims(undefined, { role: 'service_role' })),
      'by our own secret': makeToken(server.keys.jwt_secret, claims()),
      'that has expired': first.sign(claims(undefined, { exp: now() - 1 })),
    };
    for (const [what, token] of Object.entries(refused))
      assert.equal((await http(server, '/rest/v1/messages', { token })).status, 401, what);
    const { client } = await signedUp(server); // our own users are as before
    await useEverything(client);
    await close(client);
  });
});

test('another server with a secret instead of keys; a configured opaque key', async () => {
  const issuer = 'https://project.example/auth/v1';
  const secret = 'a shared secret of the other server';
  const key = `sb_publishable_${'a'.repeat(24)}`;
  const server = await Server.start({
    'auth-publishable-key': key,
    'auth-trusted-issuer': issuer,
    'auth-trusted-secret': secret,
  });
  try {
    const claims = {
      iss: issuer, sub: randomUUID(), aud: 'authenticated', role: 'authenticated', exp: now() + 600,
    };
    const client = createClient(server.url, key, {
      accessToken: async () => makeToken(secret, claims),
    });
    await useEverything(client);
    await close(client);
    const { iss, ...nameless } = claims;
    const token = makeToken(secret, nameless);
    assert.equal((await http(server, '/rest/v1/messages', { token })).status, 401);
    const old = makeClient(server, { key: server.keys.publishable_key }).from('messages');
    assert.equal((await old.select('id')).error.message, 'Invalid API key');
  } finally {
    await server.remove();
  }
});
