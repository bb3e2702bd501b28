/**
 * Random numbers that a seed gives again: the order of the variants in the blocks, and the bootstrap. Not for secrets.
 */

/** A generator (sfc32). The same seed and stream give the same numbers on every machine. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /**
   * @param seed a whole number from 0 to 2^53 − 1
   * @param stream numbers for different purposes come from streams of different names, so that one more number for one
   *   of them changes nothing for the others
   * @throws RangeError for a seed that is none
   */
  constructor(seed: number, stream = '') {
    if (!Number.isSafeInteger(seed) || seed < 0) throw new RangeError(`${seed} is no seed`);
    this.#a = seed >>> 0;
    this.#b = Math.floor(seed / 2 ** 32);
    this.#c = hashOf(stream);
    for (let round = 0; round < 16; round++) this.#word();
  }

  /** From 0 (included) to 1 (excluded), with 53 bits. */
  next(): number {
    const high = this.#word() >>> 5;
    const low = this.#word() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  /** A whole number from 0 to `count` − 1, each as likely. */
  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  /** The same things in another order, each order as likely. */
  shuffled<T>(list: readonly T[]): T[] {
    const left = [...list];
    const taken: T[] = [];
    while (left.length > 0) taken.push(...left.splice(this.below(left.length), 1));
    return taken;
  }

  /** Of mean 0 and standard deviation 1 (Box and Muller). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.next()));
    return radius * Math.cos(2 * Math.PI * this.next());
  }

  /** Distributed as Beta. @param one, other at least 1 */
  beta(one: number, other: number): number {
    const first = this.#gamma(one);
    return first / (first + this.#gamma(other));
  }

  /** Distributed as Gamma, of a shape of at least 1 (Marsaglia and Tsang). */
  #gamma(shape: number): number {
    const d = shape - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    for (;;) {
      const normal = this.normal();
      const v = (1 + c * normal) ** 3;
      if (v > 0 && Math.log(1 - this.next()) < normal ** 2 / 2 + d - d * v + d * Math.log(v)) return d * v;
    }
  }

  #word(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
