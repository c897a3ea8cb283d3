// The differences that are wanted: what Jessica answers where the two differ, and why.
import { readFile, writeFile } from 'node:fs/promises';

const file = new URL('known.json', import.meta.url);

/** {reasons: {key: text}, differences: [{call, reason: key, ours: {path: value}}]} */
export const readKnown = async () => JSON.parse(await readFile(file, 'utf8'));

const lines = (items) => items.map((item) => `  ${item}`).join(',\n');

/** One difference a line, so that a change is read as what it is. */
export async function writeKnown({ reasons, differences }) {
  const told = lines(Object.entries(reasons).map(([key, text]) => `${JSON.stringify(key)}: ${JSON.stringify(text)}`));
  const found = lines(differences.map((one) => JSON.stringify(one)));
  await writeFile(file, `{\n "reasons": {\n${told}\n },\n "differences": [\n${found}\n ]\n}\n`);
}

/** What is wrong with the list itself; calls are all calls' names. */
export function faultsOf({ reasons, differences }, calls) {
  const names = differences.map(({ call }) => call);
  const used = new Set(differences.map(({ reason }) => reason));
  return [
    ...names.filter((name) => !calls.includes(name)).map((name) => `no such call: ${name}`),
    ...names.filter((name, at) => names.indexOf(name) !== at).map((name) => `listed twice: ${name}`),
    ...calls.filter((name, at) => calls.indexOf(name) !== at).map((name) => `two calls: ${name}`),
    ...differences.filter(({ reason }) => !reasons[reason]).map(({ call }) => `no reason: ${call}`),
    ...Object.keys(reasons).filter((key) => !used.has(key)).map((key) => `nothing differs for: ${key}`),
  ];
}
