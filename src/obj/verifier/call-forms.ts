/** Refusals of calls: helpers, their arguments, lengths, locks, references, the licence. */
import type { Finding, Form, Scene } from './explanation.js';
import { numberRange } from './register-words.js';

const helperName = (scene: Scene, fallback = 'a function'): string =>
  scene.helper === undefined ? fallback : `${scene.helper}()`;

const lengthMend =
  'bound it on both sides before the call: if (length == 0 || length > sizeof(buffer)) return …; with an unsigned length';

const length: Form = {
  pattern:
    /(?:R(\d+) )?(?:(unbounded memory access, use)|(min value is negative, either use unsigned or)|invalid zero-sized read)/,
  find([, number, unbounded, negative], scene) {
    const register = scene.register(number);
    const range = register === undefined ? undefined : numberRange(register);
    const mayBeLarge = range?.largest !== undefined && range.largest >= 0xffff_ffffn;
    const problem =
      negative !== undefined
        ? 'may be negative'
        : unbounded !== undefined || mayBeLarge
          ? 'has no upper bound'
          : 'may be 0';
    return {
      rule: 'unbounded-length',
      message: `${helperName(scene)} is given a length that ${problem}`,
      mend: lengthMend,
      registers: number === undefined ? possiblyEmpty(scene) : [`R${number}`],
    };
  },
};

/** Kernels before 6.3 do not name the register of a length that may be 0. */
function possiblyEmpty({ log }: Scene): string[] {
  return ['R2', 'R3', 'R4', 'R5'].filter((name) => {
    const register = log.registers.get(name);
    return (
      register?.type === 'scalar' && !register.fields.has('value') && numberRange(register).smallest === 0n
    );
  });
}

const typeWords: Readonly<Record<string, string>> = {
  fp: 'a pointer to the stack',
  ctx: "the program's context",
  pkt: 'a packet pointer',
  pkt_meta: "a pointer to the packet's metadata",
  pkt_end: "the packet's end",
  map_ptr: 'a map',
  const_map_ptr: 'a map',
  map_key: 'a pointer to a map key',
  map_value: 'a pointer to a map value',
  mem: 'a pointer to memory',
  alloc_mem: 'a ring buffer record',
  ringbuf_mem: 'a ring buffer record',
  scalar: 'a number',
  inv: 'a number',
  sock: 'a socket',
  sock_common: 'a socket',
  tcp_sock: 'a socket',
};

function kindWords(type: string): string {
  return typeWords[type] ?? (/^(scalar|inv)/.test(type) ? 'a number' : `'${type}'`);
}

const argumentType: Form = {
  pattern: /R(\d+) type=(\S+) expected=(.+)/,
  find([, number, type = '', expected = ''], scene) {
    const wanted = [
      ...new Set(
        expected
          .split(/,\s*/)
          .map((each) => each.trim())
          .filter((each) => each !== ''),
      ),
    ];
    const shown = [...new Set(wanted.slice(0, 3).map(kindWords))];
    const memory = wanted.includes('fp') && wanted.length > 2;
    return {
      rule: 'helper-argument',
      message: `${helperName(scene)} is given ${kindWords(type)} as argument ${number}, and wants ${memory ? 'a pointer to memory that the program may read' : shown.join(' or ')}`,
      mend: memory
        ? 'put the value into a variable and give its address: &key'
        : `look at the declaration of ${helperName(scene, 'the helper')} in bpf_helper_defs.h: argument ${number} has to be ${shown.join(' or ')} itself, not a copy and not something calculated from it`,
      registers: [`R${number}`],
    };
  },
};

const packetArgument: Form = {
  pattern: /helper access to the packet is not allowed/,
  find: (_, scene) => ({
    rule: 'helper-argument',
    message: `${helperName(scene)} is given a packet pointer, which it does not take`,
    mend: `give it what its declaration asks for, such as the program's context itself; what stands in the packet is copied into a variable first`,
    registers: ['R1', 'R2', 'R3', 'R4', 'R5'].filter((each) => scene.log.registers.get(each)?.type === 'pkt'),
  }),
};

