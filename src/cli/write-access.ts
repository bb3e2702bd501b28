/** What the kernel would say to a write, for dry runs. */
import { NetkitError } from '../base/errors.js';
import type { BpfMap } from '../ebpf/map.js';
import { reasonAgainst } from '../obj/map-operations.js';

/** @throws NetkitError `not-permitted` */
export function refuseFrozen(map: BpfMap, reference: string): void {
  if (map.accounting().frozen === true)
    throw new NetkitError('not-permitted', `cannot write ${reference}: it is frozen`);
}

/** Whether a key is there; undefined where the kernel does not tell. */
export function isThere(map: BpfMap, key: string): boolean | undefined {
  return reasonAgainst(map.info.type, 'get') === undefined ? map.has(key) : undefined;
}
