// The network between a node and PostgreSQL: silent, cut, and cut at the worst moment.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { second, until } from '../e2e/harness/waiting.mjs';
import { testOnCluster } from './harness/cluster.mjs';
import { assertInvariants } from './harness/invariants.mjs';
import { Listener } from './harness/listener.mjs';
import { Load } from './harness/load.mjs';
import { pause } from './harness/pausing.mjs';
import { nextAttempt, streaming } from './harness/takeover.mjs';
import { vitalsOf } from './harness/vitals.mjs';

const pace = { 'inference-tokens-per-second': 8 };

/** A distant node with one reply of each of some people under way. */
async function distant(name, cluster, count) {
  const node = await cluster.distantNode(pace);
  const people = await cluster.people(count);
  const load = new Load(name, [node], people);
  const listeners = await Promise.all(people.map((person) => Listener.join(node, person)));
  await load.say(people[0]); // a warm-up
  return { node, people, load, listeners };
}

const jobOf = (send) => `(select j.id from public.inference_jobs j
  join public.messages m on m.id = j.message_id where m.client_id = '${send.client_id}')`;

describe('an answer of PostgreSQL is lost after its commit', { concurrency: 5 }, () => {
  testOnCluster('of a send: it is answered 503, and its reply comes', async (t, cluster) => {
    const { node, people, load, listeners } = await distant(t.name, cluster, 2);
    const vitals = await vitalsOf([node]);
    node.proxy.loseAnswersTo('enqueue_batch');
    node.proxy.cut();
    const trying = load.sayOnce(people[1]);
    const stored = `select 1 from public.messages where client_id like '${t.name} %' offset 1`;
    await until('the message is stored', () => cluster.value(stored));
    assert.ok(node.proxy.withheld > 0);
    node.proxy.heal();
    node.proxy.cut();
    const send = await trying;
    assert.equal(send.receipt, null, 'nobody could know that it was stored');
    assert.equal(send.tries[0].status, 503);
    await load.sayAgain(send);
    await assertInvariants(cluster, load, { listeners, vitals });
    load.assertDefinedAnswers();
  });

  testOnCluster('of a claim: the job runs all the same', async (t, cluster) => {
    const { node, people, load, listeners } = await distant(t.name, cluster, 2);
    const vitals = await vitalsOf([node]);
    node.proxy.loseAnswersTo('claim_jobs');
    node.proxy.cut();
    const [person] = people;
    const id = `${t.name} by SQL`;
    load.adopt({ client_id: id, person, content: 'Who claims this?' });
    await cluster.sql(
      `select set_config('request.jwt.claims', '{"sub":"${person.id}"}', false);
       select * from public.enqueue_inference(
         '${person.conversations[0]}', 'Who claims this?', '${id}');`,
    );
    const claimed = `select 1 from jessica.running where id = ${jobOf({ client_id: id })}`;
    await until('the job is claimed', () => cluster.value(claimed));
    node.proxy.heal();
    node.proxy.cut();
    await assertInvariants(cluster, load, { listeners, vitals });
  });

  testOnCluster('of a finished reply: its readers hear the end', async (t, cluster) => {
    const { node, people, load, listeners } = await distant(t.name, cluster, 2);
    const vitals = await vitalsOf([node]);
    const send = await load.say(people[1]);
    await streaming(listeners[1], send.receipt.reply_id, 6);
    node.proxy.loseAnswersTo('finish_jobs');
    node.proxy.cut();
    const done = `select 1 from public.messages
      where id = '${send.receipt.reply_id}' and status = 'complete'`;
    await until('the reply is stored', () => cluster.value(done));
    node.proxy.heal();
    node.proxy.cut();
    await assertInvariants(cluster, load, { listeners, vitals, endsHeard: true });
  });

  for (const [what, statement, silence] of [
    ['of a checkpoint', 'jessica.checkpoint', 3],
    ['of a heartbeat, for longer than the lease', 'jessica.renew', 13],
  ])
    testOnCluster(`${what}: the reply comes`, async (t, cluster) => {
      const { node, people, load, listeners } = await distant(t.name, cluster, 2);
      const vitals = await vitalsOf([node]);
      const send = await load.say(people[1]);
      await streaming(listeners[1], send.receipt.reply_id, 3);
      node.proxy.loseAnswersTo(statement);
      node.proxy.cut();
      await pause(silence * second);
      assert.ok(node.proxy.withheld > 0);
      node.proxy.heal();
      node.proxy.cut();
      await load.say(people[0]);
      await assertInvariants(cluster, load, { listeners, vitals, endsHeard: true });
    });
});

describe('the network is silent', { concurrency: 3 }, () => {
  for (const [how, silence, cut] of [
    ['for 4 s and goes on', 4, false],
    ['for 4 s, then the connections are reset', 4, true],
    ['longer than the lease and than any request may take', 17, true],
  ])
    testOnCluster(`${how}: sends are refused in time, nothing is lost`, async (t, cluster) => {
      const { node, people, load, listeners } = await distant(t.name, cluster, 6);
      load.start({ senders: 4, every: 150 });
      const before = await load.steadyRate();
      const vitals = await vitalsOf([node]);
      node.proxy.blackHole();
      await pause(silence * second);
      node.proxy.heal();
      if (cut) node.proxy.cut();
      const healed = Date.now();
      const took = await load.recovered(before, healed);
      t.diagnostic(`95 % of ${before.toFixed(0)} sends a second ${took} ms after it was healed`);
      await load.stop();
      t.diagnostic(JSON.stringify(load.summary()));
      await assertInvariants(cluster, load, { listeners, vitals, endsHeard: true });
      load.assertDefinedAnswers();
    });

  testOnCluster('around one of two nodes: the other takes over', async (t, cluster) => {
    const { node: cutOff, people, load } = await distant(t.name, cluster, 3);
    const living = await cluster.node(pace);
    const here = await Promise.all(people.map((person) => Listener.join(cutOff, person)));
    const there = await Promise.all(people.map((person) => Listener.join(living, person)));
    const sends = await Promise.all(people.map((person) => load.say(person)));
    await Promise.all(
      sends.map(({ receipt }, index) => streaming(here[index], receipt.reply_id)),
    );
    const vitals = await vitalsOf([cutOff, living]);
    cutOff.proxy.blackHole();
    const silent = Date.now();
    const begun = await Promise.all(
      sends.map(({ receipt }, index) => nextAttempt(there[index], receipt.reply_id)),
    );
    t.diagnostic(`taken over ${Math.max(...begun.map(({ at }) => at)) - silent} ms after silence`);
    await pause(2 * second);
    cutOff.proxy.heal();
    const answers = await assertInvariants(cluster, load, {
      listeners: [...here, ...there],
      vitals,
    });
    for (const { replies } of answers) assert.equal(replies[0].status, 'complete');
    await load.say(); // and the node that was cut off is of use again
    await assertInvariants(cluster, load);
  });
});