const otherArguments: Form = {
  pattern:
    /R(\d+) (?:(?:is not|must be) a (?:known constant|const)|unbounded size, use)|cannot pass map_type (\d+) into func (\w+)|R(\d+) must (?:have zero offset|be referenced|be a rcu pointer)|arg#?\s?(\d+) |R(\d+) is of type|(?:expected an? |Expected an? )(?:un)?initialized|R(\d+) doesn't point to|R(\d+) is not a (?:pointer|scalar|const)|[Cc]aller passes invalid args|R(\d+) has no valid|R(\d+) expected |R(\d+) invalid map_|map_ptr|tail_call abusing|R(\d+) must point to|(?:arg \d+ is an unacquired reference)|reference has not been acquired before|release (?:helper|kfunc) \S+ expects (?:an? )?referenced \S+ passed to R(\d+)|Unsupported reg type/,
  find(match, scene): Finding {
    const [whole, constant, mapType, mapHelper] = match;
    const name = mapHelper === undefined ? helperName(scene) : `${mapHelper}()`;
    if (mapType !== undefined) {
      return {
        rule: 'helper-argument',
        message: `${name} does not work on a map of this type (${mapTypeWord(Number(mapType))})`,
        mend: `give it a map of a type that it is made for: the description of ${name} in bpf_helper_defs.h names them`,
        registers: ['R1', 'R2'].filter((each) => scene.log.registers.get(each)?.type === 'map_ptr'),
      };
    }
    if (constant !== undefined) {
      return {
        rule: 'helper-argument',
        message: `${name} is given a value as argument ${constant} that is not known when the program is loaded`,
        mend: 'give it a constant, such as sizeof(*record); for records of several sizes bpf_ringbuf_output() or bpf_dynptr_from_mem()',
        registers: [`R${constant}`],
      };
    }
    const number = match.slice(4).find((each) => each !== undefined);
    return {
      rule: 'helper-argument',
      message: `${name} is given an argument that it does not take: ${scene.log.reason || whole}`,
      mend: `look at the declaration of ${name}: what it takes has to come from where it says`,
      registers: number === undefined || !/\bR\d/.test(whole) ? [] : [`R${number}`],
    };
  },
};

/** The commonest of enum bpf_map_type (linux/bpf.h); others stay numbers. */
const mapTypes = [
  'unspec',
  'hash',
  'array',
  'prog_array',
  'perf_event_array',
  'percpu_hash',
  'percpu_array',
  'stack_trace',
  'cgroup_array',
  'lru_hash',
  'lru_percpu_hash',
  'lpm_trie',
  'array_of_maps',
  'hash_of_maps',
  'devmap',
  'sockmap',
  'cpumap',
  'xskmap',
  'sockhash',
];

function mapTypeWord(type: number): string {
  return mapTypes[type] ?? `type ${type}`;
}

const notAllowed: Form = {
  pattern:
    /^(?:unknown func (\w+)|program of this type cannot use helper (\w+)|helper call is not allowed|calling kernel function (\w+) is not allowed|invalid func |(?:sleepable helper|helper call might sleep|program must be sleepable)|kernel function (\w+) .*not allowed|tail_calls are not allowed in)/m,
  find(match, scene) {
    const name = match.slice(1).find((each) => each !== undefined) ?? scene.helper ?? 'this helper';
    const type = scene.context.programType;
    const sleeps = /sleep/.test(match[0]);
    return {
      rule: 'helper-not-allowed',
      message: sleeps
        ? `${name}() may sleep, and a program of type ${type} may not here`
        : `${name}() is not there for programs of type ${type}, or not in this kernel`,
      mend: sleeps
        ? 'make the program sleepable (SEC("….s/…")), or take a helper that does not sleep'
        : 'take a helper for this program type, or do this part in a program of a type that has it; `netkit feature` lists the helpers of each type',
    };
  },
};

const gpl: Form = {
  pattern: /^cannot call (?:GPL|kernel function from non-GPL|\w+ from non-GPL)|requires GPL/m,
  find: (_match, scene) => ({
    rule: 'gpl-only',
    message: `${helperName(scene)} is only there for programs under a licence that is compatible with the GPL`,
    mend: 'say so when it is true: char LICENSE[] SEC("license") = "GPL" (or "Dual BSD/GPL", "Dual MIT/GPL"); else do without this helper',
  }),
};

const unreleased: Form = {
  pattern: /Unreleased reference id=(\d+) alloc_insn=(\d+)/,
  find([, , at], { log }) {
    const taken = log.steps.findLast(({ index }) => index === Number(at));
    const name = /^call (\w+)/.exec(taken?.text ?? '')?.[1];
    return {
      rule: 'reference-leak',
      message: `what ${name === undefined ? 'was acquired here' : `${name}() gives`} is not given back on every way`,
      mend: `before each return: ${releases.find(([acquire]) => acquire.test(name ?? ''))?.[1] ?? 'call the function that releases it'}, once it is not null`,
      at: Number(at),
      related: endOf(log, 'here a way ends without giving it back'),
    };
  },
};

