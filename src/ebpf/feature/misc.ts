/** What else kernels offer, or not: instructions, limits, flags, commands of bpf(2). */
import { mapTypes, programTypes } from '../../base/kernel-words.js';
import { capabilityHint } from '../../host/capabilities.js';
import { compareVersions, type LinuxVersion } from '../../obj/kernel-versions/version.js';
import { Block } from '../../sys/block.js';
import { type BpfCommand, bpfResult } from '../../sys/bpf.js';
import { errnoName, SysError } from '../../sys/errno.js';
import { runBatch } from '../../sys/map-batch.js';
import { createMap, type MapAttributes } from '../../sys/map-calls.js';
import { attr, uapi } from '../../sys/uapi.js';
import {
  type Availability,
  absent,
  answered,
  barred,
  type Feature,
  no,
  present,
  unknown,
} from './availability.js';
import { code, exit, instruction, set, twoInstructions } from './code.js';
import { mapTypeAvailable } from './map-types.js';
import { type Trial, Trials, type TrialValues } from './trial.js';

interface Row {
  readonly name: string;
  readonly about: string;
  readonly since: LinuxVersion;
  readonly probe: (since: LinuxVersion) => Availability;
}

const socketFilter = programTypes.indexOf('socket_filter');
const noDescriptor = 0xffff_ffff;

/** A socket filter of these instructions is taken. */
const takes =
  (program: Uint8Array) =>
  (since: LinuxVersion): Availability =>
    judged(new Trials().load(socketFilter, program), since);

function judged({ errno, log }: Trial, since: LinuxVersion): Availability {
  if (errno === undefined) return present(since);
  if (log === '' && (errno === 'EPERM' || errno === 'EACCES')) return barred('load');
  const answer = absent(since);
  // The verifier is stricter with those who may not look into the kernel: its no may be meant for them alone.
  const lacks = answer.reason.startsWith('it came') ? undefined : capabilityHint('load-tracing');
  return lacks === undefined ? answer : unknown(lacks);
}

function takesMany(since: LinuxVersion): Availability {
  const many = code(...Array.from({ length: 4096 }, () => set(0, 1)), exit);
  return judged(new Trials().loadQuietly(socketFilter, many), since);
}

function takesFlag(type: 'xdp', values: TrialValues) {
  return (since: LinuxVersion): Availability =>
    judged(new Trials().load(programTypes.indexOf(type), twoInstructions, values), since);
}

/** A kernel without the command calls it invalid; one that has it misses the object that it is to work on. */
const knows =
  (command: BpfCommand, block: { readonly bytes: Uint8Array }) =>
  (since: LinuxVersion): Availability => {
    const errno = errnoName(-bpfResult(command, block));
    if (errno === 'EBADF') return present(since);
    if (errno === 'EPERM' || errno === 'EACCES') return barred('load');
    return errno === 'EINVAL' || errno === 'ENOSYS' ? absent(since) : no(`the kernel says ${errno}`);
  };

function makes(values: MapAttributes) {
  return (since: LinuxVersion): Availability => {
    try {
      using _map = createMap({ key_size: 4, value_size: 4, max_entries: 1, ...values }, '');
      return present(since);
    } catch (error) {
      if (error instanceof SysError && error.errnoName === 'EINVAL') return absent(since);
      throw error;
    }
  };
}

function hasBatches(since: LinuxVersion): Availability {
  const [keys, values, out] = [new Uint8Array(4), new Uint8Array(4), new Uint8Array(8)];
  using map = createMap(
    { map_type: mapTypes.indexOf('hash'), key_size: 4, value_size: 4, max_entries: 1 },
    '',
  );
  const position = { in: undefined, out };
  const { errno } = runBatch(map, {
    command: 'MAP_LOOKUP_BATCH',
    keys,
    values,
    count: 1,
    flags: 0,
    position,
  });
  // ENOENT: the end of an empty map.
  return errno === 0 || errnoName(errno) === 'ENOENT' ? present(since) : absent(since);
}

// Opcodes of Documentation/bpf/standardization/instruction-set.rst.
const lowerThan = 0xa5;
const lowerThan32 = 0xa6;
const notEqual = 0x55;
const notEqual32 = 0x56;
const jumpLong = 0x06;
const mayGoto = 0xe5;
const callOwn = 0x85;
const storeZero = instruction(0x7a, { destination: 10, offset: -8 });
const atomic = 0xdb;
const exchange = 0xe1;
const loadAcquire = 0x100;
const skipOne = (opcode: number) => code(set(0, 0), instruction(opcode, { offset: 1 }), set(0, 1), exit);

