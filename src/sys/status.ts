/** The one place that reads status codes: libc says -1 and errno, libbpf says -errno or NULL and errno. */
import { lastErrno, type NativeResult } from './call.js';
import { SysError } from './errno.js';

/** A result of libc or bpf(2) that is -1 on failure. @throws SysError */
export function checked(operation: string, result: NativeResult): number {
  const value = Number(result);
  if (value < 0) throw new SysError(operation, lastErrno());
  return value;
}

/** A libbpf 1.x result that is -errno on failure. @throws SysError */
export function checkedNegative(operation: string, result: NativeResult): number {
  const value = Number(result);
  if (value < 0) throw new SysError(operation, -value);
  return value;
}

/** A pointer that is NULL on failure, as an address. @throws SysError */
export function checkedPointer(operation: string, result: NativeResult): bigint {
  if (typeof result === 'bigint' && result !== 0n) return result;
  throw new SysError(operation, lastErrno());
}
