// kill -9 of a node in the middle of replies: alone, with a second one, with its PostgreSQL.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { until } from '../e2e/harness/waiting.mjs';
import { testOnCluster } from './harness/cluster.mjs';
import { assertInvariants } from './harness/invariants.mjs';
import { Listener } from './harness/listener.mjs';
import { Load } from './harness/load.mjs';
import {
  leaseOf,
  nextAttempt,
  promisedTakeover,
  streaming,
  takenOver,
  takeoverLimit,
} from './harness/takeover.mjs';
import { vitalsOf } from './harness/vitals.mjs';

const pace = { 'inference-tokens-per-second': 8 };

/** Replies of some people that are being written on a node, each with its listener. */
async function midStream(name, cluster, node, count) {
  const people = await cluster.people(count);
  const load = new Load(name, [node], people);
  const listeners = await Promise.all(people.map((person) => Listener.join(node, person)));
  const sends = await Promise.all(people.map((person) => load.say(person)));
  await Promise.all(
    sends.map(({ receipt }, index) => streaming(listeners[index], receipt.reply_id)),
  );
  return { people, load, listeners, sends };
}

describe('kill -9', { concurrency: 4 }, () => {
  testOnCluster('the only node, started again at once', async (t, cluster) => {
    const node = await cluster.node(pace);
    const { load, listeners, sends } = await midStream(t.name, cluster, node, 6);
    const killed = Date.now();
    await node.kill();
    await node.startAgain();
    t.diagnostic(`ready again ${Date.now() - killed} ms after the kill`);
    const begun = await Promise.all(
      sends.map(({ receipt }, index) => nextAttempt(listeners[index], receipt.reply_id)),
    );
    const last = Math.max(...begun.map(({ at }) => at)) - killed;
    t.diagnostic(`kill -> last new attempt: ${last} ms (promised: ${promisedTakeover})`);
    const answers = await assertInvariants(cluster, load, { listeners });
    for (const { replies, jobs } of answers) {
      assert.equal(replies[0].status, 'complete');
      assert.equal(jobs[0].attempts, 2);
    }
  });

  testOnCluster('one of two nodes: the other takes its replies over', async (t, cluster) => {
    const [victim, survivor] = [await cluster.node(pace), await cluster.node(pace)];
    const { people, load, listeners, sends } = await midStream(t.name, cluster, victim, 6);
    const there = await Promise.all(people.map((person) => Listener.join(survivor, person)));
    const vitals = await vitalsOf([survivor]);
    const jobs = sends.map(({ receipt }) => receipt.job_id);
    const lease = await leaseOf(cluster, jobs[0]);
    const killed = Date.now();
    await victim.kill();
    const seen = (await takenOver(cluster, jobs[0], lease)) - killed;
    const begun = await Promise.all(
      sends.map(({ receipt }, index) => nextAttempt(there[index], receipt.reply_id)),
    );
    const heard = begun.map(({ at }) => at - killed);
    t.diagnostic(
      `kill -> leased by the other ${seen} ms, reply.started at the reader ` +
        `${Math.min(...heard)} to ${Math.max(...heard)} ms (promised: ${promisedTakeover})`,
    );
    const answers = await assertInvariants(cluster, load, {
      listeners: [...listeners, ...there],
      vitals,
    });
    for (const { replies } of answers) assert.equal(replies[0].status, 'complete');
  });

  testOnCluster('the node that PostgreSQL depends on: the other helps', async (t, cluster) => {
    await cluster.node(pace);
    await cluster.node(pace);
    process.kill(await cluster.postmaster(), 'SIGKILL');
    const owner = await until('a node has started PostgreSQL', () =>
      cluster.owner().catch(() => null),
    );
    const [other] = cluster.nodes.filter((node) => node !== owner);
    // One without a lease would leave its replies to the other, whose readers are not its own.
    await until('both nodes hold a lease', async () => {
      const live = await cluster.rows('select node from jessica.nodes where until > now()');
      return live.length === 2;
    });
    const { people, load, listeners } = await midStream(t.name, cluster, owner, 3);
    const there = await Promise.all(people.map((person) => Listener.join(other, person)));
    const vitals = await vitalsOf([other]);
    const killed = Date.now();
    await owner.kill();
    await until('the other node has started it', () =>
      cluster.owner().then((now) => now === other, () => false),
    );
    await cluster.sql('select 1');
    t.diagnostic(`PostgreSQL is back ${Date.now() - killed} ms after the kill`);
    const answers = await assertInvariants(cluster, load, {
      listeners: [...listeners, ...there],
      vitals,
      limit: takeoverLimit,
    });
    for (const { replies } of answers) assert.equal(replies[0].status, 'complete');
  });

  testOnCluster('in the middle of many sends over HTTP and the channel', async (t, cluster) => {
    const nodes = [await cluster.node(), await cluster.node()];
    const people = await cluster.people(8);
    const listeners = await Promise.all(
      people.slice(0, 4).map((person, index) => Listener.join(nodes[index % 2], person)),
    );
    const load = new Load(t.name, nodes, people);
    load.sendThrough(...listeners);
    load.start({ senders: 6, every: 100 });
    for (const victim of nodes) {
      const from = load.acknowledged.length;
      await until('many were acknowledged', () => load.acknowledged.length >= from + 60);
      await victim.kill();
      await until('more were acknowledged', () => load.acknowledged.length >= from + 90);
      await victim.startAgain();
    }
    await load.stop();
    load.assertDefinedAnswers({ dropped: true });
    t.diagnostic(`${load.acknowledged.length} acknowledged: ${JSON.stringify(load.summary())}`);
    await assertInvariants(cluster, load, { listeners, limit: takeoverLimit });
  });
});
