import { readFileSync } from 'node:fs';

let cached: number | undefined;

/** How many CPUs could ever come up: a per-CPU map has so many values, online or not. */
export function possibleCpus(): number {
  cached ??= countRanges(readFileSync('/sys/devices/system/cpu/possible', 'utf8'));
  return cached;
}

/** Counts a list such as `0-3,8`. */
export function countRanges(list: string): number {
  return list
    .trim()
    .split(',')
    .map((range) => {
      const [first = 0, last = first] = range.split('-').map(Number);
      return last - first + 1;
    })
    .reduce((sum, count) => sum + count, 0);
}

/** The numbers in a list such as `0-3,8`. */
export function cpuNumbers(list: string): number[] {
  return list
    .trim()
    .split(',')
    .flatMap((range) => {
      const [first = 0, last = first] = range.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
}
