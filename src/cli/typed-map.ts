/** Maps as the map commands work with them: opened by reference, typed by BTF or by `--key-type` and `--value-type`. */
import { openMap, splitReference } from '../cnf/reference.js';
import type { BpfMap } from '../ebpf/map.js';
import type { Value } from '../obj/codec/index.js';
import { sumOverCpus } from '../obj/entries/sum.js';
import { type MapOperation, requireOperation } from '../obj/map-operations.js';
import type { CommandContext } from './context.js';
import { readTypeOptions, type TypeOptions, typesOf } from './entry-types.js';
import { openReference } from './open-reference.js';
import type { Page } from './page.js';

export type { TypeOptions } from './entry-types.js';

/** @throws NetkitError `not-found`, `usage`, `bad-value` when a type does not have the map's width */
export async function openTypedMap(
  context: CommandContext,
  reference: string,
  options: TypeOptions,
): Promise<BpfMap> {
  const given = await readTypeOptions(options);
  const map = await openReference(context, reference, openMap);
  try {
    map.callIt(reference);
    map.useTypes(await typesOf(context, reference, map, given));
    return map;
  } catch (error) {
    map[Symbol.dispose]();
    throw error;
  }
}

/** {@link openTypedMap} for one operation on its entries. @throws NetkitError `unsupported` when the map's type has it not */
export async function openMapFor(
  operation: MapOperation,
  context: CommandContext,
  reference: string,
  options: TypeOptions,
): Promise<BpfMap> {
  const map = await openTypedMap(context, reference, options);
  try {
    requireOperation({ name: mapNameOf(map, reference).name, type: map.info.type }, operation);
    return map;
  } catch (error) {
    map[Symbol.dispose]();
    throw error;
  }
}

/** How documents name a map: by the reference where that has a name, which the kernel may have cut. */
export function mapNameOf(map: BpfMap, reference: string): { id: number; name: string } {
  const isReference = !reference.startsWith('/') && !reference.includes(':');
  return {
    id: map.info.id,
    name: (isReference ? splitReference(reference).name : undefined) ?? map.info.name,
  };
}

export interface ShownValue {
  /** Null where it has no sum, or each CPU's was asked for. */
  readonly value: Value | null;
  readonly perCpu: { readonly cpu: number; readonly value: Value }[] | null;
}

/** A value as documents show it. Of a per-CPU map the sum, or each CPU's where it was asked for or there is no sum. */
export function shownValue(map: BpfMap, value: Value, perCpu: boolean): ShownValue {
  if (!map.perCpu || !Array.isArray(value)) return { value, perCpu: null };
  const sum = perCpu ? undefined : sumOverCpus(value);
  if (sum !== undefined) return { value: sum, perCpu: null };
  return { value: null, perCpu: value.map((each, cpu) => ({ cpu, value: each })) };
}

/** One entry's value for people: CPU by CPU where it has no sum; `prefix` is what a prefix map found it under. */
export function fillValue(
  page: Page,
  map: BpfMap,
  { value, perCpu }: ShownValue,
  prefix: string | null,
): void {
  if (value !== null) {
    const text = map.valueCodec.format(value);
    page.line(prefix === null ? text : `${prefix} ${text}`);
  } else if (perCpu !== null) {
    page.table(
      [{ title: 'CPU', align: 'right' }, 'VALUE'],
      perCpu.map((each) => [each.cpu, map.valueCodec.format(each.value)]),
    );
  }
}
