import { existsSync, readFileSync } from 'node:fs';
import { NetkitError } from '../../base/errors.js';
import { isErrno } from '../../sys/errno.js';
import type { Fd } from '../../sys/fd.js';
import { cString } from '../../sys/libc.js';
import { openPerfEvent } from '../../sys/perf-event.js';
import { hookAvailable } from '../feature.js';
import type { Program } from '../program.js';
import type { Attachment } from './attachment.js';
import { type BinaryPlace, openBinary, placeInFile } from './binary-place.js';
import { attachPerf, everywhere } from './perf.js';

/** A function of the kernel; made by {@link kprobe} or {@link ksyscall}. */
export interface KprobeOptions {
  readonly hook: 'kprobe';
  readonly symbol: string;
  /** Bytes behind the function's start, at the start of an instruction. */
  readonly offset?: number | undefined;
  /** When the function returns (kretprobe), not when it is called. */
  readonly returns?: boolean | undefined;
  /** What `bpf_get_attach_cookie()` gives in the program. Minimum kernel 5.15. */
  readonly cookie?: bigint | undefined;
}

/**
 * Where a function of the kernel begins or, with `returns`, ends. A link from Linux 5.15 on; before that the process holds
 * it. For programs of type `kprobe`. Minimum kernel 4.1.
 */
export function kprobe(options: Omit<KprobeOptions, 'hook'>): KprobeOptions {
  return { hook: 'kprobe', ...options };
}

/** A system call, by its name without the prefix of the architecture: `openat`. Otherwise as {@link kprobe}. */
export function ksyscall(
  options: Omit<KprobeOptions, 'hook' | 'symbol' | 'offset'> & { readonly syscall: string },
): KprobeOptions {
  const { syscall, ...rest } = options;
  const prefix = process.arch === 'arm64' ? '__arm64_sys_' : '__x64_sys_';
  return { hook: 'kprobe', symbol: `${prefix}${syscall}`, ...rest };
}

/** A place in a program or library; made by {@link uprobe}. */
export interface UprobeOptions extends BinaryPlace {
  readonly hook: 'uprobe';
  /** When the function returns (uretprobe), not when it is called. */
  readonly returns?: boolean | undefined;
  /** Only in this process, 0 for this one; in all when left out. */
  readonly pid?: number | undefined;
  /** What `bpf_get_attach_cookie()` gives in the program. Minimum kernel 5.15. */
  readonly cookie?: bigint | undefined;
}

/**
 * Where a function of a program or library begins or, with `returns`, ends; in processes that run already too. A link from
 * Linux 5.15 on; before that the process holds it. For programs of type `kprobe`. Minimum kernel 4.1, sleepable 6.0.
 */
export function uprobe(options: Omit<UprobeOptions, 'hook'>): UprobeOptions {
  return { hook: 'uprobe', ...options };
}

/** @internal */
export function attachKprobe(program: Program, options: KprobeOptions): Attachment {
  const { symbol, offset = 0, returns = false, cookie } = options;
  if (returns && offset !== 0)
    throw new NetkitError('usage', 'a probe on return is of a whole function: it takes no offset');
  const where = `${returns ? 'the return of ' : ''}kernel function ${symbol}${offset === 0 ? '' : `+${offset}`}`;
  const { type, config } = probeKind('kprobe', returns, 0n);
  const open = (): Fd => {
    try {
      return openPerfEvent(
        { type, config, config1: cString(symbol), config2: BigInt(offset), ...everywhere },
        `open ${where}`,
      );
    } catch (error) {
      if (isErrno(error, 'ENOENT'))
        throw new NetkitError('not-found', `the kernel has no function '${symbol}'`, { cause: error });
      if (isErrno(error, 'EINVAL', 'EILSEQ', 'ERANGE', 'EADDRNOTAVAIL', 'EOPNOTSUPP')) {
        throw new NetkitError('unsupported', `the kernel lets nobody probe ${where} (${error.errnoName})`, {
          hint:
            offset === 0
              ? 'it may be inlined, or on the list of those that no probe may be in'
              : 'no instruction may begin there',
          cause: error,
        });
      }
      throw error;
    }
  };
  return attachPerf({ program, where, hook: 'kprobe' }, open, cookie);
}

/** @internal */
export function attachUprobe(program: Program, options: UprobeOptions): Attachment {
  const { binary, symbol, offset, returns = false, pid, cookie } = options;
  const { path, executable } = openBinary(binary);
  const at = placeInFile(executable, path, { symbol, offset });
  const where = `${returns ? 'the return of ' : ''}${symbol ?? `offset ${at}`} in ${path}`;
  const open = (): Fd => openUprobe({ path, at, returns, pid, semaphore: 0, where });
  return attachPerf({ program, where, hook: 'uprobe' }, open, cookie);
}

/** @internal */
export interface UprobeSpec {
  readonly path: string;
  /** Offset in the file. */
  readonly at: number;
  readonly returns: boolean;
  readonly pid: number | undefined;
  /** Offset in the file of a counter that the kernel is to raise while the probe is there; 0 without one. */
  readonly semaphore: number;
  readonly where: string;
}

/** @internal @throws NetkitError `not-found` (process); SysError */
export function openUprobe({ path, at, returns, pid, semaphore, where }: UprobeSpec): Fd {
  const { type, config } = probeKind('uprobe', returns, BigInt(semaphore));
  const scope = pid === undefined ? everywhere : { pid, cpu: -1 };
  try {
    return openPerfEvent(
      { type, config, config1: cString(path), config2: BigInt(at), ...scope },
      `open ${where}`,
    );
  } catch (error) {
    if (isErrno(error, 'ESRCH'))
      throw new NetkitError('not-found', `there is no process ${pid}`, { cause: error });
    throw error;
  }
}

/** The event type of a kind of probe, which differs from boot to boot, and how its `config` is made up. */
function probeKind(
  kind: 'kprobe' | 'uprobe',
  returns: boolean,
  semaphore: bigint,
): { type: number; config: bigint } {
  const folder = `/sys/bus/event_source/devices/${kind}`;
  if (!existsSync(`${folder}/type`)) {
    const { available, reason } = hookAvailable(kind);
    const why = available === false ? reason : `the kernel shows no event source ${kind}`;
    throw new NetkitError('unsupported', why);
  }
  const type = Number(readFileSync(`${folder}/type`, 'utf8'));
  const firstBit = (name: string): bigint => {
    const text = existsSync(`${folder}/format/${name}`)
      ? readFileSync(`${folder}/format/${name}`, 'utf8')
      : '';
    const bit = /config:(\d+)/.exec(text)?.[1];
    if (bit === undefined) throw new NetkitError('unsupported', `this kernel's ${kind}s know no ${name}`);
    return BigInt(bit);
  };
  let config = returns ? 1n << firstBit('retprobe') : 0n;
  if (semaphore !== 0n) config |= semaphore << firstBit('ref_ctr_offset');
  return { type, config };
}
