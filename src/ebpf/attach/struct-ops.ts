import { hostIsLittleEndian } from '../../base/byte-order.js';
import { NetkitError } from '../../base/errors.js';
import { attachTypes } from '../../base/kernel-words.js';
import { viewOf } from '../../base/raw-bytes.js';
import { type StructOpsTable, structOpsValue } from '../../obj/struct-ops.js';
import { createLink, updateLink } from '../../sys/bpf.js';
import { isErrno, SysError } from '../../sys/errno.js';
import { duplicateFd, type Fd } from '../../sys/fd.js';
import { MapCalls } from '../../sys/map-calls.js';
import { uapi } from '../../sys/uapi.js';
import { runningBtf } from '../kernel-btf.js';
import { Link } from '../link.js';
import type { BpfMap } from '../map.js';
import type { Program } from '../program.js';
import type { TypedMap } from '../typed.js';
import { type Attachment, HeldAttachment } from './attachment.js';
import { attempting } from './failure.js';

/** A table of the kernel's callbacks; made by {@link structOps}. */
export interface StructOpsOptions {
  readonly hook: 'struct_ops';
  /** The table, a map of the loaded object that has its programs. */
  readonly map: BpfMap | TypedMap;
}

/**
 * A whole table of callbacks, such as a TCP congestion control: all programs in it are attached together. A link for
 * tables in `.struct_ops.link` (Linux 6.4), else the kernel keeps it until the map's entry is deleted. Minimum kernel 5.6.
 */
export function structOps(options: Omit<StructOpsOptions, 'hook'>): StructOpsOptions {
  return { hook: 'struct_ops', ...options };
}

interface Loaded {
  readonly table: StructOpsTable;
  readonly programs: ReadonlyMap<string, Program>;
}

const tables = new WeakMap<object, Loaded>();

/** Remembers what goes into a table, which the kernel does not know before it is attached. @internal */
export function rememberTable(
  map: BpfMap,
  table: StructOpsTable,
  programs: ReadonlyMap<string, Program>,
): void {
  tables.set(map, { table, programs });
}

const firstKey = new Uint8Array(4);

/** @internal */
export function attachStructOps(program: Program, { map }: StructOpsOptions): Attachment {
  const loaded = tables.get(map);
  if (loaded === undefined) {
    throw new NetkitError(
      'usage',
      `map '${map.info.name}' is no table of callbacks of an object that was loaded here`,
    );
  }
  const value = tableValue(loaded);
  const where = `the callbacks of struct ${loaded.table.struct}`;
  const attempt = {
    program,
    where,
    hook: 'struct_ops',
    taken: `${where} are there already: that table is attached, or another one has its name`,
  } as const;
  return attempting(attempt, () => {
    const mapFd = duplicateFd(map.fd.value);
    try {
      fillTable(map, value, where);
      if (!keptByLink(map)) return heldByKernel(map, mapFd);
      const values = { map_fd: mapFd.value, attach_type: attachTypes.indexOf('struct_ops') };
      const link = new Link(createLink(values, `attach ${where}`));
      mapFd[Symbol.dispose]();
      return link;
    } catch (error) {
      mapFd[Symbol.dispose]();
      throw error;
    }
  });
}

/** Whether the table is attached through a link; else the kernel keeps it by itself. */
export function keptByLink({ info }: BpfMap | TypedMap): boolean {
  return (info.flags & uapi.BPF_F_LINK) !== 0;
}

/** A table without a link is attached by this. @throws SysError */
function fillTable(map: BpfMap | TypedMap, value: Uint8Array, where: string): void {
  const status = new MapCalls(map.fd).update(firstKey, value);
  // A table with a link stays filled when its link goes.
  if (status === 0 || (keptByLink(map) && tableState(map) === 'ready')) return;
  if (tableState(map) === 'spent') {
    throw new NetkitError(
      'conflict',
      `table '${map.info.name}' has been attached and detached: once is all`,
      {
        hint: "load the object again, or declare the table in '.struct_ops.link' (Linux 6.4)",
      },
    );
  }
  throw new SysError(`attach ${where}`, status);
}

/** enum bpf_struct_ops_state */
const tableStates = ['empty', 'attached', 'spent', 'ready'] as const;

/**
 * What the kernel says of a table: `ready` is filled and waits for a link, or has one; `attached` and `spent` are said of
 * tables without links only.
 */
export function tableState(map: BpfMap | TypedMap): (typeof tableStates)[number] {
  const value = new Uint8Array(map.info.valueSize);
  if (new MapCalls(map.fd).lookup(firstKey, value) !== 0) return 'empty';
  // struct bpf_struct_ops_common_value { refcount_t refcnt; enum bpf_struct_ops_state state; }
  return tableStates[viewOf(value).getUint32(4, hostIsLittleEndian)] ?? 'empty';
}

/** Takes away a table that has no link; one that is not attached is fine. @throws SysError @internal */
export function removeTable(map: Pick<BpfMap, 'fd' | 'info'>): void {
  const calls = new MapCalls(map.fd);
  const status = calls.delete(firstKey);
  const failure = status === 0 ? undefined : calls.failure(status);
  if (failure !== undefined && !isErrno(failure, 'ENOENT', 'EINPROGRESS')) throw failure;
}

/**
 * Puts another table into the place of the one that a link has: who calls back meets the one or the other. The new one is
 * filled, or of an object that was loaded here.
 * @throws NetkitError `conflict` when the link has another table by now, `unsupported` where the kernel does not swap such tables
 */
export function swapTable(link: Link, next: BpfMap, expected: BpfMap): void {
  if (tableState(next) === 'empty') {
    const loaded = tables.get(next);
    if (loaded === undefined) throw new TypeError('a table of nobody');
    fillTable(next, tableValue(loaded), `the callbacks of struct ${loaded.table.struct}`);
  }
  try {
    updateLink(link.fd, next.fd, expected.fd, uapi.BPF_F_REPLACE);
  } catch (error) {
    if (isErrno(error, 'EPERM'))
      throw new NetkitError('conflict', 'the link has another table by now', { cause: error });
    if (isErrno(error, 'EOPNOTSUPP', 'EINVAL')) {
      throw new NetkitError(
        'unsupported',
        `the kernel does not put table '${next.info.name}' in the place of the one that is attached (${error.errnoName})`,
        { hint: 'what names it, such as a congestion control, has to keep its name', cause: error },
      );
    }
    throw error;
  }
}

function tableValue({ table, programs }: Loaded): Uint8Array {
  const kernel = runningBtf();
  if (kernel === undefined) throw new NetkitError('unsupported', 'this kernel has no BTF');
  return structOpsValue(table, kernel, (name) => {
    const callback = programs.get(name);
    if (callback === undefined)
      throw new NetkitError('not-found', `program '${name}' of the table '${table.name}' was not loaded`);
    return callback.fd.value;
  });
}

function heldByKernel(map: BpfMap | TypedMap, fd: Fd): HeldAttachment {
  return new HeldAttachment('kernel', () => removeTable({ fd, info: map.info }), [fd]);
}
