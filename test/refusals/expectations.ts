import type { Capability } from '../../src/host/capabilities.js';

/** The rules that a refusal can break, in the words of the interface. */
export const rules = [
  'packet-bounds',
  'null-pointer',
  'map-value-bounds',
  'stack-uninitialised',
  'stack-bounds',
  'stack-limit',
  'register-uninitialised',
  'scalar-as-pointer',
  'endless-loop',
  'too-complex',
  'helper-not-allowed',
  'helper-argument',
  'context-access',
  'return-value',
  'pointer-arithmetic',
  'reference-leak',
  'spin-lock',
  'unbounded-length',
  'read-only',
  'gpl-only',
] as const;

export type Rule = (typeof rules)[number];

/** A Linux version, as [major, minor]. */
type Version = readonly [number, number];

/** What the kernel says of a program, from that one of the tested kernels on. It stands in the log whatever explains it. */
type Says = readonly [since: Version, fragment: RegExp];

/** What is to be seen when one of the programs beside this file is loaded. Its lines marked HERE are those to name. */
export interface Expectation {
  readonly rule: Rule;
  /** The program is `NAME.bpf.c`. */
  readonly name: string;
  /** In order: the last one that is not younger than the kernel counts. */
  readonly says: readonly Says[];
  /** With these capabilities the kernel accepts it, and without refuses it. */
  readonly allowedBy?: AllowedBy;
}

interface AllowedBy {
  readonly capabilities: readonly Capability[];
  readonly why: string;
}

const always = (fragment: RegExp): Says[] => [[[5, 10], fragment]];

/** Linux 6.3 brought it, and the later releases of 5.10 and 6.1 have it too. CAP_SYS_ADMIN stands in for CAP_PERFMON. */
const readsStack: AllowedBy = {
  capabilities: ['perfmon', 'sys_admin'],
  why: 'whoever may see kernel memory may read stack that was never written',
};

type Variant = Omit<Expectation, 'rule' | 'name'>;

