/** Small eBPF programs as instructions, for what user space cannot do itself. */
import { readFileSync } from 'node:fs';
import { attachTypes, programTypes } from '../../src/base/kernel-words.js';
import { Scope } from '../../src/base/scope.js';
import { kernelBtfPath } from '../../src/host/kernel.js';
import { readBtf } from '../../src/obj/btf/read.js';
import { bpf, createLink, loadInstructions, testRunBlock } from '../../src/sys/bpf.js';
import type { Fd } from '../../src/sys/fd.js';
import { MapCalls } from '../../src/sys/map-calls.js';

type Instruction = readonly [code: number, registers: number, offset: number, value: number];

/** `struct bpf_insn` of linux/bpf.h. */
function assembled(instructions: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(instructions.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [index, [code, registers, offset, value]] of instructions.entries()) {
    view.setUint8(index * 8, code);
    view.setUint8(index * 8 + 1, registers);
    view.setInt16(index * 8 + 2, offset, true);
    view.setInt32(index * 8 + 4, value, true);
  }
  return bytes;
}

const move = (register: number, value: number): Instruction => [0xb7, register, 0, value];
const move32 = (register: number, value: number): Instruction => [0xb4, register, 0, value];
/** `r<register> = the map behind fd`: an instruction of two. */
const mapInto = (register: number, map: Fd): Instruction[] => [
  [0x18, register | 0x10, 0, map.value],
  [0, 0, 0, 0],
];
const call = (helper: number): Instruction => [0x85, 0, 0, helper];
const exit: Instruction = [0x95, 0, 0, 0];
/** `*(u64 *)(r10 - 8) = value; r<register> = r10 - 8` */
const pointTo = (register: number, value: number): Instruction[] => [
  [0x7a, 10, -8, value],
  [0xbf, register | 0xa0, 0, 0],
  [0x07, register, 0, -8],
];

type ProgramValues = Parameters<typeof loadInstructions>[2];

function load(
  type: (typeof programTypes)[number],
  instructions: readonly Instruction[],
  values: ProgramValues = {},
): Fd {
  return loadInstructions(programTypes.indexOf(type), assembled(instructions), values);
}

/** A program that returns a number. */
export function returning(
  value: number,
  type: (typeof programTypes)[number] = 'socket_filter',
  values: ProgramValues = {},
): Fd {
  return load(type, [move(0, value), exit], values);
}

const packet = new Uint8Array(64);

function runOn(program: Fd, values: { readonly packet: boolean }): number {
  const block = testRunBlock(program);
  if (values.packet) block.point('data_in', packet).set('data_size_in', packet.length);
  bpf('PROG_TEST_RUN', block, 'run a program');
  return block.get('retval');
}

/** Lets a program store this stack in a stack trace map. @returns the id, which is the key */
export function storeStack(map: Fd): number {
  using program = load('raw_tracepoint', [...mapInto(2, map), move(3, 0), call(27), exit]);
  return runOn(program, { packet: false });
}

/** Lets a program write a record of eight bytes into a ring buffer. */
export function outputToRing(map: Fd, value: number): void {
  const output = [...mapInto(1, map), ...pointTo(2, value), move(3, 8), move(4, 0), call(130)];
  using program = load('sched_cls', [...output, move(0, 0), exit]);
  runOn(program, { packet: true });
}

/** Lets a program write a record of eight bytes into the buffer of the CPU that it runs on. */
export function outputToPerf(map: Fd, value: number): void {
  const output = [...mapInto(2, map), move32(3, -1), ...pointTo(4, value), move(5, 8), call(25)];
  using program = load('sched_cls', [...output, move(0, 0), exit]);
  runOn(program, { packet: true });
}

/** Attaches a program to a cgroup that has storage for it: the storage lasts as long as the link. */
export function attachWithStorage(map: Fd, cgroup: Fd): Fd {
  using program = load('cgroup_skb', [...mapInto(1, map), move(2, 0), call(81), move(0, 1), exit], {
    expected_attach_type: attachTypes.indexOf('cgroup_inet_egress'),
  });
  const attach_type = attachTypes.indexOf('cgroup_inet_egress');
  return createLink({ prog_fd: program.value, target_fd: cgroup.value, attach_type }, 'attach to a cgroup');
}

/** Fills a struct_ops map for `struct tcp_congestion_ops` and registers it, under a name that nobody selects. */
export function registerCongestionControl(map: Fd): void {
  const btf = readBtf(readFileSync(kernelBtfPath));
  const struct = btf.find('tcp_congestion_ops', 'struct');
  const wrapper = btf.find('bpf_struct_ops_tcp_congestion_ops', 'struct');
  if (struct?.kind !== 'struct' || wrapper?.kind !== 'struct')
    throw new Error('no congestion control in the kernel');
  const at = (name: string, members = struct.members): number => {
    const member = members.find((each) => each.name === name);
    if (member === undefined) throw new Error(`no member ${name}`);
    return member.bitOffset / 8;
  };
  const data = at('data', wrapper.members);
  const value = new Uint8Array(wrapper.size);
  const view = new DataView(value.buffer);
  value.set(Buffer.from('netkit_test\0'), data + at('name'));
  using scope = new Scope();
  for (const member of ['ssthresh', 'undo_cwnd', 'cong_avoid']) {
    const expected_attach_type = struct.members.findIndex(({ name }) => name === member);
    const program = scope.use(returning(2, 'struct_ops', { attach_btf_id: struct.id, expected_attach_type }));
    view.setBigUint64(data + at(member), BigInt(program.value), true);
  }
  const calls = new MapCalls(map);
  const errno = calls.update(new Uint8Array(4), value);
  if (errno !== 0) throw calls.failure(errno);
}
