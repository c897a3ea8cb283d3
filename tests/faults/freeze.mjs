// SIGSTOP of a node while another one lives: its lease runs out while it does not know.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { second } from '../e2e/harness/waiting.mjs';
import { testOnCluster } from './harness/cluster.mjs';
import { assertInvariants } from './harness/invariants.mjs';
import { Listener } from './harness/listener.mjs';
import { Load } from './harness/load.mjs';
import { pause } from './harness/pausing.mjs';
import { nextAttempt, streaming } from './harness/takeover.mjs';
import { vitalsOf } from './harness/vitals.mjs';

const longFreeze = (process.env.FAULTS_LONG ? 30 : 15) * second; // past the lease of 10 s
const shortFreeze = 5 * second;
const pace = { 'inference-tokens-per-second': 6 };
const tokens = ['reply.started', 'reply.snapshot', 'reply.delta'];
const ends = ['reply.completed', 'reply.failed', 'reply.cancelled'];

describe('a frozen node', { concurrency: 2 }, () => {
  testOnCluster('past its lease: the other takes over', async (t, cluster) => {
    const [frozen, living] = [await cluster.node(pace), await cluster.node(pace)];
    const people = await cluster.people(4);
    const load = new Load(t.name, [frozen], people);
    const here = await Promise.all(people.map((person) => Listener.join(frozen, person)));
    const there = await Promise.all(people.map((person) => Listener.join(living, person)));
    const sends = await Promise.all(people.map((person) => load.say(person)));
    const replies = sends.map(({ receipt }) => receipt.reply_id);
    await Promise.all(replies.map((id, index) => streaming(here[index], id)));
    const vitals = await vitalsOf([frozen, living]);

    frozen.freeze();
    const stopped = Date.now();
    const late = load.sayOnce(people[0]); // waits in the frozen node's socket
    const begun = await Promise.all(replies.map((id, index) => nextAttempt(there[index], id)));
    t.diagnostic(
      `taken over ${Math.max(...begun.map(({ at }) => at)) - stopped} ms after SIGSTOP`,
    );
    await pause(Math.max(0, stopped + longFreeze - Date.now()));
    frozen.thaw();
    const thawed = Date.now();

    const waited = await late;
    await load.sayAgain(waited);
    const answers = await assertInvariants(cluster, load, {
      listeners: [...here, ...there],
      vitals,
    });
    for (const { replies: [reply], jobs: [job] } of answers) {
      assert.equal(reply.status, 'complete');
      if (replies.includes(reply.id)) assert.equal(job.attempts, 2);
    }
    // What it is not allowed to store it must not say either.
    for (const [index, id] of replies.entries())
      for (const { event, payload, at } of here[index].events()) {
        if (payload.id !== id || payload.attempt !== 1) continue;
        assert.ok(!ends.includes(event), `${event} of an attempt that was lost`);
        assert.ok(
          at < thawed || !tokens.includes(event),
          `${event} of a lost attempt ${at - thawed} ms after SIGCONT: ${JSON.stringify(payload)}`,
        );
      }
  });

  testOnCluster('within its lease: nothing begins again', async (t, cluster) => {
    const [frozen, living] = [await cluster.node(pace), await cluster.node(pace)];
    const people = await cluster.people(2);
    const load = new Load(t.name, [frozen], people);
    const listeners = await Promise.all(people.map((person) => Listener.join(frozen, person)));
    const sends = await Promise.all(people.map((person) => load.say(person)));
    await Promise.all(
      sends.map(({ receipt }, index) => streaming(listeners[index], receipt.reply_id)),
    );
    const vitals = await vitalsOf([frozen, living]);
    frozen.freeze();
    await pause(shortFreeze);
    frozen.thaw();
    const answers = await assertInvariants(cluster, load, { listeners, vitals, endsHeard: true });
    for (const { jobs } of answers) assert.equal(jobs[0].attempts, 1);
  });
});
