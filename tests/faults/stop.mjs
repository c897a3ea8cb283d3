// Stopping a reply, from wherever: its text and usage stay, and everybody hears it.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { http } from '../e2e/harness/clients.mjs';
import { testOnCluster } from './harness/cluster.mjs';
import { assertInvariants } from './harness/invariants.mjs';
import { Listener } from './harness/listener.mjs';
import { Load } from './harness/load.mjs';
import { streaming } from './harness/takeover.mjs';
import { vitalsOf } from './harness/vitals.mjs';

const pace = { 'inference-tokens-per-second': 5 }; // some 8 s for a reply

const stopOverHttp = (node, person, reply_id) =>
  http(node, '/functions/v1/stop-inference', {
    method: 'POST',
    token: person.token,
    body: { reply_id },
  });

const asPerson = (person, sql) =>
  `begin; set local role authenticated;
   select set_config('request.jwt.claims', '{"sub":"${person.id}","role":"authenticated"}', true);
   ${sql}; commit`;

const cancelled = (listener, replyId) =>
  listener.hears(
    `reply.cancelled of ${replyId}`,
    ({ event, payload }) => event === 'reply.cancelled' && payload.id === replyId,
  );

/** ways to stop: (cluster, {running, other, person, there, receipt}) */
const ways = {
  'over HTTP': async (_cluster, { running, person, receipt }) => {
    const { status, json } = await stopOverHttp(running, person, receipt.reply_id);
    assert.equal(status, 200, JSON.stringify(json));
    assert.equal(typeof json.status, 'string');
  },
  'over HTTP to the other node': async (_cluster, { other, person, receipt }) => {
    const { status, json } = await stopOverHttp(other, person, receipt.reply_id);
    assert.equal(status, 200, JSON.stringify(json));
  },
  'over the channel, from another device': async (_cluster, { here, receipt }) => {
    const { status, response } = await here[1].stopReply(receipt.reply_id);
    assert.equal(status, 'ok', JSON.stringify(response));
  },
  'over the channel of the other node': async (_cluster, { there, receipt }) => {
    const { status, response } = await there.stopReply(receipt.reply_id);
    assert.equal(status, 'ok', JSON.stringify(response));
  },
  'by SQL': async (cluster, { person, receipt }) => {
    const found = await cluster.sql(
      asPerson(person, `select public.cancel_inference(${receipt.job_id})`),
    );
    assert.ok(found.some(([answer]) => answer === 't'), JSON.stringify(found));
  },
};

describe('a reply is stopped', { concurrency: 3 }, () => {
  for (const [how, stop] of Object.entries(ways))
    testOnCluster(how, async (t, cluster) => {
      const [running, other] = [await cluster.node(pace), await cluster.node(pace)];
      const [person] = await cluster.people(1);
      const load = new Load(t.name, [running], [person]);
      const here = [await Listener.join(running, person), await Listener.join(running, person)];
      const there = await Listener.join(other, person);
      const vitals = await vitalsOf([running, other]);
      const { receipt } = await load.say();
      await streaming(here[0], receipt.reply_id, 5);

      const asked = Date.now();
      await stop(cluster, { running, other, person, here, there, receipt });
      const ends = await Promise.all(here.map((each) => cancelled(each, receipt.reply_id)));
      t.diagnostic(`stop -> reply.cancelled at the readers: ${ends[0].at - asked} ms`);
      for (const { payload } of ends) {
        assert.ok(payload.seq >= 5);
        assert.equal(typeof payload.usage.completion_tokens, 'number');
      }
      const again = await stopOverHttp(other, person, receipt.reply_id);
      assert.equal(again.status, 200, `a second stop: ${again.text}`);

      const [answer] = await assertInvariants(cluster, load, {
        listeners: [...here, there],
        vitals,
        endsHeard: true,
      });
      const [reply] = answer.replies;
      assert.equal(reply.status, 'cancelled');
      assert.ok(reply.content.length > 0, 'the text so far is kept');
      assert.equal(typeof reply.usage?.completion_tokens, 'number', 'and the usage');
    });

  testOnCluster('and its node dies before it hears of it', async (t, cluster) => {
    const [dying, other] = [await cluster.node(pace), await cluster.node(pace)];
    const [person] = await cluster.people(1);
    const load = new Load(t.name, [dying], [person]);
    const listeners = [await Listener.join(dying, person), await Listener.join(other, person)];
    const { receipt } = await load.say();
    await streaming(listeners[0], receipt.reply_id, 8); // past the first checkpoint
    dying.freeze();
    await ways['over HTTP to the other node'](cluster, { other, person, receipt });
    await dying.kill();
    const [answer] = await assertInvariants(cluster, load, { listeners });
    const [reply] = answer.replies;
    assert.equal(reply.status, 'cancelled');
    assert.ok(reply.content.length > 0, 'the text of the last checkpoint is kept');
    const again = listeners[1].events().filter(({ event }) => event === 'reply.started');
    assert.deepEqual(again, [], 'nobody asked an engine again');
  });

  testOnCluster('by somebody else: refused, and it goes on', async (t, cluster) => {
    const node = await cluster.node({ 'inference-tokens-per-second': 20 });
    const [owner, stranger] = await cluster.people(2);
    const load = new Load(t.name, [node], [owner]);
    const listener = await Listener.join(node, owner);
    const { receipt } = await load.say();
    await streaming(listener, receipt.reply_id, 3);
    const refused = await stopOverHttp(node, stranger, receipt.reply_id);
    assert.ok([403, 404].includes(refused.status), `${refused.status} ${refused.text}`);
    const [answer] = await assertInvariants(cluster, load, {
      listeners: [listener],
      endsHeard: true,
    });
    assert.equal(answer.replies[0].status, 'complete');
    const late = await stopOverHttp(node, owner, receipt.reply_id);
    assert.equal(late.status, 200, `a stop after the end: ${late.text}`);
    assert.equal(
      await cluster.value(`select status from public.messages where id = '${receipt.reply_id}'`),
      'complete',
    );
  });
});
