// Randomness that can be repeated: FAULTS_SEED is what the run printed.

const seed = Number(process.env.FAULTS_SEED ?? 1);

/** Numbers of [0, 1) that depend on the run's seed and on `name` alone (mulberry32). */
export function chanceOf(name) {
  let state = [...name].reduce((sum, each) => Math.imul(sum ^ each.codePointAt(0), 16777619), seed);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
