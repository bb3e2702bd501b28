import { NetkitError } from '../../base/errors.js';
import { attachTypes } from '../../base/kernel-words.js';
import { readTracefs } from '../../host/tracefs-file.js';
import { addressBytes } from '../../sys/addresses.js';
import { createLink } from '../../sys/bpf.js';
import { isErrno } from '../../sys/errno.js';
import { cString } from '../../sys/libc.js';
import { uapi } from '../../sys/uapi.js';
import { Link } from '../link.js';
import type { Program } from '../program.js';
import { openBinary, placeInFile } from './binary-place.js';
import { attempting } from './failure.js';

/** Many functions of the kernel at once; made by {@link kprobeMulti}. */
export interface KprobeMultiOptions {
  readonly hook: 'kprobe.multi';
  /** Names of functions, also with `*` and `?` for any text and any character. */
  readonly symbols: readonly string[];
  /** When the functions return, not when they are called. */
  readonly returns?: boolean | undefined;
  /** Both, with a decision at the call whether to be called at the return: `SEC("kprobe.session/…")`. Minimum kernel 6.10. */
  readonly session?: boolean | undefined;
}

/**
 * Many functions of the kernel through one link, much quicker than a probe for each. For programs of type `kprobe` that
 * were loaded for it (`SEC("kprobe.multi/PATTERN")`). Minimum kernel 5.18.
 */
export function kprobeMulti(options: Omit<KprobeMultiOptions, 'hook'>): KprobeMultiOptions {
  return { hook: 'kprobe.multi', ...options };
}

/** One place of a binary that is to be probed beside others. */
export interface UprobeMultiPlace {
  readonly symbol?: string | undefined;
  /** Bytes behind the start of the function, or of the file. */
  readonly offset?: number | undefined;
  /** What `bpf_get_attach_cookie()` gives there. */
  readonly cookie?: bigint | undefined;
}

/** Many places of a program or library at once; made by {@link uprobeMulti}. */
export interface UprobeMultiOptions {
  readonly hook: 'uprobe.multi';
  /** A path, or the name of a program in PATH or of a library. */
  readonly binary: string;
  readonly places: readonly UprobeMultiPlace[];
  /** When the functions return, not when they are called. */
  readonly returns?: boolean | undefined;
  /** Both, as with {@link KprobeMultiOptions}: `SEC("uprobe.session/…")`. Minimum kernel 6.13. */
  readonly session?: boolean | undefined;
  /** Only in this process; in all when left out. */
  readonly pid?: number | undefined;
}

/**
 * Many places of a program or library through one link. For programs of type `kprobe` that were loaded for it
 * (`SEC("uprobe.multi/…")`). Minimum kernel 6.6.
 */
export function uprobeMulti(options: Omit<UprobeMultiOptions, 'hook'>): UprobeMultiOptions {
  return { hook: 'uprobe.multi', ...options };
}

/** @internal */
export function attachKprobeMulti(program: Program, options: KprobeMultiOptions): Link {
  const { returns = false, session = false } = options;
  refuseBoth(returns, session);
  const symbols = expand(options.symbols);
  const where = symbols.length === 1 ? `kernel function ${symbols[0]}` : `${symbols.length} kernel functions`;
  const values = {
    prog_fd: program.fd.value,
    attach_type: attachTypes.indexOf(session ? 'trace_kprobe_session' : 'trace_kprobe_multi'),
    'kprobe_multi.flags': returns ? uapi.BPF_F_KPROBE_MULTI_RETURN : 0,
    'kprobe_multi.cnt': symbols.length,
  };
  const texts = symbols.map(cString);
  const unless = 'it takes programs only that were loaded for it, and functions that ftrace can trace';
  const hook = session ? 'kprobe.session' : 'kprobe.multi';
  return attempting({ program, where, hook, unless }, () => {
    try {
      return new Link(createLink(values, `attach to ${where}`, [['kprobe_multi.syms', addressBytes(texts)]]));
    } catch (error) {
      if (!isErrno(error, 'ESRCH', 'ENOENT')) throw error;
      throw new NetkitError('not-found', `the kernel cannot trace every one of ${symbols.join(', ')}`, {
        cause: error,
      });
    }
  });
}

/** @internal */
export function attachUprobeMulti(program: Program, options: UprobeMultiOptions): Link {
  const { returns = false, session = false, pid, places } = options;
  refuseBoth(returns, session);
  if (places.length === 0) throw new NetkitError('usage', 'at least one place to probe is needed');
  const { path, executable } = openBinary(options.binary);
  const offsets = BigUint64Array.from(places, (place) => BigInt(placeInFile(executable, path, place)));
  const cookies = BigUint64Array.from(places, ({ cookie }) => cookie ?? 0n);
  const where = `${places.length} places in ${path}`;
  const values = {
    prog_fd: program.fd.value,
    attach_type: attachTypes.indexOf(session ? 'trace_uprobe_session' : 'trace_uprobe_multi'),
    'uprobe_multi.cnt': places.length,
    'uprobe_multi.flags': returns ? uapi.BPF_F_UPROBE_MULTI_RETURN : 0,
    'uprobe_multi.pid': pid === 0 ? process.pid : (pid ?? 0),
  };
  const pointers = [
    ['uprobe_multi.path', cString(path)],
    ['uprobe_multi.offsets', new Uint8Array(offsets.buffer)],
    ['uprobe_multi.cookies', new Uint8Array(cookies.buffer)],
  ] as const;
  const hook = session ? 'uprobe.session' : 'uprobe.multi';
  const unless = 'it takes programs only that were loaded for it';
  return attempting({ program, where, hook, unless }, () => {
    try {
      return new Link(createLink(values, `attach to ${where}`, pointers));
    } catch (error) {
      if (!isErrno(error, 'ESRCH')) throw error;
      throw new NetkitError('not-found', `there is no process ${pid}`, { cause: error });
    }
  });
}

function refuseBoth(returns: boolean, session: boolean): void {
  if (returns && session)
    throw new NetkitError('usage', 'a session sees calls and returns: it is not of returns only');
}

/** Patterns become the functions that ftrace can trace; the order is the kernel's. */
function expand(symbols: readonly string[]): string[] {
  if (symbols.length === 0) throw new NetkitError('usage', 'at least one function to probe is needed');
  const plain = symbols.filter((symbol) => !/[*?]/.test(symbol));
  const patterns = symbols.filter((symbol) => /[*?]/.test(symbol));
  if (patterns.length === 0) return [...new Set(plain)];
  const all = traceable();
  const found = patterns.flatMap((pattern) => {
    const matches = patternOf(pattern);
    const names = all.filter((name) => matches.test(name));
    if (names.length > 0) return names;
    throw new NetkitError('not-found', `no function that the kernel can trace is like '${pattern}'`);
  });
  return [...new Set([...plain, ...found])];
}

function patternOf(text: string): RegExp {
  const source = text
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`);
}

/** Without those of modules, whose lines name the module too. */
function traceable(): string[] {
  const text = readTracefs('available_filter_functions');
  if (text === undefined) throw new NetkitError('unsupported', 'this kernel was built without ftrace');
  return text.split('\n').filter((name) => name !== '' && !name.includes(' '));
}
