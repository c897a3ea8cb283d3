// What happens to PostgreSQL itself: it dies, drops everybody, is full, is held up.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { second, until } from '../e2e/harness/waiting.mjs';
import { testOnCluster } from './harness/cluster.mjs';
import { assertInvariants } from './harness/invariants.mjs';
import { Listener } from './harness/listener.mjs';
import { Load } from './harness/load.mjs';
import { pause } from './harness/pausing.mjs';
import { vitalsOf } from './harness/vitals.mjs';

const pace = { 'inference-tokens-per-second': 60 };
const rate = { senders: 8, every: 120 };

/**
 * Load on a node before, while and after `fault` happens; then the invariants.
 * @param {(cluster, node, load) => Promise} fault resolves when it is over
 */
async function through(t, cluster, node, fault) {
  const people = await cluster.people(12);
  const load = new Load(t.name, [node], people);
  const listeners = await Promise.all(
    people.slice(0, 4).map((person) => Listener.join(node, person)),
  );
  load.sendThrough(...listeners.slice(0, 2));
  load.start(rate);
  const before = await load.steadyRate();
  const vitals = await vitalsOf([node]);

  const faulty = Date.now();
  const result = await fault(load);
  const over = Date.now();
  const took = await load.recovered(before, over);
  t.diagnostic(
    `fault of ${over - faulty} ms at ${before.toFixed(0)} sends a second; ` +
      `95 % of it again ${took} ms after its end (promised: 10000)`,
  );
  await load.stop();
  t.diagnostic(JSON.stringify(load.summary()));
  await assertInvariants(cluster, load, { listeners, vitals, endsHeard: true });
  load.assertDefinedAnswers();
  return result;
}

/** Other clients that sit on every slot PostgreSQL gives away, until release(). */
class Crowd {
  #cluster;
  #taken = [];

  constructor(cluster) {
    this.#cluster = cluster;
  }

  /** Takes all that is free, and what the node is made to leave. */
  async takeAll() {
    const eye = await this.#cluster.connect();
    this.#taken.push(eye);
    const others = `from pg_stat_activity
      where backend_type = 'client backend' and application_name <> 'faults'`;
    await until('every slot is taken', async () => {
      await eye.query(`select pg_terminate_backend(pid) ${others}`);
      const tries = Array.from({ length: 10 }, () => this.#cluster.connect());
      const made = await Promise.allSettled(tries);
      for (const { value } of made) if (value) this.#taken.push(value);
      const refused = made.some(({ reason }) => reason?.sqlstate === '53300');
      return refused && (await eye.value(`select count(*) ${others}`)) === '0';
    });
  }

  async release() {
    await Promise.all(this.#taken.splice(0).map((each) => each.end()));
  }
}

describe('PostgreSQL dies', { concurrency: 2 }, () => {
  for (const signal of ['SIGQUIT', 'SIGKILL'])
    testOnCluster(`by ${signal}, and the node starts it again`, async (t, cluster) => {
      const node = await cluster.node(pace);
      const old = await cluster.postmaster();
      await through(t, cluster, node, async () => {
        process.kill(old, signal);
        await until('another postmaster', () =>
          cluster.postmaster().then((pid) => pid !== old, () => false),
        );
        await cluster.sql('select 1');
      });
    });

  testOnCluster('and is away for 4 s; the node only knows its URL', async (t, cluster) => {
    const node = await cluster.guestNode(pace);
    await through(t, cluster, node, async (load) => {
      process.kill(await cluster.postmaster(), 'SIGQUIT');
      await pause(4 * second);
      const refused = load.summary().counts[503] ?? 0;
      assert.ok(refused > 0, `sends were refused: ${JSON.stringify(load.summary())}`);
      await cluster.startDatabase();
    });
  });
});

describe('PostgreSQL lives, but', { concurrency: 2 }, () => {
  testOnCluster('all its backends are terminated, again and again', async (t, cluster) => {
    const node = await cluster.node(pace);
    await through(t, cluster, node, async () => {
      for (let round = 0; round < 5; ++round) {
        await cluster.sql(
          `select pg_terminate_backend(pid) from pg_stat_activity
           where backend_type = 'client backend' and pid <> pg_backend_pid()`,
        );
        await pause(400);
      }
    });
  });

  testOnCluster('other clients took every connection', async (t, cluster) => {
    const node = await cluster.node(pace);
    const crowd = new Crowd(cluster);
    try {
      await through(t, cluster, node, async (load) => {
        await crowd.takeAll();
        await pause(4 * second);
        const { 503: away = 0, 429: full = 0 } = load.summary().counts;
        assert.ok(away + full > 0, `sends were refused: ${JSON.stringify(load.summary())}`);
        await crowd.release();
      });
    } finally {
      await crowd.release();
    }
  });

  testOnCluster('a transaction idles in it, with a snapshot and a row', async (t, cluster) => {
    const node = await cluster.node(pace);
    const idle = await cluster.connect();
    await through(t, cluster, node, async () => {
      await idle.query(
        `begin isolation level repeatable read; select count(*) from public.messages;
         create temporary table held (id int); insert into held values (1)`,
      );
      await pause(6 * second);
      await idle.query('rollback');
    });
    await idle.end();
  });

  testOnCluster('somebody holds the row of one conversation', async (t, cluster) => {
    const node = await cluster.node(pace);
    const [person] = await cluster.people(1);
    const own = new Load(`${t.name}, its owner`, [node], [person]);
    const idle = await cluster.connect();
    const held = await through(t, cluster, node, async (load) => {
      const before = load.rate(Date.now() - 2 * second);
      await idle.query(
        `begin;
         select from public.conversations where user_id = '${person.id}' for update`,
      );
      const waiting = [1, 2, 3, 4].map(() => own.sayOnce());
      await pause(second);
      const from = Date.now();
      await pause(5 * second);
      const meanwhile = load.rate(from);
      await idle.query('rollback');
      return { before, meanwhile, sends: await Promise.all(waiting) };
    });
    await idle.end();
    for (const send of held.sends) await own.sayAgain(send);
    own.assertDefinedAnswers();
    await assertInvariants(cluster, own);
    t.diagnostic(`the others: ${held.meanwhile.toFixed(1)} sends a second meanwhile`);
    assert.ok(held.meanwhile >= held.before / 2, 'one held conversation does not stop the others');
  });

  testOnCluster('the slot of the change feed is dropped', async (t, cluster) => {
    const node = await cluster.node(pace);
    const reader = async () =>
      (await cluster.sql('select slot_name, active_pid from pg_replication_slots where active'))[0];
    const [name, pid] = await until('the node reads the WAL', reader);
    await through(t, cluster, node, async () => {
      await cluster.sql(`select pg_terminate_backend(${pid})`);
      await until('the slot is gone', () =>
        cluster.sql(`select pg_drop_replication_slot('${name}')`).then(
          () => true,
          ({ sqlstate }) => {
            if (sqlstate === '42704') return true; // a temporary one goes with its connection
            assert.equal(sqlstate, '55006', 'its reader is not gone yet');
            return false;
          },
        ),
      );
    });
    await until('the node reads the WAL again', async () => {
      const now = await reader();
      return now && now[1] !== pid;
    });
  });
});
