/** A value of a map, or a member of it, as a health check or a metric reads it. */
import { NetkitError } from '../../base/errors.js';
import { BpfMap } from '../../ebpf/map.js';
import type { Value } from '../../obj/codec/index.js';
import { sumOverCpus } from '../../obj/entries/sum.js';
import type { ObjectSpec } from '../../obj/spec.js';
import { shapeOfMap } from '../entries/declarable.js';

/** A pinned map with the types of its object. */
export function openShaped(pin: string, spec: ObjectSpec, map: string): BpfMap {
  const opened = BpfMap.fromPin(pin);
  try {
    const { key, value } = shapeOfMap(spec, map);
    opened.useTypes({ key, value });
    return opened;
  } catch (error) {
    opened[Symbol.dispose]();
    throw error;
  }
}

/**
 * The member at a path, or the value itself; of a per-CPU map the sum over all CPUs. Undefined when it has no such member.
 * @throws NetkitError `unsupported` where there is no sum
 */
export function overallMember(map: BpfMap, value: Value, field: string | undefined): Value | undefined {
  if (!map.perCpu || !Array.isArray(value)) return memberOf(value, field);
  const members = value.flatMap((each) => memberOf(each, field) ?? []);
  if (members.length < value.length) return undefined;
  const sum = sumOverCpus(members);
  if (sum !== undefined) return sum;
  throw new NetkitError('unsupported', `the values of ${map.info.name} have no sum over the CPUs`);
}

/** The member at a path such as `seen.bytes`; the value itself where there is none. Undefined when it has no such member. */
export function memberOf(value: Value, field: string | undefined): Value | undefined {
  if (field === undefined) return value;
  return field
    .split('.')
    .reduce<Value | undefined>(
      (inner, name) => (typeof inner === 'object' && !Array.isArray(inner) ? inner[name] : undefined),
      value,
    );
}
