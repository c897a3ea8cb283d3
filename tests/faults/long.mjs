// A hundred rounds of kill -9 with two nodes, and how long each took over.
import assert from 'node:assert/strict';
import { after, describe } from 'node:test';
import { second } from '../e2e/harness/waiting.mjs';
import { chanceOf } from './harness/chance.mjs';
import { testOnCluster } from './harness/cluster.mjs';
import { assertInvariants } from './harness/invariants.mjs';
import { Listener } from './harness/listener.mjs';
import { Load } from './harness/load.mjs';
import { pause } from './harness/pausing.mjs';
import { distribution, leaseOf, nextAttempt, streaming, takenOver } from './harness/takeover.mjs';

const rounds = Number(process.env.FAULTS_ROUNDS ?? 100);
const lanes = 4; // clusters side by side: nearly all of a round is waiting
const budget = 22 * 60 * second;
const settings = { 'inference-tokens-per-second': 6, 'realtime-idle-timeout': '1h' };

const leased = []; // ms from a kill to the database's new lease
const heard = []; // ms from a kill to reply.started at a reader

/** One round: replies begin on the victim, it dies, is started again, and all are answered. */
async function round(nodes, victim, { cluster, load, readers, chance }) {
  const sends = await Promise.all(
    load.people.map((person) => load.say(person, { nodes: [victim] })),
  );
  const replies = sends.map(({ receipt }) => receipt.reply_id);
  const near = readers.get(victim);
  await Promise.all(replies.map((id, index) => streaming(near[index], id, 2)));
  await pause(chance() * second);
  const job = sends[0].receipt.job_id;
  const lease = await leaseOf(cluster, job);
  const killed = Date.now();
  await victim.kill();
  const taken = takenOver(cluster, job, lease);
  taken.catch(() => {}); // awaited below
  await victim.startAgain();
  const begun = await Promise.all(
    replies.map((id, index) =>
      Promise.any(nodes.map((node) => nextAttempt(readers.get(node)[index], id))),
    ),
  );
  leased.push((await taken) - killed);
  heard.push(...begun.map(({ at }) => at - killed));
  await Promise.all(near.map((reader) => reader.joined(killed)));
}

describe('kill -9, again and again', { concurrency: lanes }, () => {
  for (let lane = 0; lane < lanes; ++lane)
    testOnCluster(`lane ${lane + 1} of ${lanes}`, async (t, cluster) => {
      const share = Math.ceil((rounds - lane) / lanes);
      const nodes = [await cluster.node(settings), await cluster.node(settings)];
      const people = await cluster.people(3);
      const load = new Load(t.name, nodes, people);
      const readers = new Map();
      for (const node of nodes)
        readers.set(node, await Promise.all(people.map((person) => Listener.join(node, person))));
      const chance = chanceOf(`${t.name}, moments`);
      const deadline = Date.now() + budget;
      let done = 0;
      for (; done < share && Date.now() < deadline; ++done)
        await round(nodes, nodes[done % 2], { cluster, load, readers, chance });
      assert.equal(done, share, `only ${done} of ${share} rounds in ${budget / second} s`);
      const answers = await assertInvariants(cluster, load, {
        listeners: [...readers.values()].flat(),
      });
      // The rounds overlap: what each of five attempts died with is given up, and says so.
      const dead = answers.filter(({ replies: [{ status }] }) => status !== 'complete');
      for (const { jobs: [job] } of dead) assert.equal(job.attempts, job.max_attempts);
      t.diagnostic(`${answers.length} replies, ${dead.length} given up after 5 deaths`);
    });

  after(() => {
    if (leased.length === 0) return;
    console.log(`${leased.length} rounds; promised: 12000 ms`);
    console.log(`kill -> leased again: ${distribution(leased)}`);
    console.log(`kill -> reply.started at a reader: ${distribution(heard)}`);
  });
});
