/** Existing maps that an object uses in place of new ones. */
import { NetkitError } from '../base/errors.js';
import type { BpfMap } from '../ebpf/map.js';
import { listedMapName } from '../obj/maps.js';
import type { ObjectSpec } from '../obj/spec.js';
import type { World } from './environment.js';
import type { Choices } from './load-function.js';
import { openMap } from './reference.js';

/** Opens the maps to reuse. @throws NetkitError `conflict` naming each difference: the kernel never resizes a map */
export function openReused(
  world: World,
  spec: ObjectSpec,
  choices: Choices,
  functionName: string,
): Map<string, BpfMap> {
  const opened = new Map<string, BpfMap>();
  for (const [name, reference] of Object.entries(choices.reuse)) {
    const map = world.scope.use(openMap(reference, world.bpffs));
    const wanted = spec.map(name);
    const wantedEntries = spec.mapSizes.get(wanted.name) ?? wanted.maxEntries;
    const differences = [
      ['type', wanted.type, map.info.type],
      ['key size', wanted.keySize, map.info.keySize],
      ['value size', wanted.valueSize, map.info.valueSize],
      ['entries', wantedEntries, map.info.maxEntries],
      ['flags', wanted.flags, map.info.flags],
    ].filter(([, mine, theirs]) => mine !== theirs);
    if (differences.length > 0) {
      const list = differences
        .map(([what, mine, theirs]) => `${what} ${mine} here and ${theirs} there`)
        .join(', ');
      throw new NetkitError('conflict', `map '${name}' cannot be ${reference}: ${list}`);
    }
    opened.set(listedMapName(wanted, functionName), map);
  }
  return opened;
}
