/** Whether programs get to write to their BPF streams: some kernels have no memory for them. */
import { mapTypes, programTypes } from '../base/kernel-words.js';
import { addValue, assemble, exit, moveRegister, moveValue } from '../obj/instructions/assemble.js';
import { errnoNumber, SysError } from '../sys/errno.js';
import { createMap, freezeMap, MapCalls } from '../sys/map-calls.js';
import { loadParts } from '../sys/measuring-calls.js';
import { uapi } from '../sys/uapi.js';
import { runningBtf } from './kernel-btf.js';
import { Program } from './program.js';

/** What programs call: its name in 6.18, and its name before and since. */
const writers = ['bpf_stream_vprintk_impl', 'bpf_stream_vprintk'];
const smallestPacket = 14;

/**
 * Lets a program of netkit's own write a line to its own stream.
 * @returns `no-memory` when the kernel has none for it; `unknown` where that cannot be tried
 */
export function streamWriting(): 'works' | 'no-memory' | 'unknown' {
  const btf = runningBtf();
  for (const name of writers) {
    const type = btf?.find(name, 'func');
    const answer = type === undefined ? undefined : tried(type.id);
    if (answer !== undefined) return answer;
  }
  return 'unknown';
}

/** Undefined where the verifier does not let programs call it. */
function tried(writer: number): 'works' | 'no-memory' | 'unknown' | undefined {
  try {
    using program = writingProgram(writer);
    const { verdict } = program.testRun({ data: new Uint8Array(smallestPacket) });
    if ((verdict | 0) === -errnoNumber('ENOMEM')) return 'no-memory';
    return verdict === 0 ? 'works' : 'unknown';
  } catch (error) {
    if (error instanceof SysError) return undefined;
    throw error;
  }
}

/** `return bpf_stream_vprintk(BPF_STDOUT, "\n", stack, 0, NULL)`; the text has to be in a map that nobody can change. */
function writingProgram(writer: number): Program {
  const flags = uapi.BPF_F_RDONLY_PROG;
  using text = createMap(
    {
      map_type: mapTypes.indexOf('array'),
      key_size: 4,
      value_size: 8,
      max_entries: 1,
      map_flags: flags,
    },
    'netkit_text',
  );
  const calls = new MapCalls(text);
  const value = new Uint8Array(8);
  value[0] = 10;
  const errno = calls.update(new Uint8Array(4), value);
  if (errno !== 0) throw calls.failure(errno);
  freezeMap(text);
  const instructions = assemble([
    moveValue(1, uapi.BPF_STREAM_STDOUT),
    // The address of the map's value, which takes two slots.
    { opcode: 0x18, destination: 2, source: 2, immediate: text.value },
    { opcode: 0 },
    moveRegister(3, 10),
    addValue(3, -8),
    { opcode: 0x7a, destination: 10, offset: -8 },
    moveValue(4, 0),
    moveValue(5, 0),
    { opcode: 0x85, source: 2, immediate: writer },
    exit,
  ]);
  return new Program(
    loadParts({ type: programTypes.indexOf('sched_cls'), instructions, name: 'netkit_stream' }),
  );
}
