import { constants } from 'node:os';
import { type ErrorCode, NetkitError } from '../base/errors.js';

// ENOTSUPP is the kernel's own (include/linux/errno.h) and leaks out of bpf(2); no user-space table has it.
const names = new Map<number, string>([[524, 'ENOTSUPP']]);
for (const [name, number] of Object.entries(constants.errno)) {
  // EWOULDBLOCK and ENOTSUP are second names.
  if (!names.has(number) && name !== 'EWOULDBLOCK')
    names.set(number, name === 'ENOTSUP' ? 'EOPNOTSUPP' : name);
}

const sentences: Record<string, string> = {
  EPERM: 'not permitted',
  EACCES: 'permission denied',
  ENOENT: 'no such file or object',
  EEXIST: 'it exists already',
  EBUSY: 'it is busy',
  EINVAL: 'the kernel calls an argument invalid',
  EOPNOTSUPP: 'not supported',
  ENOTSUPP: 'not supported',
  ENODEV: 'no such device',
  ENOMEM: 'out of memory',
  ENOSPC: 'no space left',
  E2BIG: 'too big, or full',
  EBADF: 'bad file descriptor',
  ENOLINK: 'the link is severed: its device is gone or it was detached',
  ESTALE: 'somebody else changed it meanwhile',
  ENOTDIR: 'a part of the path is not a directory',
  EROFS: 'read-only file system',
  EFAULT: 'bad address',
  ERANGE: 'out of range',
};

const codes: Record<string, ErrorCode> = {
  EPERM: 'not-permitted',
  EACCES: 'not-permitted',
  ENOENT: 'not-found',
  ENODEV: 'not-found',
  EEXIST: 'conflict',
  EBUSY: 'conflict',
  ESTALE: 'conflict',
  EOPNOTSUPP: 'unsupported',
  ENOTSUPP: 'unsupported',
  ENOSYS: 'unsupported',
};

/** `EBUSY` for 16; `errno 999` for a number without a name. */
export function errnoName(errno: number): string {
  return names.get(errno) ?? `errno ${errno}`;
}

/** The number of an errno name, for comparing. */
export function errnoNumber(name: keyof typeof constants.errno | 'ENOTSUPP'): number {
  return name === 'ENOTSUPP' ? 524 : constants.errno[name];
}

/** A failed system or library call. Layers above catch it by `errnoName` and say what it means in their words. */
export class SysError extends NetkitError {
  override readonly name = 'SysError';
  readonly errno: number;
  readonly errnoName: string;
  readonly operation: string;

  constructor(operation: string, errno: number) {
    const name = errnoName(errno);
    const sentence = sentences[name];
    super(
      codes[name] ?? 'failed',
      `${operation}: ${sentence === undefined ? name : `${sentence} (${name})`}`,
      {
        details: { errno: name, operation },
      },
    );
    this.errno = errno;
    this.errnoName = name;
    this.operation = operation;
  }
}

/** True for a `SysError` with one of these errno names. */
export function isErrno(error: unknown, ...wanted: string[]): error is SysError {
  return error instanceof SysError && wanted.includes(error.errnoName);
}
