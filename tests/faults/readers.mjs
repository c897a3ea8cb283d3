// Readers that die: nothing stops for them, and whoever comes back misses nothing.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { second } from '../e2e/harness/waiting.mjs';
import { chanceOf } from './harness/chance.mjs';
import { testOnCluster } from './harness/cluster.mjs';
import { assertInvariants } from './harness/invariants.mjs';
import { Listener } from './harness/listener.mjs';
import { Load } from './harness/load.mjs';
import { pause } from './harness/pausing.mjs';
import { streaming } from './harness/takeover.mjs';
import { vitalsOf } from './harness/vitals.mjs';

describe('sockets of readers', { concurrency: 2 }, () => {
  testOnCluster('are lost and opened again all the time', async (t, cluster) => {
    const node = await cluster.node({ 'inference-tokens-per-second': 12 });
    const people = await cluster.people(4);
    const load = new Load(t.name, [node], people);
    const chance = chanceOf(`${t.name}, moments`);
    const steady = await Promise.all(people.map((person) => Listener.join(node, person)));
    const flighty = await Promise.all(people.map((person) => Listener.join(node, person)));
    load.sendThrough(...flighty);
    load.start({ senders: 4, every: 400 });
    await load.steadyRate();
    const vitals = await vitalsOf([node]);
    for (let round = 0; round < 40; ++round) {
      flighty[Math.floor(chance() * flighty.length)].drop();
      await pause(chance() * 0.2 * second);
    }
    await load.stop();
    load.assertDefinedAnswers({ dropped: true }); // a channel that goes takes its ack along
    const answers = await assertInvariants(cluster, load, {
      listeners: [...steady, ...flighty],
      vitals,
      endsHeard: true,
    });
    const sockets = flighty.reduce((sum, { segments }) => sum + segments.length, 0);
    t.diagnostic(`${answers.length} replies, ${sockets} sockets of ${flighty.length} readers`);
    for (const { replies, jobs } of answers) {
      assert.equal(replies[0].status, 'complete');
      assert.equal(jobs[0].attempts, 1);
    }
  });

  testOnCluster('are all gone while a reply is written', async (t, cluster) => {
    const node = await cluster.node({ 'inference-tokens-per-second': 12 });
    const [person] = await cluster.people(1);
    const load = new Load(t.name, [node], [person]);
    const listener = await Listener.join(node, person);
    const { receipt } = await load.say();
    await streaming(listener, receipt.reply_id, 3);
    await listener.stop();
    const [answer] = await assertInvariants(cluster, load);
    assert.equal(answer.replies[0].status, 'complete');
    assert.equal(answer.jobs[0].attempts, 1);
  });
});
