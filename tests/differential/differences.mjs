// Where two observations differ.
import { observe } from './observe.mjs';

const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);
const same = (one, two) => JSON.stringify(one) === JSON.stringify(two);
// Rows are judged as a whole: a path into them would name no promise.
const isWhole = (path) => path.endsWith('.data') || path.endsWith('.body');

function walk(ours, theirs, path, found) {
  if (same(ours, theirs)) return;
  const bothLists = Array.isArray(ours) && Array.isArray(theirs) && ours.length === theirs.length;
  if (isWhole(path) || !(bothLists || (isObject(ours) && isObject(theirs)))) {
    found.ours[path] = ours ?? null;
    found.theirs[path] = theirs ?? null;
    return;
  }
  for (const name of new Set([...Object.keys(ours), ...Object.keys(theirs)]))
    walk(ours[name], theirs[name], `${path}.${name}`, found);
}

/** What differs, by path, as each of the two has it; nothing when a client cannot tell them apart. */
export async function compared({ jessica, other }, call) {
  const [ours, theirs] = await Promise.all([observe(jessica, call), observe(other, call)]);
  const found = { ours: {}, theirs: {} };
  walk(ours.exchanges, theirs.exchanges, 'http', found);
  walk(ours.result, theirs.result, 'result', found);
  return found;
}
