/** libbpf's log: taken away from the user's terminal and given to whoever made the call. */
import { addressOf, declare, ffi, invoke } from './call.js';
import { SysError } from './errno.js';

declare('libbpf', ['void *libbpf_set_print(void *callback)']);
declare('libc', ['int vsnprintf(void *buffer, size_t size, const char *format, void *arguments)']);

/** LIBBPF_DEBUG of enum libbpf_print_level (bpf/libbpf.h): one line a relocation, wanted by nobody. */
const LIBBPF_DEBUG = 2;
/** A va_list is 24 bytes on x86-64 and 32 on arm64 (System V and AAPCS64 ABI); copying more than there is would be harmless. */
const vaListSize = process.arch === 'arm64' ? 32 : 24;
/** Most lines are short; a verifier log is asked for again at its full size. */
const usualLineBytes = 4096;

let lines: string[] | undefined;
let registered = false;

function format(formatPointer: bigint, argumentsPointer: bigint): string {
  // vsnprintf consumes the list: the second try needs a copy of its own.
  const copy = Uint8Array.from(
    ffi().decode(argumentsPointer, ffi().array('uint8_t', vaListSize)) as ArrayLike<number>,
  );
  const short = Buffer.alloc(usualLineBytes);
  const length = Number(invoke('vsnprintf', [short, short.length, formatPointer, argumentsPointer]));
  if (length < short.length) return short.toString('utf8', 0, Math.max(length, 0));
  const long = Buffer.alloc(length + 1);
  invoke('vsnprintf', [long, long.length, formatPointer, addressOf(copy)]);
  return long.toString('utf8', 0, length);
}

function register(): void {
  if (registered) return;
  registered = true;
  const prototype = ffi().proto('int netkit_libbpf_print(int level, void *format, void *arguments)');
  const callback = ffi().register((level: number, formatPointer: bigint, argumentsPointer: bigint) => {
    if (level !== LIBBPF_DEBUG) lines?.push(format(formatPointer, argumentsPointer));
    return 0;
  }, ffi().pointer(prototype));
  invoke('libbpf_set_print', [callback]);
}

/** A libbpf call that failed, with all that libbpf said meanwhile. */
export class LibbpfFailure extends SysError {
  readonly log: string;

  constructor(cause: SysError, log: string) {
    super(cause.operation, cause.errno);
    this.log = log;
  }
}

/** Runs `call` and collects libbpf's warnings. @throws LibbpfFailure in place of a SysError */
export function capture<T>(call: () => T): { result: T; log: string } {
  register();
  const outer = lines;
  const mine: string[] = [];
  lines = mine;
  try {
    return { result: call(), log: mine.join('') };
  } catch (error) {
    throw error instanceof SysError ? new LibbpfFailure(error, mine.join('')) : error;
  } finally {
    lines = outer;
  }
}
