/** Random choices that a test can make once more: NETKIT_TEST_SEED gives it the seed that another run has told. */

const given = process.env['NETKIT_TEST_SEED'];

/** Of this run alone, unless one is given. */
export const seedOfRun = given === undefined ? Date.now() % 2 ** 32 : Number(given);

/** One that all runs have, and that of this one. */
export const seeds: readonly number[] = given === undefined ? [1, seedOfRun] : [seedOfRun];

/** A generator of its own for each test, so that a run can be repeated from its seed (mulberry32). */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** All of them, in another order. */
export function shuffled<T>(all: readonly T[], random: (below: number) => number): T[] {
  const left = [...all];
  return all.flatMap(() => left.splice(random(left.length), 1));
}