const releases: readonly (readonly [RegExp, string])[] = [
  [/sk_lookup|skc_lookup/, 'bpf_sk_release(sk)'],
  [/ringbuf_reserve_dynptr/, 'bpf_ringbuf_submit_dynptr() or bpf_ringbuf_discard_dynptr()'],
  [/ringbuf_reserve/, 'bpf_ringbuf_submit(record, 0) or bpf_ringbuf_discard(record, 0)'],
  [/task/, 'bpf_task_release(task)'],
  [/cgroup/, 'bpf_cgroup_release(cgroup)'],
  [/ct_/, 'bpf_ct_release(ct)'],
  [/iter_num/, 'bpf_iter_num_destroy(&it)'],
  [/obj_new/, 'bpf_obj_drop(object)'],
  [/cpumask/, 'bpf_cpumask_release(mask)'],
];

function endOf(log: Scene['log'], about: string): { at: number; about: string }[] {
  const last = log.steps.at(-1);
  return last === undefined ? [] : [{ at: last.index, about }];
}

const lockMend =
  'between bpf_spin_lock() and bpf_spin_unlock() there are reads and writes alone, and every way from the one leads through the other';

const missingUnlock: Form = {
  pattern:
    /spin_(?:lock|unlock).*missing|cannot be used inside bpf_spin_lock-ed region|bpf_spin_unlock is missing|cannot be used inside.*lock.*region/,
  find([whole], { log }) {
    if (/rcu_read_lock|preempt|irq/.test(whole)) return undefined;
    const lock = log.steps.findLast(({ text }) => /^call bpf_(?:res_)?spin_lock/.test(text));
    return {
      rule: 'spin-lock',
      message: 'a lock that is taken here is not released on every way',
      mend: 'call bpf_spin_unlock() before each return; there may be no return, tail call or call of another function while it is held',
      at: lock?.index,
      related: endOf(log, 'here a way ends with the lock held'),
    };
  },
};

const lock: Form = {
  pattern:
    /^(function calls are not allowed while holding a lock|Locking two bpf_spin_locks|bpf_(?:res_)?spin_unlock (?:without|of different)|.*bpf_spin_lock cannot be accessed directly|(?:tracing|socket filter|sleepable) progs cannot use bpf_spin_lock|.*has to have BTF in order to use bpf_spin_lock|.*has no valid bpf_spin_lock|.*doesn't point to 'struct bpf_spin_lock'|.*spin_lock.*)/m,
  find([, sentence = ''], scene) {
    const unlocking = /unlock$/.test(scene.helper ?? '');
    const at = /progs cannot use/.test(sentence) ? firstCallOf(scene, 'bpf_spin_lock') : undefined;
    const relocks = /^Locking two/.test(sentence) || /^bpf_spin_lock/.test(scene.helper ?? '');
    const message = sentence.startsWith('function calls')
      ? relocks
        ? 'a second lock is taken while one is held'
        : `${scene.helper === undefined ? 'a function' : `${scene.helper}()`} is called while a lock is held`
      : sentence.startsWith('Locking two')
        ? 'a second lock is taken while one is held'
        : unlocking && /without/.test(sentence)
          ? 'a lock is released that was not taken on this way'
          : /directly/.test(sentence)
            ? 'a lock is read or written as if it were data, perhaps because the whole value is copied'
            : /progs cannot use/.test(sentence)
              ? `programs of type ${scene.context.programType} may not use bpf_spin_lock()`
              : sentence;
    const mend = sentence.startsWith('function calls')
      ? 'do what needs a call before bpf_spin_lock() or after bpf_spin_unlock(), and keep the result in a variable'
      : /directly/.test(sentence)
        ? 'read and write the other members one by one; the lock itself only through bpf_spin_lock() and bpf_spin_unlock()'
        : /progs cannot use/.test(sentence)
          ? 'use atomic additions (__sync_fetch_and_add) or a per-CPU map instead of a lock'
          : lockMend;
    return { rule: 'spin-lock', message, mend, at };
  },
};

/** For what the kernel refuses before it looks at the instructions. */
function firstCallOf({ context }: Scene, helper: string): number | undefined {
  return context.functions.flatMap(({ helpers }) => helpers).find(({ name }) => name === helper)?.at;
}

export const callForms: readonly Form[] = [gpl, unreleased, missingUnlock, lock, length, notAllowed];
export const argumentForms: readonly Form[] = [
  argumentType,
  {
    pattern: /would lead to reference leak|[Uu]nreleased reference|reference leak/,
    find: () => ({
      rule: 'reference-leak',
      message: 'something that was acquired is not given back on every way',
      mend: 'release it before each return, once it is not null',
    }),
  },
  packetArgument,
  otherArguments,
];
