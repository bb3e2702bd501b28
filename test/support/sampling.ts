/**
 * Which of many steps a test looks at. With NETKIT_TEST_THOROUGH all of them; else some, evenly spread, and each time others, so
 * that a day of runs sees them all and one run stays short. The seed is printed: NETKIT_TEST_SEED repeats it.
 */

/** Whether all of them are looked at. */
export const isThorough = process.env.NETKIT_TEST_THOROUGH !== undefined;

/** Of the steps of one command; of few steps no more than every third. */
const usualMost = 5;
const everyNth = 3;
const least = 3;

const seed = Number(process.env.NETKIT_TEST_SEED ?? Math.floor(Math.random() * 1000));
/** Where in its part of the steps each is that is looked at. Of neighbouring seeds they lie far apart. */
const share = (seed * 0.618_033_988_75) % 1;
let isSaid = false;

/** @returns which of so many steps to look at, ascending. @param most as many of them; when left out, five, or every third */
export function sampled(count: number, most?: number): number[] {
  const usual = Math.min(usualMost, Math.max(least, Math.ceil(count / everyNth)));
  const looked = Math.min(count, most ?? usual);
  if (isThorough || looked === count) return Array.from({ length: count }, (_, step) => step);
  say();
  return Array.from({ length: looked }, (_, part) => Math.floor(((part + share) * count) / looked));
}

/** The same where nobody knows how many there are: the first step, and how far it is to the next. @param about so many */
export function strides(about: number, most?: number): { readonly first: number; readonly stride: number } {
  const usual = Math.max(everyNth, Math.ceil((2 * about) / usualMost));
  const stride = most === undefined ? usual : Math.max(1, Math.ceil(about / most));
  if (isThorough || stride === 1) return { first: 0, stride: 1 };
  say();
  return { first: Math.floor(share * stride), stride };
}

function say(): void {
  if (!isSaid)
    process.stderr.write(
      `only a sample of the steps is looked at (NETKIT_TEST_THOROUGH=1: all; NETKIT_TEST_SEED=${seed})\n`,
    );
  isSaid = true;
}

/** A number that is to be exceeded when all steps are looked at; of a sample nobody can tell. */
export function inAll(count: number): number {
  return isThorough ? count : -1;
}
