// Where two observations differ, as {path: ours}.

const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);
const same = (one, two) => JSON.stringify(one) === JSON.stringify(two);
// A row or a list of rows is judged as a whole: a path into it would name no promise.
const isWhole = (path) => path.endsWith('.data') || path.endsWith('.body');

function walk(ours, theirs, path, found) {
  if (same(ours, theirs)) return;
  const bothLists = Array.isArray(ours) && Array.isArray(theirs) && ours.length === theirs.length;
  if (isWhole(path) || !(bothLists || (isObject(ours) && isObject(theirs)))) {
    found[path] = { ours: ours ?? null, theirs: theirs ?? null };
    return;
  }
  for (const name of new Set([...Object.keys(ours), ...Object.keys(theirs)]))
    walk(ours[name], theirs[name], path ? `${path}.${name}` : name, found);
}

/** {path: {ours, theirs}}, empty when a client cannot tell them apart. */
export function differences(ours, theirs) {
  const found = {};
  walk(ours.exchanges, theirs.exchanges, 'http', found);
  walk(ours.result, theirs.result, 'result', found);
  return found;
}
