/** Which types of programs the kernel takes. */
import { attachTypes, programTypes } from '../../base/kernel-words.js';
import { capabilityHint, type PrivilegedTask } from '../../host/capabilities.js';
import { knownProgramTypes, programTypeSince } from '../../obj/kernel-versions/program-types.js';
import type { AttachTypeWord } from '../../obj/sections.js';
import { uapi } from '../../sys/uapi.js';
import { runningBtf } from '../kernel-btf.js';
import { type Availability, absent, barred, type Feature, no, present, unknown } from './availability.js';
import { twoInstructions } from './code.js';
import { type Trial, Trials, type TrialValues } from './trial.js';

export type ProgramType = (typeof knownProgramTypes)[number];

/** How to offer a program of a type: what its load needs beside instructions. */
interface Way {
  readonly attach?: AttachTypeWord;
  /** What of the kernel's BTF it is for; of a struct, which member. */
  readonly target?: {
    readonly name: string;
    readonly kind: 'func' | 'typedef' | 'struct';
    readonly member?: string;
  };
  readonly sleepable?: true;
}

/** The types that need more than two instructions, and several ways where one may be barred and the other not. */
const ways: Partial<Readonly<Record<ProgramType, readonly Way[]>>> = {
  cgroup_sock_addr: [{ attach: 'cgroup_inet4_connect' }],
  cgroup_sockopt: [{ attach: 'cgroup_getsockopt' }],
  sk_lookup: [{ attach: 'sk_lookup' }],
  lirc_mode2: [{ attach: 'lirc_mode2' }],
  netfilter: [{ attach: 'netfilter' }],
  syscall: [{ sleepable: true }],
  tracing: [
    { attach: 'trace_fentry', target: { name: 'bpf_fentry_test1', kind: 'func' } },
    { attach: 'trace_raw_tp', target: { name: 'btf_trace_sched_switch', kind: 'typedef' } },
    { attach: 'trace_iter', target: { name: 'bpf_iter_task', kind: 'func' } },
  ],
  lsm: [{ attach: 'lsm_mac', target: { name: 'bpf_lsm_file_open', kind: 'func' } }],
  struct_ops: [{ target: { name: 'tcp_congestion_ops', kind: 'struct', member: 'ssthresh' } }],
};

/** Types that look into the kernel. */
const tracingTypes: ReadonlySet<ProgramType> = new Set([
  'kprobe',
  'tracepoint',
  'perf_event',
  'raw_tracepoint',
  'raw_tracepoint_writable',
  'tracing',
  'lsm',
  'ext',
  'struct_ops',
]);

/** What a user needs who loads a program of that type. */
export function loadTask(type: ProgramType): Extract<PrivilegedTask, 'load' | 'load-tracing'> {
  return tracingTypes.has(type) ? 'load-tracing' : 'load';
}

/** What to give beside the instructions of a program of a type, so that the kernel takes it. */
export interface ProgramForm {
  /** The number of the type. */
  readonly number: number;
  readonly values: TrialValues;
}

const forms = new Map<ProgramType, readonly ProgramForm[] | Availability>();

/**
 * The ways in which this kernel takes programs of a type, found by loading one each; or why it takes none. Conclusive
 * answers are kept for the life of the process.
 */
export function programForms(type: ProgramType): readonly ProgramForm[] | Availability {
  const kept = forms.get(type);
  if (kept !== undefined) return kept;
  const found = type === 'ext' ? extension() : findForms(type);
  if (!('available' in found) || found.available !== null) forms.set(type, found);
  return found;
}

function findForms(type: ProgramType): readonly ProgramForm[] | Availability {
  const trials = new Trials();
  const number = programTypes.indexOf(type);
  const taken: ProgramForm[] = [];
  let answer: Availability | undefined;
  for (const way of ways[type] ?? [{}]) {
    const values = valuesOf(way);
    if ('available' in values) {
      answer ??= values;
      continue;
    }
    const trial = trials.load(number, twoInstructions, values);
    // A log: the kernel was ready to look at the instructions. Whether it likes these is another matter.
    if (trial.errno === undefined || trial.log !== '') taken.push({ number, values });
    else answer = refusalOf(type, trial);
  }
  return taken.length > 0 ? taken : (answer ?? absent(programTypeSince(type)));
}

function refusalOf(type: ProgramType, { errno }: Trial): Availability {
  if (errno === 'EPERM' || errno === 'EACCES') return barred(loadTask(type));
  if (errno === 'EINVAL' || errno === 'ENOTSUPP' || errno === 'EOPNOTSUPP')
    return absent(programTypeSince(type));
  return no(`the kernel says ${errno}`);
}

/** Takes the place of a function of another program, without which it is refused; whether it is barred shows before. */
function extension(): Availability {
  const since = programTypeSince('ext');
  if (runningBtf() === undefined) return unknown('the kernel has no BTF, which this type needs');
  const { errno } = new Trials().load(programTypes.indexOf('ext'), twoInstructions, { attach_btf_id: 1 });
  if (errno === 'EPERM' || errno === 'EACCES') return barred('load-tracing');
  // Kernels without the type refuse its number before they look for the partner: by the version they can be told apart.
  const answer = absent(since);
  return answer.reason.startsWith('it came') ? answer : present(since);
}

function valuesOf({ attach, target, sleepable }: Way): TrialValues | Availability {
  const values: TrialValues = {
    expected_attach_type: attach === undefined ? 0 : attachTypes.indexOf(attach),
    prog_flags: sleepable === true ? uapi.BPF_F_SLEEPABLE : 0,
  };
  if (target === undefined) return values;
  const btf = runningBtf();
  if (btf === undefined) return no('this kernel has no BTF, which this type needs');
  const found = btf.find(target.name, target.kind);
  if (found === undefined) return no(`this kernel has no ${target.name}`);
  const member =
    found.kind === 'struct' && target.member !== undefined
      ? { expected_attach_type: found.members.findIndex(({ name }) => name === target.member) }
      : {};
  return { ...values, attach_btf_id: found.id, ...member };
}

/** Whether the kernel takes programs of a type. Minimum kernel 4.4, as for all of bpf(2) that netkit uses. */
export function programTypeAvailable(type: ProgramType): Availability {
  const found = programForms(type);
  return 'available' in found ? found : present(programTypeSince(type));
}

/** Every program type of Linux, and whether the kernel takes it. */
export function allProgramTypes(): Feature<ProgramType>[] {
  return knownProgramTypes.map((name) => ({
    name,
    since: programTypeSince(name),
    ...programTypeAvailable(name),
  }));
}

/** Whether this user lacks rights with which the kernel may offer more to programs of a type; which, in words. */
export function lacksFor(type: ProgramType): string | undefined {
  // Many functions are there only for those who may look into the kernel, whatever the type.
  return capabilityHint(loadTask(type)) ?? capabilityHint('load-tracing');
}
