/** bpf(2), command by command. Raw descriptors and errno stop here: above, objects are `Fd`s and failures are errors. */
import { Block, type Layout } from './block.js';
import { declare, invoke, invokeAsync, lastErrno } from './call.js';
import { isErrno } from './errno.js';
import { Fd } from './fd.js';
import { cString } from './libc.js';
import { raiseMemlock } from './memlock.js';
import { checked } from './status.js';
import { attr, bpfCommands, info } from './uapi.js';

declare('libc', ['long syscall(long number, long command, void *attr, unsigned long size)']);

/** The number of bpf(2) by machine (arch/…/include/asm/unistd.h). */
const syscallNumber = process.arch === 'arm64' ? 280 : 321;

export type BpfCommand = keyof typeof bpfCommands;

/**
 * The block of the last call, and through it all buffers whose addresses the kernel was given: the optimising compiler
 * sees no use of them during the call, and they could be collected before it.
 */
const last: { block?: object } = {};

/** The same for calls that run on other threads: until their answer is there. */
const underWay = new Set<object>();

interface Attribute {
  readonly bytes: Uint8Array;
}

/** What these make counts against the limit of locked memory, on kernels that have one. */
const making: ReadonlySet<BpfCommand> = new Set(['MAP_CREATE', 'PROG_LOAD', 'BTF_LOAD']);

function call(command: BpfCommand, block: Attribute): number {
  const { bytes } = block;
  if (making.has(command)) raiseMemlock();
  last.block = block;
  const args = [syscallNumber, bpfCommands[command], bytes, bytes.length];
  return Number(invoke('syscall', args, `bpf(${command})`));
}

/** One bpf(2) call. @throws SysError whose operation is `operation` */
export function bpf(command: BpfCommand, block: Attribute, operation: string): number {
  return checked(operation, call(command, block));
}

/** One bpf(2) call whose failure is an answer: what it returns, or the errno as a negative number. */
export function bpfResult(command: BpfCommand, block: Attribute): number {
  const result = call(command, block);
  return result < 0 ? -lastErrno() : result;
}

/** One bpf(2) call whose failure is none: 0 or the errno. */
export function bpfStatus(command: BpfCommand, block: Attribute): number {
  return call(command, block) < 0 ? lastErrno() : 0;
}

/**
 * One bpf(2) call on another thread: 0 or the errno. Nobody may touch the block or a buffer it points to, nor close a
 * descriptor in it, before the answer is there.
 */
export async function bpfStatusAsync(command: BpfCommand, block: Attribute): Promise<number> {
  const { bytes } = block;
  underWay.add(block);
  try {
    const args = [syscallNumber, bpfCommands[command], bytes, bytes.length];
    const { result, errno } = await invokeAsync('syscall', args, `bpf(${command})`);
    return Number(result) < 0 ? errno : 0;
  } finally {
    underWay.delete(block);
  }
}

function bpfFd(command: BpfCommand, block: { readonly bytes: Uint8Array }, operation: string): Fd {
  return new Fd(bpf(command, block, operation));
}

export type ObjectKind = 'program' | 'map' | 'link' | 'btf';

const byIdCommands = {
  program: 'PROG_GET_FD_BY_ID',
  map: 'MAP_GET_FD_BY_ID',
  link: 'LINK_GET_FD_BY_ID',
  btf: 'BTF_GET_FD_BY_ID',
} as const satisfies Record<ObjectKind, BpfCommand>;
const nextIdCommands = {
  program: 'PROG_GET_NEXT_ID',
  map: 'MAP_GET_NEXT_ID',
  link: 'LINK_GET_NEXT_ID',
  btf: 'BTF_GET_NEXT_ID',
} as const satisfies Record<ObjectKind, BpfCommand>;

/** Opens an object by id; needs CAP_SYS_ADMIN. @throws SysError ENOENT when there is none, EPERM without the right. */
export function openById(kind: ObjectKind, id: number): Fd {
  return bpfFd(byIdCommands[kind], new Block(attr.getId, { start_id: id }), `open ${kind} id ${id}`);
}

/** The ids of all objects of a kind, ascending; needs CAP_SYS_ADMIN. @throws SysError */
export function* objectIds(kind: ObjectKind): Generator<number> {
  const block = new Block(attr.getId);
  for (let id = 0; ; ) {
    block.set('start_id', id);
    try {
      bpf(nextIdCommands[kind], block, `list the kernel's ${kind}s`);
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return;
      throw error;
    }
    id = block.get('next_id');
    yield id;
  }
}

