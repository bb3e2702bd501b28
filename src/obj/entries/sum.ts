/** One value for all CPUs: what is shown of a per-CPU map unless each CPU's value is asked for. */
import type { Codec, Value } from '../codec/index.js';

/**
 * The sum of one value a CPU: integers and floats added, structs and arrays member by member. Undefined when a part is
 * of a kind that has no sum, such as an enumerator or an address.
 */
export function sumOverCpus(values: readonly Value[]): Value | undefined {
  const [first, ...rest] = values;
  if (first === undefined || !hasSum(first)) return undefined;
  return rest.reduce<Value | undefined>(
    (sum, next) => (sum === undefined ? undefined : add(sum, next)),
    first,
  );
}

/** Does this value consist of numbers alone? */
export function hasSum(value: Value): boolean {
  if (typeof value === 'number' || typeof value === 'bigint') return true;
  if (Array.isArray(value)) return value.every(hasSum);
  return typeof value === 'object' && Object.values(value).every(hasSum);
}

const numbersOnly = /^(([usf]|be)(8|16|32|64|128)|[0-9]+ (signed )?bits?|… × [0-9]+|[[\]{}, ]| or )+$/;

/** Do all values of this type have a sum? When in doubt false. */
export function typeHasSum(codec: Codec): boolean {
  return numbersOnly.test(codec.describe().replaceAll(/"[^"]*": /g, ''));
}

function add(a: Value, b: Value): Value | undefined {
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  if (isNumber(a) && isNumber(b)) return BigInt(a) + BigInt(b);
  if (Array.isArray(a) && Array.isArray(b)) {
    const sums: Value[] = [];
    for (const [index, each] of a.entries()) {
      const other = b[index];
      const sum = other === undefined ? undefined : add(each, other);
      if (sum === undefined) return undefined;
      sums.push(sum);
    }
    return sums;
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

function isNumber(value: Value): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}
