// Writes what differs now into known.json: for differences that somebody has judged.
//   node accept.mjs [pattern]     calls whose names match; new entries get the reason "" to be filled in
import { calls } from './calls.mjs';
import { startBoth } from './contenders.mjs';
import { compared } from './differences.mjs';
import { readKnown, writeKnown } from './known.mjs';

const wanted = new RegExp(process.argv[2] ?? '');
const known = await readKnown();
const before = new Map(known.differences.map((one) => [one.call, one]));
const both = await startBoth();
known.differences = [];
try {
  for (const [call, make] of calls) {
    const listed = before.get(call);
    if (!wanted.test(call)) {
      if (listed) known.differences.push(listed);
      continue;
    }
    const { ours, theirs } = await compared(both, make);
    if (Object.keys(ours).length === 0) continue;
    known.differences.push({ call, reason: listed?.reason ?? '', ours });
    if (JSON.stringify(listed?.ours) !== JSON.stringify(ours)) console.log(call, JSON.stringify({ ours, theirs }, null, 1));
  }
} finally {
  await both.end();
}
await writeKnown(known);
