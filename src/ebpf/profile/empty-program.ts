/** A program that does nothing, measured to know what measuring costs. */
import { hostIsLittleEndian } from '../../base/byte-order.js';
import { programTypes } from '../../base/kernel-words.js';
import { BtfWriter } from '../../obj/btf/write.js';
import { assemble, exit, moveValue } from '../../obj/instructions/assemble.js';
import { isErrno } from '../../sys/errno.js';
import { loadBtf } from '../../sys/map-calls.js';
import { loadParts } from '../../sys/measuring-calls.js';
import { Program } from '../program.js';

/** Types that can be run on a packet and need nothing else to be loaded. */
const plainTypes: ReadonlySet<string> = new Set([
  'socket_filter',
  'sched_cls',
  'sched_act',
  'xdp',
  'lwt_in',
  'lwt_out',
  'lwt_xmit',
  'cgroup_skb',
]);

const name = 'netkit_empty';
const instructions = assemble([moveValue(0, 0), exit]);

/** Whether an empty program of this type can be run on a packet. */
export function hasEmptyProgram(type: string): boolean {
  return plainTypes.has(type);
}

/** Loads an empty program, of the same type where that can be run on packets. @throws SysError */
export function emptyProgram(type: string): Program {
  return new Program(loadParts({ type: numberOf(type), instructions, name }));
}

/** The same with BTF, without which nothing can be attached to it. Minimum kernel 5.0. @throws SysError */
export function emptyTypedProgram(type: string): {
  readonly program: Program;
  readonly functionType: number;
} {
  const { blob, functionType } = emptyFunction();
  using btf = loadBtf(blob);
  // struct bpf_func_info { __u32 insn_off; __u32 type_id; }
  const record = new Uint8Array(8);
  new DataView(record.buffer).setUint32(4, functionType, hostIsLittleEndian);
  const fd = loadParts({
    type: numberOf(type),
    instructions,
    name,
    values: { prog_btf_fd: btf.value, func_info_rec_size: record.length, func_info_cnt: 1 },
    pointers: { func_info: record },
  });
  return { program: new Program(fd), functionType };
}

function numberOf(type: string): number {
  const known = programTypes.find((word) => word === type && plainTypes.has(word));
  return programTypes.indexOf(known ?? 'socket_filter');
}

/** `int netkit_empty(void *context)` */
function emptyFunction(): { blob: Uint8Array; functionType: number } {
  const writer = new BtfWriter();
  const same = (id: number): number => id;
  const int = writer.add(
    {
      kind: 'int',
      id: 0,
      name: 'int',
      size: 4,
      bits: 32,
      bitOffset: 0,
      signed: true,
      char: false,
      bool: false,
    },
    same,
  );
  const pointer = writer.add({ kind: 'ptr', id: 0, name: '', target: 0 }, same);
  const prototype = writer.add(
    {
      kind: 'func_proto',
      id: 0,
      name: '',
      returns: int,
      parameters: [{ name: 'context', type: pointer }],
      variadic: false,
    },
    same,
  );
  const functionType = writer.add({ kind: 'func', id: 0, name, prototype, linkage: 'global' }, same);
  return { blob: writer.bytes(), functionType };
}

/** A packet that every program takes for one: Ethernet, IPv4, UDP, 64 bytes in all. */
export function syntheticPacket(): Uint8Array {
  const headers = '020000000002020000000001080045000032000040004011b0980a4d00010a4d00021f901f90001e0000';
  const packet = new Uint8Array(64);
  packet.set(Buffer.from(headers, 'hex'));
  return packet;
}

/** Runs a program so often that its time is well above the clock's grain. @throws SysError, NetkitError */
export function runMany(program: Program, packet: Uint8Array, times: number): number {
  for (;;) {
    try {
      return program.testRun({ data: packet, repeat: times }).nsPerRun;
    } catch (error) {
      // Signals of timers and the like end a long run: it begins anew.
      if (!isErrno(error, 'EINTR')) throw error;
    }
  }
}
