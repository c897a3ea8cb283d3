// Realtime frame by frame: what the real client never sends, and rude clients.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { claimsOf, makeToken, send, signedUp, versions } from './harness/clients.mjs';
import { RawSocket, userBroadcast } from './harness/raw_socket.mjs';
import { Server } from './harness/server.mjs';
import { patience, second, within } from './harness/waiting.mjs';

const frameLimit = 1_048_576;

let server;
before(async () => {
  server = await Server.start();
});
after(() => server?.remove());

for (const vsn of versions)
  describe(`protocol ${vsn}, frame by frame`, () => {
    let bystander;
    before(async () => {
      bystander = await RawSocket.open(server, { vsn });
    });
    after(async () => {
      assert.ok(await bystander.beat(), 'nobody else was harmed');
      bystander.close();
    });
    const open = () => RawSocket.open(server, { vsn });

    test('a heartbeat is answered', async () => {
      const raw = await open();
      const { status, response } = await raw.ask('phoenix', 'heartbeat', {});
      assert.deepEqual([status, response], ['ok', {}]);
      raw.close();
    });

    test('leaving is answered, then the channel is closed under its join_ref', async () => {
      const raw = await open();
      const joined = await raw.join('x');
      assert.deepEqual(joined.response, { postgres_changes: [] });
      const left = await raw.ask('realtime:x', 'phx_leave', {}, joined.ref);
      assert.equal(left.status, 'ok');
      const closed = await raw.frames.find('phx_close', ({ event }) => event === 'phx_close');
      assert.equal(closed.ref, joined.ref);
      raw.close();
    });

    test('joining a topic twice closes the first join', async () => {
      const raw = await open();
      const first = await raw.join('x');
      const again = await raw.join('x');
      assert.equal(again.status, 'ok');
      const closed = await raw.frames.find('phx_close', ({ event }) => event === 'phx_close');
      assert.equal(closed.ref, first.ref);
      raw.close();
    });

    test('an event on a topic that is not joined, and a join without a name', async () => {
      const raw = await open();
      const lost = await raw.ask('realtime:nowhere', 'broadcast', {
        type: 'broadcast',
        event: 'x',
        payload: {},
      });
      assert.deepEqual([lost.status, lost.response.reason], ['error', 'unmatched topic']);
      const nameless = await raw.join('');
      assert.equal(nameless.status, 'error');
      assert.match(nameless.response.reason, /^TopicNameRequired/);
      assert.equal((await raw.join('x'.repeat(300))).status, 'error');
      raw.close();
    });

    test('unknown events and malformed frames leave the socket alive', async () => {
      const raw = await open();
      const joined = await raw.join('x');
      raw.push('realtime:x', 'nobody_knows_this', { a: 1 }, joined.ref);
      for (const rubbish of [
        '{',
        'null',
        '[]',
        '[1,2,3,4,5]',
        '[null,null,null,null,null]',
        '{"topic":7}',
        '["1","2","realtime:x","phx_join",null]',
        '["1","2","realtime:x","phx_join",{"config":7}]',
        '["1","2","realtime:x","broadcast","text"]',
        '',
        Buffer.from([]),
        Buffer.from([3]),
        Buffer.from([3, 255, 255, 255, 255, 255, 1]),
        Buffer.from([9, 1, 1, 1, 1]),
        Buffer.from([0, 0xff, 0xfe]),
        `[${'['.repeat(5000)}`,
      ])
        raw.send(rubbish);
      assert.ok(await raw.beat());
      raw.close();
    });

    test('a frame over the limit ends that socket with 1009', async () => {
      const raw = await open();
      raw.send('x'.repeat(frameLimit + 1));
      const { code } = await within(patience, 'the socket is closed', raw.closed);
      assert.equal(code, 1009);
    });

    test('an access token that does not verify ends the private channel', async () => {
      const { client, session } = await signedUp(server);
      const { conversation_id } = await send(client, 'Hello');
      const topic = `realtime:conversation:${conversation_id}`;
      const claims = claimsOf(session.access_token);
      for (const token of [
        'rubbish',
        makeToken('y'.repeat(40), claims),
        makeToken(server.keys.jwt_secret, { ...claims, exp: 1000 }),
        server.keys.anon_key, // signed out: the right is lost
      ]) {
        const raw = await open();
        const { ref } = await raw.join(topic.slice('realtime:'.length), {
          token: session.access_token,
          isPrivate: true,
        });
        raw.push(topic, 'access_token', { access_token: token }, ref);
        const system = await raw.frames.find('system', ({ event }) => event === 'system');
        assert.equal(system.payload.status, 'error');
        const closed = await raw.frames.find('phx_close', ({ event }) => event === 'phx_close');
        assert.equal(closed.topic, topic);
        assert.ok(await raw.beat());
        raw.close();
      }
    });

    test('the same token, null and an opaque key as access_token change nothing', async () => {
      const { client, session } = await signedUp(server);
      const { conversation_id } = await send(client, 'Hello');
      const topic = `realtime:conversation:${conversation_id}`;
      const raw = await open();
      const { ref } = await raw.join(topic.slice('realtime:'.length), {
        token: session.access_token,
        isPrivate: true,
        broadcast: { ack: true, self: false },
      });
      for (const token of [session.access_token, null, server.keys.publishable_key])
        raw.push(topic, 'access_token', { access_token: token }, ref);
      const said = await raw.ask(
        topic,
        'broadcast',
        { type: 'broadcast', event: 'typing', payload: {} },
        ref,
      );
      assert.equal(said.status, 'ok');
      raw.close();
    });

    test('a join with an expired token says so', async () => {
      const { session } = await signedUp(server);
      const expired = makeToken(server.keys.jwt_secret, {
        ...claimsOf(session.access_token),
        exp: Math.floor(Date.now() / second) - 300,
      });
      const raw = await open();
      const { status, response } = await raw.join('x', { token: expired });
      assert.equal(status, 'error');
      assert.match(response.reason, /^InvalidJWTToken: Token has expired/);
      raw.close();
    });
  });

test('a binary broadcast with sizes that do not add up is dropped', async () => {
  const raw = await RawSocket.open(server);
  const { ref } = await raw.join('x', { broadcast: { ack: true, self: true } });
  const whole = userBroadcast({
    joinRef: ref,
    ref: '90',
    topic: 'realtime:x',
    event: 'hello',
    payload: '{"a":1}',
  });
  for (let length = 0; length < 20; ++length) raw.send(whole.subarray(0, length));
  raw.send(whole);
  const { payload } = await raw.frames.find('hello', ({ event }) => event === 'broadcast');
  assert.deepEqual(payload.payload, { a: 1 });
  assert.ok(await raw.beat());
  raw.close();
});

test('a socket without a good key is refused before the upgrade', async () => {
  for (const key of ['', 'nonsense', 'sb_publishable_wrong']) {
    await assert.rejects(RawSocket.open(server, { key }), ({ status, body }) => {
      assert.equal(status, 401);
      assert.equal(typeof JSON.parse(body).error, 'string');
      return true;
    });
  }
  await assert.rejects(RawSocket.open(server, { vsn: '7.0.0' }), ({ status }) => status === 403);
  const old = await RawSocket.open(server, { vsn: '', key: server.keys.publishable_key });
  assert.ok(await old.beat(), 'no vsn means 1.0.0');
  old.close();
});
