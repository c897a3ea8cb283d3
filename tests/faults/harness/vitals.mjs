// What a process holds: memory, descriptors, life.
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { second, until } from '../../e2e/harness/waiting.mjs';

const mebibyte = 1024; // in kB, as /proc counts
const memorySlack = 64 * mebibyte;
const descriptorSlack = 16;

async function look(pid) {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const field = (name) => status.match(new RegExp(`^${name}:\\s+(\\S+)`, 'm'))?.[1];
  const descriptors = (await readdir(`/proc/${pid}/fd`)).length;
  return { pid, state: field('State'), memory: Number(field('VmRSS')), descriptors };
}

/** Taken after a warm-up, of nodes that have to live through what comes. */
export async function vitalsOf(nodes) {
  const before = new Map();
  for (const node of nodes) before.set(node, await look(node.pid));
  return before;
}

/** Invariant 3: alive, the same process, with flat memory and no more descriptors. */
export async function assertVitals(before) {
  for (const [node, then] of before) {
    assert.equal(node.pid, then.pid, `${node.name} is the same process`);
    let now;
    await until(
      `${node.name} lets go of its descriptors (${then.descriptors} before)`,
      async () => {
        now = await look(then.pid);
        return now.descriptors <= then.descriptors + descriptorSlack;
      },
      20 * second,
      200,
    ).catch((error) => assert.fail(`${error.message}; it has ${now?.descriptors}`));
    assert.match(now.state, /^[RSD]$/, `${node.name} is alive`);
    const most = then.memory * 1.5 + memorySlack;
    assert.ok(
      now.memory <= most,
      `${node.name}: ${then.memory} kB resident before, ${now.memory} kB after`,
    );
  }
}