type Info = typeof info;
type FieldsOf<K extends keyof Info> = Extract<keyof Info[K]['fields'], string>;

/**
 * Reads an object's info into a new block, or into `block`, whose pointer members the caller has set for the arrays it
 * wants. Kernels that know fewer members leave the rest zero.
 */
export function readInfo<K extends keyof Info>(
  fd: Fd,
  kind: K,
  block: Block<FieldsOf<K>> = infoBlock(kind),
): Block<FieldsOf<K>> {
  const request = new Block(attr.info, { bpf_fd: fd.value, info_len: block.bytes.length });
  request.point('info', block.bytes);
  bpf('OBJ_GET_INFO_BY_FD', request, 'read the info of a kernel object');
  return block;
}

/** A block for `readInfo` to fill. */
export function infoBlock<K extends keyof Info>(kind: K): Block<FieldsOf<K>> {
  return new Block<FieldsOf<K>>(info[kind] as Layout<FieldsOf<K>>);
}

/** Pins an object at a path on a bpffs. @throws SysError EEXIST when the path is taken */
export function pinObject(fd: Fd, path: string): void {
  const block = new Block(attr.object, { bpf_fd: fd.value });
  bpf('OBJ_PIN', block.point('pathname', cString(path)), `pin ${path}`);
}

/** Opens a pinned object. @throws SysError ENOENT; EINVAL when the file is no BPF object */
export function openPinned(path: string): Fd {
  return bpfFd('OBJ_GET', new Block(attr.object).point('pathname', cString(path)), `open pin ${path}`);
}

/** What a link is made of; members by their names in `union bpf_attr`. */
export type LinkAttributes = Partial<Record<FieldsOfAttr<'linkCreate'>, number | bigint>>;
type FieldsOfAttr<K extends keyof typeof attr> = Extract<keyof (typeof attr)[K]['fields'], string>;

/**
 * BPF_LINK_CREATE: kernel 5.7, XDP 5.9, tcx 6.6.
 * @param pointers buffers whose addresses go into members
 * @throws SysError
 */
export function createLink(
  values: LinkAttributes,
  operation: string,
  pointers: readonly (readonly [member: FieldsOfAttr<'linkCreate'>, to: Uint8Array])[] = [],
): Fd {
  const block = new Block<FieldsOfAttr<'linkCreate'>>(attr.linkCreate, values);
  for (const [member, to] of pointers) block.point(member, to);
  return bpfFd('LINK_CREATE', block, operation);
}

/**
 * Swaps a link's program if it still is `expected` (BPF_F_REPLACE).
 * @throws SysError EPERM when another program is in place, ENOLINK when the link is dead
 */
export function updateLink(link: Fd, program: Fd, expected: Fd, replaceFlag: number): void {
  const block = new Block(attr.linkUpdate, {
    link_fd: link.value,
    new_prog_fd: program.value,
    flags: replaceFlag,
    old_prog_fd: expected.value,
  });
  bpf('LINK_UPDATE', block, 'swap the program of a link');
}

/** Detaches a link now, whoever else holds it: kernel 5.9. @throws SysError EOPNOTSUPP for kinds without it */
export function detachLink(link: Fd): void {
  bpf('LINK_DETACH', new Block(attr.linkDetach, { link_fd: link.value }), 'detach a link');
}

/** BPF_PROG_TEST_RUN: see `testRun` of src/ebpf/test-run.ts. */
export function testRunBlock(program: Fd): Block<FieldsOfAttr<'test'>> {
  return new Block<FieldsOfAttr<'test'>>(attr.test, { prog_fd: program.value });
}

/** Loads a program from raw instructions, for probes. @throws SysError */
export function loadInstructions(
  type: number,
  instructions: Uint8Array,
  values: Partial<Record<FieldsOfAttr<'progLoad'>, number | bigint>> = {},
): Fd {
  const block = new Block(attr.progLoad, {
    ...values,
    prog_type: type,
    insn_cnt: instructions.length / 8,
  });
  block.point('insns', instructions).point('license', cString('GPL'));
  return bpfFd('PROG_LOAD', block, 'load a program');
}
