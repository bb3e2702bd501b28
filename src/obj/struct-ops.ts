/** Tables of kernel callbacks (`.struct_ops`): what an object puts into each member, and the value that a kernel wants. */
import { hostIsLittleEndian } from '../base/byte-order.js';
import { NetkitError } from '../base/errors.js';
import type { BtfComposite, BtfGraph, BtfMember } from './btf/types.js';
import type { ElfFile } from './elf.js';
import { placedVariables } from './variables.js';

/** One member of a table. */
export interface StructOpsMember {
  readonly name: string;
  /** What the object has there, in bytes; the place of a callback is zero. */
  readonly bytes: Uint8Array;
  /** The program that is the callback. */
  readonly program: string | undefined;
}

/** One table. */
export interface StructOpsTable {
  /** The variable's name in the object. */
  readonly name: string;
  /** The kernel's struct, such as `tcp_congestion_ops`. */
  readonly struct: string;
  /** It is to be attached through a link: section `.struct_ops.link`. */
  readonly link: boolean;
  readonly members: readonly StructOpsMember[];
}

/** @internal @throws NetkitError `bad-object` */
export function readStructOps(elf: ElfFile, btf: BtfGraph | undefined): StructOpsTable[] {
  if (btf === undefined) return [];
  return elf.sections
    .filter(({ name, size }) => /^\??\.struct_ops(\.link)?$/.test(name) && size > 0)
    .flatMap((section) => {
      const callbacks = new Map(elf.relocations(section).map(({ offset, symbol }) => [offset, symbol.name]));
      return placedVariables(elf, btf, section).map(({ name, type, offset }): StructOpsTable => {
        const struct = structOf(btf, type, name);
        return {
          name,
          // What stands behind three underscores tells versions of one struct apart, as with CO-RE.
          struct: struct.name.replace(/___.*$/, ''),
          link: section.name.endsWith('.link'),
          members: struct.members.map((member) => {
            const at = offset + byteOffset(member, struct);
            const end = at + btf.sizeOf(member.type);
            return { name: member.name, bytes: section.data.subarray(at, end), program: callbacks.get(at) };
          }),
        };
      });
    });
}

/**
 * The value that attaches a table on a kernel.
 * @param kernel that kernel's own BTF
 * @param descriptor of a program of the object, by its name
 * @throws NetkitError `unsupported` when the kernel has no such struct or member
 */
export function structOpsValue(
  table: StructOpsTable,
  kernel: BtfGraph,
  descriptor: (program: string) => number,
): Uint8Array {
  const missing = () =>
    new NetkitError('unsupported', `this kernel takes no programs as members of a struct ${table.struct}`);
  const wrapper = kernel.find(`bpf_struct_ops_${table.struct}`, 'struct');
  if (wrapper?.kind !== 'struct') throw missing();
  const data = wrapper.members.find(({ name }) => name === 'data');
  if (data === undefined) throw missing();
  const struct = structOf(kernel, data.type, table.struct);
  const value = new Uint8Array(wrapper.size);
  const base = byteOffset(data, wrapper);
  for (const member of table.members) {
    const theirs = struct.members.find(({ name }) => name === member.name);
    if (theirs === undefined) {
      if (member.program === undefined && member.bytes.every((byte) => byte === 0)) continue;
      throw new NetkitError(
        'unsupported',
        `this kernel's struct ${table.struct} has no member '${member.name}'`,
      );
    }
    const at = base + byteOffset(theirs, struct);
    if (member.program !== undefined) {
      const view = new DataView(value.buffer);
      view.setBigUint64(at, BigInt(descriptor(member.program)), hostIsLittleEndian);
      continue;
    }
    if (member.bytes.every((byte) => byte === 0)) continue;
    if (kernel.sizeOf(theirs.type) !== member.bytes.length) {
      throw new NetkitError(
        'unsupported',
        `the member '${member.name}' of this kernel's struct ${table.struct} has ${kernel.sizeOf(theirs.type)} bytes, the object's ${member.bytes.length}`,
      );
    }
    value.set(member.bytes, at);
  }
  return value;
}

function structOf(btf: BtfGraph, id: number, what: string): BtfComposite {
  const type = btf.resolve(id);
  if (type.kind === 'struct') return type;
  throw new NetkitError('bad-object', `'${what}' is no struct`);
}

function byteOffset(member: BtfMember, struct: BtfComposite): number {
  if (member.bitSize === 0 && member.bitOffset % 8 === 0) return member.bitOffset / 8;
  throw new NetkitError('unsupported', `the member '${member.name}' of struct ${struct.name} is a bit field`);
}
