import { helperFunctions } from '../../base/kernel-words.js';

/** The name of a helper by its number, such as `bpf_map_lookup_elem`; undefined for one that is not known, and for 0. */
export function helperName(number: number): string | undefined {
  const word = number > 0 ? helperFunctions[number] : undefined;
  return word === undefined ? undefined : `bpf_${word}`;
}
