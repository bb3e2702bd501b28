import { NetkitError } from '../../base/errors.js';
import { attachTypes } from '../../base/kernel-words.js';
import { type StructOpsTable, structOpsValue } from '../../obj/struct-ops.js';
import { createLink } from '../../sys/bpf.js';
import { isErrno, SysError } from '../../sys/errno.js';
import { duplicateFd } from '../../sys/fd.js';
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
      const calls = new MapCalls(mapFd);
      const status = calls.update(firstKey, value);
      if (status !== 0) throw new SysError(`attach ${where}`, status);
      if ((map.info.flags & uapi.BPF_F_LINK) === 0) return heldByKernel(mapFd);
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

function heldByKernel(map: ReturnType<typeof duplicateFd>): HeldAttachment {
  const takeAway = (): void => {
    const calls = new MapCalls(map);
    const status = calls.delete(firstKey);
    const failure = status === 0 ? undefined : calls.failure(status);
    if (failure !== undefined && !isErrno(failure, 'ENOENT')) throw failure;
  };
  return new HeldAttachment('kernel', takeAway, [map]);
}
