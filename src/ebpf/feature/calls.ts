/** Which helper functions programs of each type may call. */
import {
  type HelperWord,
  helperNumber,
  helperSince,
  knownHelpers,
} from '../../obj/kernel-versions/bpf-functions.js';
import { uapi } from '../../sys/uapi.js';
import { type Availability, absent, barred, type Feature, no, present, unknown } from './availability.js';
import { call, code, exit } from './code.js';
import { lacksFor, loadTask, type ProgramForm, type ProgramType, programForms } from './program-types.js';
import { type Trial, Trials } from './trial.js';

/** How the helpers are looked for. */
export interface CallOptions {
  /**
   * Tries also the helpers at whose mention the kernel writes a line into its log or switches a trace event on, program or
   * not: bpf_trace_printk, bpf_trace_vprintk and bpf_probe_write_user.
   */
  readonly full?: boolean;
}

/** What programs of one type may call. */
export interface CallsOfType {
  readonly type: ProgramType;
  /** Why there is no answer for the type as a whole; the lists are then empty. */
  readonly problem: Availability | undefined;
  readonly available: ReadonlySet<HelperWord>;
  /** Those that only programs which may sleep can call. */
  readonly whenSleepable: ReadonlySet<HelperWord>;
  /** Those that may be there for others: this user lacks a right, or they were not tried. */
  readonly unknown: ReadonlyMap<HelperWord, string>;
}

const logged: ReadonlySet<HelperWord> = new Set(['trace_printk', 'trace_vprintk', 'probe_write_user']);
const notTried = 'not tried, as the kernel would log it: --full tries it';

/** What the verifier says to a helper that this type of program cannot have, by kernel from old to new. */
const denials =
  /invalid func |unknown func |program of this type cannot use helper |not supported for program type /;
/** What it says to one that depends on the function or tracepoint that the program is attached to. */
const elsewhere = /helper call is not allowed in probe/;
const sleeps = /might sleep in a non-sleepable|sleepable/;

/** Types of which some programs may sleep; uprobes stand for kprobe. */
const maySleep: ReadonlySet<ProgramType> = new Set(['kprobe', 'tracing', 'lsm', 'struct_ops']);

/**
 * The helpers that programs of a type may call, each found by offering the kernel a program that does nothing else: some
 * 30 microseconds for each of about 200. What only the arguments speak against is there.
 */
export function callsOf(type: ProgramType, options: CallOptions = {}): CallsOfType {
  const available = new Set<HelperWord>();
  const whenSleepable = new Set<HelperWord>();
  const open = new Map<HelperWord, string>();
  const forms = formsFor(type);
  if ('available' in forms) return { type, problem: forms, available, whenSleepable, unknown: open };
  const trials = new Trials();
  const lacks = lacksFor(type);
  for (const helper of knownHelpers) {
    if (logged.has(helper) && options.full !== true) {
      open.set(helper, notTried);
      continue;
    }
    const answer = callable(trials, type, forms, helper);
    if (answer === 'yes') available.add(helper);
    else if (answer === 'when-sleepable') whenSleepable.add(helper);
    else if (answer === 'barred') open.set(helper, barred(loadTask(type)).reason);
    // Some helpers are hidden from users without the right to look into the kernel: a no of the kernel is none then.
    else if (lacks !== undefined) open.set(helper, lacks);
  }
  return { type, problem: undefined, available, whenSleepable, unknown: open };
}

/** Whether programs of a type may call a helper. */
export function callAvailable(type: ProgramType, helper: HelperWord, sleepable: boolean): Availability {
  const forms = formsFor(type);
  if ('available' in forms) return forms;
  const answer = callable(new Trials(), type, forms, helper);
  if (answer === 'yes' || (answer === 'when-sleepable' && sleepable)) return present(helperSince(helper));
  if (answer === 'when-sleepable') return no(`only programs that may sleep can call bpf_${helper}`);
  if (answer === 'barred') return barred(loadTask(type));
  const lacks = lacksFor(type);
  if (lacks !== undefined) return unknown(lacks);
  const { reason } = absent(helperSince(helper));
  const hasIt = reason.startsWith('it came');
  return no(hasIt ? reason : `programs of type ${type} cannot call it on this kernel`);
}

function formsFor(type: ProgramType): readonly ProgramForm[] | Availability {
  if (type === 'ext') return unknown('it may call what the function that it replaces may');
  return programForms(type);
}

type Answer = 'yes' | 'when-sleepable' | 'barred' | 'no';

/** The best answer that one of the ways to load such a program gets. */
function callable(
  trials: Trials,
  type: ProgramType,
  forms: readonly ProgramForm[],
  helper: HelperWord,
): Answer {
  const program = code(call(helperNumber(helper)), exit);
  const answers = new Set(forms.map((form) => callableIn(trials, type, form, program)));
  return (['yes', 'when-sleepable', 'barred'] as const).find((each) => answers.has(each)) ?? 'no';
}

function callableIn(trials: Trials, type: ProgramType, form: ProgramForm, program: Uint8Array): Answer {
  const answer = answerOf(type, trials.load(form.number, program, form.values));
  if (answer !== 'no' || !maySleep.has(type)) return answer;
  const asleep = trials.load(form.number, program, { ...form.values, prog_flags: uapi.BPF_F_SLEEPABLE });
  if (asleep.errno === undefined) return 'when-sleepable';
  // A kernel that lets no such program sleep says so in place of looking at the helper.
  return asleep.log === '' || sleeps.test(asleep.log) || denials.test(asleep.log) ? 'no' : 'when-sleepable';
}

function answerOf(type: ProgramType, { errno, log }: Trial): Answer {
  if (errno === undefined) return 'yes';
  if (log === '') return errno === 'EPERM' || errno === 'EACCES' ? 'barred' : 'no';
  if (denials.test(log) || /might sleep in a non-sleepable/.test(log)) return 'no';
  // Programs of the other types are attached to nothing that could allow it.
  if (elsewhere.test(log) && type !== 'tracing' && type !== 'lsm') return 'no';
  return 'yes';
}

/** A helper, and the types of programs that may call it. */
export interface HelperFeature extends Feature<HelperWord> {
  readonly types: readonly ProgramType[];
  /** Types of which only programs that may sleep can call it. */
  readonly whenSleepable: readonly ProgramType[];
}

/** The same the other way round: every helper of Linux with the types of programs that may call it. */
export function helpersByName(calls: readonly CallsOfType[]): HelperFeature[] {
  return knownHelpers.map((name) => {
    const types = calls.filter(({ available }) => available.has(name)).map(({ type }) => type);
    const whenSleepable = calls.filter((each) => each.whenSleepable.has(name)).map(({ type }) => type);
    const since = helperSince(name);
    return {
      name,
      since,
      types,
      whenSleepable,
      ...anywhere(name, types.length + whenSleepable.length, calls),
    };
  });
}

function anywhere(name: HelperWord, count: number, calls: readonly CallsOfType[]): Availability {
  const since = helperSince(name);
  if (count > 0) return present(since);
  for (const { type, unknown: open, problem } of calls) {
    // It may call what another type may, which has its own row.
    if (type === 'ext') continue;
    const reason = open.get(name) ?? (problem?.available === null ? problem.reason : undefined);
    if (reason !== undefined) return unknown(reason);
  }
  const { reason } = absent(since);
  return no(reason.startsWith('it came') ? reason : 'no type of program that this kernel takes may call it');
}
