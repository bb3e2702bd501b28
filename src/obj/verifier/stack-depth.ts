import type { PlacedFunction } from './explanation.js';

/** Bytes to which the kernel rounds the stack of each function: 16 with a JIT from 6.8 on, 32 otherwise. */
const roundings = [32, 16];
const stackBytes = 512;
const enough = 10_000;

/**
 * The call with which the stack becomes too large: the verifier says how much, and not where.
 *
 * @param depths bytes of stack of each function, in the verifier's order
 * @param calls how many functions deep it was then
 * @param total bytes
 */
export function deepestCall(
  functions: readonly PlacedFunction[],
  depths: readonly number[],
  calls: number,
  total: number,
): { readonly at: number; readonly target: number } | undefined {
  for (const rounding of roundings) {
    const found = search(functions, (index) => {
      const depth = Math.max(1, depths[index] ?? 0);
      return Math.ceil(depth / rounding) * rounding;
    });
    const exact = found.find((each) => each.calls === calls && each.total === total);
    if (exact !== undefined) return exact.call;
    const any = found.find((each) => each.total > stackBytes);
    if (any !== undefined && rounding === roundings.at(-1)) return any.call;
  }
  return undefined;
}

/**
 * The call into a function that makes tail calls while its callers use too much stack: 256 bytes at most may be in use then
 * (MAX_TAIL_CALL_CNT programs follow each other on one stack).
 *
 * @param depths as of {@link deepestCall}
 * @param total bytes that the callers use
 */
export function callBeforeTailCall(
  functions: readonly PlacedFunction[],
  depths: readonly number[],
  total: number,
): { readonly at: number; readonly target: number } | undefined {
  for (const rounding of roundings) {
    const depthOf = (index: number): number =>
      Math.ceil(Math.max(1, depths[index] ?? 0) / rounding) * rounding;
    const found = search(functions, depthOf).find((each) => each.total - depthOf(each.call.target) === total);
    if (found !== undefined) return found.call;
  }
  return functions[0]?.calls[0];
}

interface Depth {
  readonly call: { readonly at: number; readonly target: number };
  readonly calls: number;
  readonly total: number;
}

function search(functions: readonly PlacedFunction[], depthOf: (index: number) => number): Depth[] {
  const found: Depth[] = [];
  const walk = (index: number, calls: number, total: number): void => {
    // As deep as the kernel lets calls go: recursion ends here as well. Many ways through many functions are not all tried.
    if (calls > 8 || found.length > enough) return;
    for (const call of functions[index]?.calls ?? []) {
      const sum = total + depthOf(call.target);
      found.push({ call, calls: calls + 1, total: sum });
      walk(call.target, calls + 1, sum);
    }
  };
  walk(0, 1, depthOf(0));
  return found;
}
