// Every call on Jessica and on the second implementation: a client sees the same, or known.mjs says why not.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { calls } from './calls.mjs';
import { startBoth } from './contenders.mjs';
import { differences } from './differences.mjs';
import { known } from './known.mjs';
import { observe } from './observe.mjs';

const expected = new Map();
let both;

before(async () => {
  both = await startBoth();
});
after(() => both?.end());

const ours = (found) => Object.fromEntries(Object.entries(found).map(([path, { ours: one }]) => [path, one]));
const told = (found) => JSON.stringify(found, null, 2);

for (const { call, ours: promised, reason } of known) {
  assert.ok(reason, `a known difference has a reason: ${call}`);
  assert.ok(!expected.has(call), `one entry a call: ${call}`);
  expected.set(call, promised);
}

test('every known difference is of a call', () => {
  const names = new Set(calls.map(([name]) => name));
  assert.equal(names.size, calls.length, 'no name twice');
  assert.deepEqual([...expected.keys()].filter((name) => !names.has(name)), []);
});

for (const [name, call] of calls)
  test(name, async () => {
    const found = differences(await observe(both.jessica, call), await observe(both.other, call));
    assert.deepEqual(ours(found), expected.get(name) ?? {}, `they differ: ${told(found)}`);
  });
