import type { BpfMap } from '../map.js';
import type { EntrySource } from './source.js';

/** The entries of a map, listed anew each time. @param name how messages call it */
export function mapSource(map: BpfMap, name: string): EntrySource {
  return { name, repeatable: true, read: () => map.readAhead() };
}