const variants: Record<Rule, readonly [Variant, Variant, Variant]> = {
  'packet-bounds': [
    { says: always(/invalid access to packet, off=23 size=1,/) },
    { says: always(/invalid access to packet, off=\d+ size=2,/) },
    { says: always(/invalid access to packet, off=54 size=1,/) },
  ],
  'null-pointer': [
    { says: always(/R\d invalid mem access 'map_value_or_null'/) },
    { says: always(/R\d invalid mem access 'sock_or_null'/) },
    { says: always(/R3 type=map_value_or_null expected=/) },
  ],
  'map-value-bounds': [
    { says: always(/invalid access to map value, value_size=512 off=2040 size=8/) },
    { says: always(/invalid access to map value, value_size=16 off=16 size=8/) },
    { says: always(/math between map_value pointer and register with unbounded min value is not allowed/) },
  ],
  'stack-uninitialised': [
    {
      says: [
        [[5, 10], /invalid indirect read from stack R2 off -8\+6 size 8/],
        [[6, 18], /invalid read from stack R2 off -8\+6 size 8/],
      ],
      allowedBy: readsStack,
    },
    {
      says: [
        [[5, 10], /invalid indirect read from stack R4 off -32\+1[26] size 32/],
        [[6, 18], /invalid read from stack R4 off -32\+1[26] size 32/],
      ],
      allowedBy: readsStack,
    },
    { says: always(/invalid read from stack off -4\+0 size 4/), allowedBy: readsStack },
  ],
  'stack-bounds': [
    {
      says: [
        [[5, 10], /invalid indirect access to stack R3 off=-16 size=32/],
        [[6, 18], /invalid write to stack R3 off=-16 size=32/],
      ],
    },
    { says: always(/invalid variable-offset read from stack R\d var_off=/) },
    { says: always(/invalid write to stack R\d off=0 size=1/) },
  ],
  'stack-limit': [
    { says: always(/combined stack size of 2 calls is \d+\. Too large/) },
    { says: always(/combined stack size of 3 calls is \d+\. Too large/) },
    {
      says: always(/tail_calls are not allowed when call stack of previous frames is \d+ bytes\. Too large/),
    },
  ],
  'register-uninitialised': [
    { says: always(/R0 !read_ok/) },
    { says: always(/R2 !read_ok/) },
    { says: always(/R4 !read_ok/) },
  ],
  'scalar-as-pointer': [
    { says: always(/R\d invalid mem access '(inv|scalar)'/) },
    { says: always(/R\d invalid mem access '(inv|scalar)'/) },
    { says: always(/R\d invalid mem access '(inv|scalar)'/) },
  ],
  'endless-loop': [
    { says: always(/infinite loop detected at insn \d+/) },
    { says: always(/infinite loop detected at insn \d+/) },
    { says: always(/infinite loop detected at insn \d+/) },
  ],
  'too-complex': [
    { says: always(/The sequence of 8193 jumps is too complex\./) },
    { says: always(/BPF program is too large\. Processed 1000001 insn/) },
    { says: always(/The sequence of 8193 jumps is too complex\./) },
  ],
  'helper-not-allowed': [
    { says: always(/(unknown func|program of this type cannot use helper) bpf_skb_load_bytes#26/) },
    { says: always(/(unknown func|program of this type cannot use helper) bpf_skb_store_bytes#9/) },
    { says: always(/(unknown func|program of this type cannot use helper) bpf_xdp_adjust_head#44/) },
  ],
  'helper-argument': [
    { says: always(/helper access to the packet is not allowed/) },
    { says: always(/cannot pass map_type 1 into func bpf_redirect_map#51/) },
    { says: always(/R1 type=fp expected=ctx/) },
  ],
  'context-access': [
    { says: always(/invalid bpf_context access off=(76|80) size=4/) },
    { says: always(/invalid bpf_context access off=0 size=4/) },
    { says: always(/invalid bpf_context access off=20 size=4/) },
  ],
  'return-value': [
    { says: always(/At program exit the register R0 has .* should have been in /) },
    { says: always(/At program exit the register R0 has .* should have been in /) },
    { says: always(/At program exit the register R0 has .* should have been in /) },
  ],
  'pointer-arithmetic': [
    { says: always(/R\d pointer arithmetic on pkt_end prohibited/) },
    { says: always(/math between pkt pointer and \d+ is not allowed/) },
    { says: always(/R\d pointer \+= pointer prohibited/) },
  ],
  'reference-leak': [
    { says: always(/Unreleased reference id=\d+ alloc_insn=\d+/) },
    { says: always(/Unreleased reference id=\d+ alloc_insn=\d+/) },
    { says: always(/Unreleased reference id=\d+ alloc_insn=\d+/) },
  ],
  'spin-lock': [
    { says: always(/function calls are not allowed while holding a lock/) },
    {
      says: [
        [[5, 10], /bpf_spin_unlock is missing/],
        [[6, 18], /BPF_EXIT instruction in main prog cannot be used inside bpf_spin_lock-ed region/],
      ],
    },
    { says: always(/function calls are not allowed while holding a lock/) },
  ],
  'unbounded-length': [
    { says: always(/R5 unbounded memory access, use 'var &= const' or 'if \(var < const\)'/) },
    { says: always(/R5 min value is negative, either use unsigned or 'var &= const'/) },
    { says: always(/R3 unbounded memory access, use 'var &= const' or 'if \(var < const\)'/) },
  ],
  'read-only': [
    { says: always(/write into map forbidden, value_size=8 off=4 size=4/) },
    { says: always(/write into map forbidden, value_size=16 off=0 size=8/) },
    { says: always(/cannot write into packet/) },
  ],
  'gpl-only': [
    { says: always(/cannot call GPL-restricted function from non-GPL compatible program/) },
    { says: always(/cannot call GPL-restricted function from non-GPL compatible program/) },
    { says: always(/cannot call GPL-restricted function from non-GPL compatible program/) },
  ],
};

/** Three for each rule. */
export const expectations: readonly Expectation[] = rules.flatMap((rule) =>
  variants[rule].map((variant, at) => ({ rule, name: `${rule}-${at + 1}`, ...variant })),
);
