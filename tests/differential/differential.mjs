// Every call to Jessica and to the second implementation: a client sees the same, or known.json says why not.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { calls } from './calls.mjs';
import { startBoth } from './contenders.mjs';
import { compared } from './differences.mjs';
import { faultsOf, readKnown } from './known.mjs';

const known = await readKnown();
const expected = new Map(known.differences.map(({ call, ours }) => [call, ours]));
let both;

before(async () => {
  both = await startBoth();
});
after(() => both?.end());

test('the list of known differences is in order', () => {
  assert.deepEqual(faultsOf(known, calls.map(([name]) => name)), []);
});

for (const [name, call] of calls)
  test(name, async () => {
    const { ours, theirs } = await compared(both, call);
    // A known difference that is gone fails, too: the list stays true.
    assert.deepEqual(ours, expected.get(name) ?? {}, `the other one: ${JSON.stringify(theirs, null, 2)}`);
  });
