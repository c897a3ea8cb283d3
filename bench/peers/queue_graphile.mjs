// No-op jobs through graphile-worker. In batches as its documentation advises for many
// short jobs: a local queue and completions that are batched; or one by one.
import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { Logger, makeWorkerUtils, run } from 'graphile-worker';
import { asked, enqueueAll, freshDatabase, runTrial, startMeter } from './queue_peer.mjs';

const where = await freshDatabase('bench_graphile');
const pgPool = new pg.Pool({ ...where, max: 10 });
const logger = new Logger(() => () => {});
const batches = { localQueue: { size: asked.batch }, completeJobBatchDelay: 0 };
const preset = { worker: asked.batch > 1 ? batches : {} };

const utils = await makeWorkerUtils({ pgPool, logger });
await utils.migrate();

const left = async () => {
  const counted = await pgPool.query('select count(*) from graphile_worker.jobs');
  return Number(counted.rows[0].count);
};

const enqueue = (jobs) => enqueueAll(jobs, (payloads) =>
  utils.addJobs(payloads.map((payload) => ({ identifier: 'noop', payload }))));

// From the first look for a job to the last completion that is committed.
async function process(jobs) {
  let ran = 0;
  const all = Promise.withResolvers();
  const noop = () => {
    if (++ran === jobs) all.resolve();
  };
  const events = new EventEmitter();
  const first = once(events, 'worker:getJob:start').then(startMeter);
  const runner = await run({
    pgPool, logger, events, preset, concurrency: asked.connections, noHandleSignals: true, taskList: { noop },
  });
  await all.promise;
  while ((await left()) > 0) await sleep(1);
  const meter = await first;
  const spent = meter();
  await runner.stop();
  return { ...spent, ran };
}

await runTrial({ enqueue, process, left }, where);
await utils.release();
await pgPool.end();
