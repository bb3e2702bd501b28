/** The BTF that the kernel keeps: its own, that of its modules, that of programs and maps. */
import { NetkitError } from '../base/errors.js';
import { infoBlock, readInfo } from '../sys/bpf.js';
import { listIds, openId } from './by-id.js';
import { BpfMap } from './map.js';
import { Program } from './program.js';

/** BTF in the kernel. */
export interface BtfObject {
  readonly id: number;
  /** `vmlinux`, or a module; empty for that of programs and maps. */
  readonly name: string;
  /** The kernel's own, or a module's. */
  readonly kernel: boolean;
  /** Bytes. */
  readonly size: number;
}

const longestName = 64;

/** Asks for BTF by its id; needs CAP_SYS_ADMIN. Minimum kernel 4.18; names 5.11. @throws NetkitError `not-found`, `not-permitted` */
export function btfObject(id: number): BtfObject {
  using fd = openId('btf', id);
  const name = new Uint8Array(longestName);
  const block = infoBlock('btfInfo').point('name', name).set('name_len', name.length);
  readInfo(fd, 'btfInfo', block);
  const end = name.indexOf(0);
  return {
    id: block.get('id'),
    name: Buffer.from(name.subarray(0, end < 0 ? 0 : end)).toString('latin1'),
    kernel: block.get('kernel_btf') !== 0,
    size: block.get('btf_size'),
  };
}

/** All of it, by id; needs CAP_SYS_ADMIN. Minimum kernel 5.6. @throws NetkitError `not-permitted` */
export function allBtf(): BtfObject[] {
  return [...listIds('btf')].flatMap((id) => unlessGone(() => btfObject(id)) ?? []);
}

/** Who uses BTF. */
export interface BtfUsers {
  readonly programs: number[];
  readonly maps: number[];
}

/** The ids of programs and maps by the id of the BTF that they came with; needs CAP_SYS_ADMIN. @throws NetkitError `not-permitted` */
export function btfUsers(): ReadonlyMap<number, BtfUsers> {
  const users = new Map<number, BtfUsers>();
  const of = (id: number): BtfUsers => {
    const known = users.get(id) ?? { programs: [], maps: [] };
    users.set(id, known);
    return known;
  };
  for (const id of Program.ids()) {
    const btf = unlessGone(() => btfOfProgram(id)) ?? 0;
    if (btf !== 0) of(btf).programs.push(id);
  }
  for (const id of BpfMap.ids()) {
    const btf = unlessGone(() => btfOfMap(id)) ?? 0;
    if (btf !== 0) of(btf).maps.push(id);
  }
  return users;
}

function btfOfProgram(id: number): number {
  using program = Program.fromId(id);
  return program.info().btfId;
}

function btfOfMap(id: number): number {
  using map = BpfMap.fromId(id);
  return map.info.btfId;
}

/** What a list has may have gone when it is looked at. */
function unlessGone<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof NetkitError && error.code === 'not-found') return undefined;
    throw error;
  }
}