/** By the version that brought it. */
const rows = [
  {
    name: 'cpu-v2',
    about: 'instructions of clang -mcpu=v2: more comparisons',
    since: '4.14', // 92b31a9af73b
    probe: takes(skipOne(lowerThan)),
  },
  {
    name: 'subprograms',
    about: 'functions that programs call',
    since: '4.16', // cc8b0b92a169
    probe: takes(code(instruction(callOwn, { source: 1, immediate: 1 }), exit, set(0, 0), exit)),
  },
  {
    name: 'cpu-v3',
    about: 'instructions of clang -mcpu=v3: comparisons of 32 bits',
    since: '5.1', // 092ed0968bb6
    probe: takes(skipOne(lowerThan32)),
  },
  {
    name: 'large-programs',
    about: 'programs of up to a million instructions, not 4,096',
    since: '5.2', // c04c0d2b968a
    probe: takesMany,
  },
  {
    name: 'frozen-maps',
    about: 'maps that user space can no longer write',
    since: '5.2', // 87df15de441b
    probe: knows('MAP_FREEZE', new Block(attr.element, { map_fd: noDescriptor })),
  },
  {
    name: 'bounded-loops',
    about: 'loops whose end the verifier sees',
    since: '5.3', // 2589726d12a1
    probe: takes(
      code(
        set(0, 10),
        instruction(0x07, { destination: 0, immediate: -1 }),
        instruction(notEqual, { offset: -2 }),
        exit,
      ),
    ),
  },
  {
    name: 'mapped-arrays',
    about: 'arrays that processes map into their memory',
    since: '5.5', // fc9702273e2e
    probe: makes({ map_type: mapTypes.indexOf('array'), map_flags: uapi.BPF_F_MMAPABLE }),
  },
  {
    name: 'batch-calls',
    about: 'many map entries with one call',
    since: '5.6', // cb4d03ab499d
    probe: hasBatches,
  },
  {
    name: 'links',
    about: 'attachments that are objects of their own',
    since: '5.7', // af6eea57437a
    probe: knows('LINK_CREATE', new Block(attr.linkCreate, { prog_fd: noDescriptor })),
  },
  {
    name: 'ring-buffer',
    about: 'one buffer for the records of all CPUs',
    since: '5.8', // 457f44363a88
    probe: () => mapTypeAvailable('ringbuf'),
  },
  {
    name: 'iterators',
    about: 'programs that list objects of the kernel',
    since: '5.8', // ac51d99bf81c
    probe: knows('ITER_CREATE', new Block(attr.iterCreate, { link_fd: noDescriptor })),
  },
  {
    name: 'link-detach',
    about: 'detaching a link whoever holds it',
    since: '5.9', // 73b11c2ab072
    probe: knows('LINK_DETACH', new Block(attr.linkDetach, { link_fd: noDescriptor })),
  },
  {
    name: 'bound-maps',
    about: 'maps that live as long as a program that does not use them',
    since: '5.10', // ef15314aa5de
    probe: knows(
      'PROG_BIND_MAP',
      new Block(attr.progBindMap, { prog_fd: noDescriptor, map_fd: noDescriptor }),
    ),
  },
  {
    name: 'atomics',
    about: 'atomic instructions that give the old value',
    since: '5.12', // 5ca419f2864a
    probe: takes(
      code(
        storeZero,
        set(1, 1),
        instruction(atomic, { destination: 10, source: 1, offset: -8, immediate: exchange }),
        set(0, 0),
        exit,
      ),
    ),
  },
  {
    name: 'xdp-frags',
    about: 'XDP programs for packets in several buffers',
    since: '5.18', // c2f2cdbeffda
    probe: takesFlag('xdp', { prog_flags: uapi.BPF_F_XDP_HAS_FRAGS }),
  },
  {
    name: 'cpu-v4',
    about: 'instructions of clang -mcpu=v4: signed loads and divisions, byte swaps, long jumps',
    since: '6.6', // 1f9a1ea821ff
    probe: takes(
      code(
        set(0, 0),
        instruction(notEqual32, { offset: 1, immediate: 1 }),
        instruction(jumpLong, { immediate: 1 }),
        set(0, 1),
        exit,
      ),
    ),
  },
  {
    name: 'tokens',
    about: 'the right to load, handed to a container by a file (BPF token)',
    since: '6.9', // 35f96de04127
    probe: knows('TOKEN_CREATE', new Block(attr.tokenCreate, { bpffs_fd: noDescriptor })),
  },
  {
    name: 'may-goto',
    about: 'loops that the kernel ends when they take too long',
    since: '6.9', // 011832b97b31
    probe: takes(skipOne(mayGoto)),
  },
  {
    name: 'load-acquire',
    about: 'loads and stores that order memory',
    since: '6.15', // 880442305a39
    probe: takes(
      code(
        storeZero,
        instruction(atomic, { destination: 0, source: 10, offset: -8, immediate: loadAcquire }),
        set(0, 0),
        exit,
      ),
    ),
  },
  {
    name: 'streams',
    about: 'text that programs write and that is read by program',
    since: '6.17', // 5ab154f1463a
    probe: knows('PROG_STREAM_READ_BY_FD', new Block(attr.progStreamRead, { prog_fd: noDescriptor })),
  },
] as const satisfies readonly Row[];

/** The name of something that belongs to no other list. */
export type MiscName = (typeof rows)[number]['name'];

export interface MiscFeature extends Feature<MiscName> {
  /** What it is, in words. */
  readonly about: string;
}

/** Whether the kernel has one of those. @throws TypeError for a name that is none of `MiscName` */
export function miscAvailable(name: MiscName): Availability {
  const row: Row | undefined = rows.find((each) => each.name === name);
  if (row === undefined) throw new TypeError(`no feature is called ${name}`);
  return answered('load', () => row.probe(row.since));
}

/** All of them, by the version that brought them. */
export function allMisc(): MiscFeature[] {
  return [...rows]
    .sort((one, other) => compareVersions(one.since, other.since))
    .map(({ name, about, since }) => ({ name, about, since, ...miscAvailable(name) }));
}

/** The Linux version that brought one of them. */
export function miscSince(name: MiscName): LinuxVersion | undefined {
  return rows.find((each) => each.name === name)?.since;
}
