// What the peers of the queue bench share: what they are asked for, a fresh database on
// the bench's PostgreSQL, the order of a trial and its one line of result.
import { readdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import pg from 'pg';

const number = { type: 'string', default: '1' };
const { values } = parseArgs({
  options: {
    socket: { type: 'string' },
    postmaster: { type: 'string' },
    jobs: number,
    'warm-up': number,
    batch: number, // jobs of a fetch; 1: one by one
    'enqueue-batch': number,
    connections: number,
  },
});

export const asked = {
  jobs: Number(values.jobs),
  warmUp: Number(values['warm-up']),
  batch: Number(values.batch),
  enqueueBatch: Number(values['enqueue-batch']),
  connections: Number(values.connections),
};

const login = (database) => ({ host: values.socket, user: 'postgres', database });

export async function freshDatabase(name) {
  const client = new pg.Client(login('postgres'));
  await client.connect();
  await client.query(`drop database if exists "${name}" with (force)`);
  await client.query(`create database "${name}"`);
  await client.end();
  return login(name);
}

// Inserts payloads 0..jobs-1, a batch a call, on two connections at once.
export async function enqueueAll(jobs, insertBatch) {
  let next = 0;
  const lane = async () => {
    while (next < jobs) {
      const from = next;
      next = Math.min(jobs, from + asked.enqueueBatch);
      await insertBatch(Array.from({ length: next - from }, (_, i) => ({ n: from + i })));
    }
  };
  await Promise.all([lane(), lane()]);
}

// Microseconds of processor time: the postmaster's with all its children, and ours.
function processorTime() {
  let ticks = 0;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    let text;
    try {
      text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    } catch {
      continue; // it has ended
    }
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ').map(Number);
    const [parent, times] = [fields[1], fields.slice(11, 15)];
    if (pid === values.postmaster) ticks += times.reduce((sum, one) => sum + one);
    else if (String(parent) === values.postmaster) ticks += times[0] + times[1];
  }
  const own = process.cpuUsage();
  return ticks * 10_000 + own.user + own.system;
}

// From its making: milliseconds that went by, and the processor time they cost.
export function startMeter() {
  const [begun, before] = [performance.now(), processorTime()];
  return () => ({ took: performance.now() - begun, cost: processorTime() - before });
}

const micros = (milliseconds) => Math.round(milliseconds * 1000);

// queue: enqueue(jobs); process(jobs), which gives what a meter told and how many jobs
// ran; left(), jobs that are not finished.
export async function runTrial(queue, where) {
  const admin = new pg.Client(where);
  await admin.connect();
  await queue.enqueue(asked.warmUp);
  await queue.process(asked.warmUp);
  await admin.query('vacuum analyze');
  await admin.query('checkpoint');
  const begun = performance.now();
  await queue.enqueue(asked.jobs);
  const enqueued = performance.now() - begun;
  await admin.query('analyze');
  const { took, cost, ran } = await queue.process(asked.jobs);
  const faults = Math.abs(ran - asked.jobs) + (await queue.left());
  await admin.end();
  console.log(JSON.stringify({
    event: 'queue.done', enqueue_us: micros(enqueued), process_us: micros(took), cost_us: Math.round(cost), faults,
  }));
}
