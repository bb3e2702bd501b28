import type { Value } from '../obj/codec/index.js';

/**
 * The sum of one value a CPU: integers and floats added, structs and arrays member by member. Undefined when a part is
 * of a kind that has no sum, such as an enumerator or an address.
 */
export function sumOverCpus(values: readonly Value[]): Value | undefined {
  const [first, ...rest] = values;
  if (first === undefined) return undefined;
  return rest.reduce<Value | undefined>(
    (sum, next) => (sum === undefined ? undefined : add(sum, next)),
    summable(first) ? first : undefined,
  );
}

function summable(value: Value): boolean {
  if (typeof value === 'number' || typeof value === 'bigint') return true;
  if (Array.isArray(value)) return value.every(summable);
  return typeof value === 'object' && Object.values(value).every(summable);
}

function add(a: Value, b: Value): Value | undefined {
  if (typeof a === 'bigint' || typeof b === 'bigint') {
    return (typeof a === 'bigint' || typeof a === 'number') &&
      (typeof b === 'bigint' || typeof b === 'number')
      ? BigInt(a) + BigInt(b)
      : undefined;
  }
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  if (Array.isArray(a) && Array.isArray(b)) {
    const sums = a.map((each, index) => (b[index] === undefined ? undefined : add(each, b[index])));
    return sums.every((sum) => sum !== undefined) ? sums : undefined;
  }
  if (typeof a === 'object' && typeof b === 'object' && !Array.isArray(a) && !Array.isArray(b)) {
    const sums: Record<string, Value> = {};
    for (const [name, value] of Object.entries(a)) {
      const other = b[name];
      const sum = other === undefined ? undefined : add(value, other);
      if (sum === undefined) return undefined;
      sums[name] = sum;
    }
    return sums;
  }
  return undefined;
}
