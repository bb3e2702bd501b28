import { hostIsLittleEndian } from '../../base/byte-order.js';
import { NetkitError } from '../../base/errors.js';
import { attachTypes } from '../../base/kernel-words.js';
import { createIterator, readInto } from '../../sys/attach-calls.js';
import { createLink } from '../../sys/bpf.js';
import { isErrno } from '../../sys/errno.js';
import { Link } from '../link.js';
import type { BpfMap } from '../map.js';
import type { Program } from '../program.js';
import type { TypedMap } from '../typed.js';
import { withCgroup } from './cgroup.js';
import { attempting, requireKernel } from './failure.js';

/** In which order the cgroups of a tree are visited. */
export type CgroupWalk = keyof typeof walks;

/** `enum bpf_cgroup_iter_order` of linux/bpf.h. */
const walks = { self: 1, 'descendants-pre': 2, 'descendants-post': 3, 'ancestors-up': 4 } as const;

/** What an iterator goes over; made by {@link iterator}. */
export interface IteratorOptions {
  readonly hook: 'iter';
  /** The map whose entries are visited: for `iter/bpf_map_elem`, `iter/bpf_sk_storage_map` and `iter/sockmap`. */
  readonly map?: BpfMap | TypedMap | undefined;
  /** The cgroup to begin at: for `iter/cgroup`. Minimum kernel 6.1. */
  readonly cgroup?: { readonly path: string; readonly walk?: CgroupWalk } | undefined;
  /** A process, with its threads: for `iter/task`, `iter/task_file` and `iter/task_vma`. Minimum kernel 6.1. */
  readonly pid?: number | undefined;
}

/**
 * Attaches an iterator: a program that is called for each object of one kind and prints what it wants. It runs when it is
 * read: {@link iteratorText}, or `cat` on its pin. For `SEC("iter/KIND")`. Minimum kernel 5.8.
 */
export function iterator(options: Omit<IteratorOptions, 'hook'> = {}): IteratorOptions {
  return { hook: 'iter', ...options };
}

/** @internal */
export function attachIterator(program: Program, options: IteratorOptions): Link {
  const { map, cgroup, pid } = options;
  if ([map, cgroup, pid].filter((each) => each !== undefined).length > 1)
    throw new NetkitError('usage', 'an iterator goes over a map, a cgroup or a process, not over several');
  if (cgroup !== undefined) {
    requireKernel(6, 1, 'iterators over cgroups');
    const { path, walk = 'descendants-pre' } = cgroup;
    // union bpf_iter_link_info: __u32 order, __u32 cgroup_fd, __u64 cgroup_id
    return withCgroup(path, (fd) => create(program, [walks[walk], fd, 0, 0], `cgroup ${path}`));
  }
  if (pid !== undefined) {
    requireKernel(6, 1, 'iterators over one process');
    // __u32 tid, __u32 pid, __u32 pid_fd
    return create(program, [0, pid, 0, 0], `process ${pid}`);
  }
  // __u32 map_fd
  if (map !== undefined) return create(program, [map.fd.value], 'the entries of the map');
  return create(program, [], undefined);
}

function create(program: Program, words: readonly number[], over: string | undefined): Link {
  const where = over === undefined ? 'an iterator' : `an iterator over ${over}`;
  const info = new DataView(new ArrayBuffer(words.length * 4));
  for (const [index, word] of words.entries()) info.setUint32(index * 4, word, hostIsLittleEndian);
  const values = {
    prog_fd: program.fd.value,
    attach_type: attachTypes.indexOf('trace_iter'),
    iter_info_len: info.byteLength,
  };
  const pointers = words.length === 0 ? [] : ([['iter_info', new Uint8Array(info.buffer)]] as const);
  const unless =
    over === undefined
      ? undefined
      : 'it may be one that does not go over that, or the map may be of another type than it reads';
  return attempting({ program, where, hook: 'iter', unless }, () => {
    try {
      return new Link(createLink(values, `attach to ${where}`, pointers));
    } catch (error) {
      if (isErrno(error, 'EBADF') && over === undefined)
        throw new NetkitError('usage', 'the program goes over the entries of a map: which one is not said', {
          cause: error,
        });
      if (!isErrno(error, 'ESRCH', 'ENOENT')) throw error;
      throw new NetkitError('not-found', `there is no ${over ?? 'such object'} to go over`, { cause: error });
    }
  });
}

const chunkBytes = 1 << 16;

/**
 * Runs an iterator from its beginning and gives what it prints, piece by piece.
 * @param link from attaching with {@link iterator}, or from its pin
 * @throws NetkitError `usage` when the link is no iterator
 */
export function* iteratorOutput(link: Link): Generator<Uint8Array> {
  using output = start(link);
  for (;;) {
    const chunk = new Uint8Array(chunkBytes);
    const length = readInto(output, chunk);
    if (length === 0) return;
    yield chunk.subarray(0, length);
  }
}

/** Everything that an iterator prints, as text. @throws NetkitError `usage` when the link is no iterator */
export function iteratorText(link: Link): string {
  return Buffer.concat([...iteratorOutput(link)]).toString('utf8');
}

function start(link: Link): ReturnType<typeof createIterator> {
  try {
    return createIterator(link.fd);
  } catch (error) {
    if (!isErrno(error, 'EINVAL')) throw error;
    throw new NetkitError('usage', `link ${link.info().id} is no iterator`, { cause: error });
  }
}
