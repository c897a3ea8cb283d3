// No-op jobs through pg-boss: fetch and complete, each connection a batch at a time.
import { PgBoss } from 'pg-boss';
import pg from 'pg';
import { asked, enqueueAll, freshDatabase, runTrial, startMeter } from './queue_peer.mjs';

const name = 'noop';
const where = await freshDatabase('bench_pgboss');
const boss = new PgBoss({ ...where, max: asked.connections, supervise: false, schedule: false });
boss.on('error', (error) => console.error(error));
await boss.start();
await boss.createQueue(name);

const left = async () => {
  const client = new pg.Client(where);
  await client.connect();
  const counted = await client.query(`select count(*) from pgboss.job where state <> 'completed'`);
  await client.end();
  return Number(counted.rows[0].count);
};

const enqueue = (jobs) => enqueueAll(jobs, (payloads) =>
  boss.insert(name, payloads.map((data) => ({ data }))));

async function process() {
  let ran = 0;
  const lane = async () => {
    for (;;) {
      const jobs = await boss.fetch(name, { batchSize: asked.batch });
      if (jobs.length === 0) return;
      await boss.complete(name, jobs.map((job) => job.id));
      ran += jobs.length;
    }
  };
  const meter = startMeter();
  await Promise.all(Array.from({ length: asked.connections }, lane));
  return { ...meter(), ran };
}

await runTrial({ enqueue, process, left }, where);
await boss.stop({ graceful: false });
