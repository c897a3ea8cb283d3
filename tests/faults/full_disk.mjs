// No room left where PostgreSQL writes: a small tmpfs that is filled up. Needs root.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, open, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { second, until } from '../e2e/harness/waiting.mjs';
import { Cluster } from './harness/cluster.mjs';
import { assertInvariants } from './harness/invariants.mjs';
import { Load } from './harness/load.mjs';
import { pause } from './harness/pausing.mjs';
import { vitalsOf } from './harness/vitals.mjs';

const run = promisify(execFile);
const pace = { 'inference-tokens-per-second': 60 };
const size = '160m';
const chunk = Buffer.alloc(1 << 20, 'x');

/** A file that takes what is left, down to the last page. */
async function fill(file) {
  const handle = await open(file, 'w');
  try {
    for (let bytes = chunk.length; bytes >= 4096; bytes = bytes / 4)
      try {
        for (;;) {
          const { bytesWritten } = await handle.write(chunk, 0, bytes);
          if (bytesWritten < bytes) break;
        }
      } catch (error) {
        assert.equal(error.code, 'ENOSPC');
      }
  } finally {
    await handle.close();
  }
}

/** A test on a cluster that lives on a tmpfs of its own. */
function testOnSmallDisk(name, body) {
  test(name, async (t) => {
    const mounted = await mkdtemp(`${process.env.FAULTS_SCRATCH ?? tmpdir()}/faults-disk-`);
    try {
      await run('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'faults', mounted]);
    } catch (error) {
      await rmdir(mounted);
      return t.skip(`a tmpfs cannot be mounted here: ${error.message.split('\n').at(-2)}`);
    }
    let cluster = null;
    try {
      await chmod(mounted, 0o755);
      cluster = await Cluster.start({ directory: mounted });
      await body(t, cluster, `${mounted}/filling`);
    } finally {
      await rm(`${mounted}/filling`, { force: true });
      await cluster?.remove();
      await run('umount', [mounted]);
      await rmdir(mounted);
    }
  });
}

/** Uses up the WAL that is there, until PostgreSQL cannot write another segment. */
async function exhaustWal(cluster) {
  const writer = await cluster.connect();
  try {
    for (;;)
      await writer.query(
        "select pg_logical_emit_message(true, 'faults', 'next'); select pg_switch_wal()",
      );
  } catch (error) {
    return error; // the end of PostgreSQL
  } finally {
    await writer.end();
  }
}

describe('the disk of PostgreSQL is full', { concurrency: 2 }, () => {
  for (const [what, worst] of [
    ['and nothing can be added', async () => {}],
    ['and PostgreSQL dies because it cannot write its WAL', exhaustWal],
  ])
    testOnSmallDisk(what, async (t, cluster, filling) => {
      const node = await cluster.node(pace);
      const load = new Load(t.name, [node], await cluster.people(12));
      load.start({ senders: 8, every: 120 });
      const before = await load.steadyRate();
      const vitals = await vitalsOf([node]);

      await fill(filling);
      await worst(cluster);
      await until(
        'sends are refused',
        () => (load.summary().counts[503] ?? 0) + (load.summary().counts[429] ?? 0) >= 10,
        40 * second,
      );
      await pause(3 * second);
      t.diagnostic(`while it is full: ${JSON.stringify(load.summary())}`);
      await rm(filling);
      const freed = Date.now();
      const took = await load.recovered(before, freed);
      t.diagnostic(`95 % of ${before.toFixed(0)} sends a second ${took} ms after there was room`);
      await load.stop();
      await assertInvariants(cluster, load, { vitals });
      load.assertDefinedAnswers();
    });
});
