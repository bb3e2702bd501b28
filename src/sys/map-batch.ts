/** The batch calls of bpf(2): many entries of a map at once, on this thread or on another. */
import { Block } from './block.js';
import { bpfStatus, bpfStatusAsync } from './bpf.js';
import { errnoNumber, SysError } from './errno.js';
import type { Fd } from './fd.js';
import { attr } from './uapi.js';

type Fields = Extract<keyof typeof attr.batch.fields, string>;

/** What the kernel did: `count` is how many entries, also beside an errno, of which 0 means all is well. */
export interface BatchAnswer {
  readonly errno: number;
  readonly count: number;
}

/** What to do with `count` entries of these buffers, from the one at `start` on. */
export interface BatchWork {
  readonly command: 'MAP_LOOKUP_BATCH' | 'MAP_UPDATE_BATCH' | 'MAP_DELETE_BATCH';
  readonly keys: Uint8Array;
  /** Empty for deleting. */
  readonly values: Uint8Array;
  readonly count: number;
  /** BPF_F_LOCK, or nothing. */
  readonly flags: number;
  /** Where a lookup goes on: what the last one left in `position.out`. */
  readonly position?: { readonly in: Uint8Array | undefined; readonly out: Uint8Array };
}

const operations = {
  MAP_LOOKUP_BATCH: 'read map entries',
  MAP_UPDATE_BATCH: 'write map entries',
  MAP_DELETE_BATCH: 'delete map entries',
} as const;

/** One batch call; a kernel from before it, or a type of map without it, answers EINVAL or ENOTSUPP. Kernel 5.6. */
export function runBatch(map: Fd, work: BatchWork): BatchAnswer {
  const block = blockOf(map, work);
  return answer(bpfStatus(work.command, block), block, work);
}

/** The same on another thread: neither the buffers nor the descriptor may be touched until the answer is there. */
export async function runBatchAsync(map: Fd, work: BatchWork): Promise<BatchAnswer> {
  const block = blockOf(map, work);
  return answer(await bpfStatusAsync(work.command, block), block, work);
}

export function batchFailure(work: BatchWork, errno: number): SysError {
  return new SysError(operations[work.command], errno);
}

function blockOf(map: Fd, { keys, values, count, flags, position }: BatchWork): Block<Fields> {
  const block = new Block<Fields>(attr.batch, { map_fd: map.value, count, elem_flags: flags });
  block.point('keys', keys);
  if (values.length > 0) block.point('values', values);
  if (position?.in !== undefined) block.point('in_batch', position.in);
  if (position !== undefined) block.point('out_batch', position.out);
  return block;
}

const ENOENT = errnoNumber('ENOENT');

function answer(errno: number, block: Block<Fields>, { command, count }: BatchWork): BatchAnswer {
  const done = block.get('count');
  const isEnd = command === 'MAP_LOOKUP_BATCH' && errno === ENOENT;
  // What the kernel refuses as a whole it answers without touching the count; and of writes an entry that failed is
  // not counted, so that the count is less than was asked for.
  return { errno, count: errno !== 0 && !isEnd && done >= count ? 0 : done };
}
