import { describe, expect, it } from 'vitest';
import { explain } from '../../../../src/obj/verifier/explain.js';
import { registerWords } from '../../../../src/obj/verifier/register-words.js';
import { readRegister } from '../../../../src/obj/verifier/registers.js';

/** The refused instruction, the verifier's sentence in one of its versions, and the rule. */
const forms: readonly (readonly [text: string, verdict: string, rule: string])[] = [
  ['r1 = *(u8 *)(r2 +0)', "R2 invalid mem access 'inv'", 'scalar-as-pointer'],
  ['call bpf_skb_load_bytes#26', 'R3 min value is outside of stack bound', 'stack-bounds'],
  ['call bpf_skb_load_bytes#26', 'invalid stack type R3 off=-8 access_size=64', 'stack-bounds'],
  ['call bpf_skb_load_bytes#26', 'invalid stack type R3 off=-8 access_size=0', 'unbounded-length'],
  [
    'call bpf_skb_load_bytes#26',
    'invalid indirect read from stack R3 off -8+0 size 8',
    'stack-uninitialised',
  ],
  ['call bpf_skb_load_bytes#26', 'invalid indirect read from stack off -8+0 size 8', 'stack-uninitialised'],
  ['r1 = *(u64 *)(r10 -8)', 'invalid read from stack off -8+0 size 8', 'stack-uninitialised'],
  ['r1 = *(u64 *)(r10 -8)', 'invalid stack off=0 size=8', 'stack-bounds'],
  ['*(u64 *)(r10 -600) = r1', 'invalid stack off=-600 size=8', 'stack-limit'],
  [
    'r1 = *(u64 *)(r2 -8)',
    'variable stack access var_off=(0xfffffffffffffff8; 0x4) off=-8 size=1',
    'stack-bounds',
  ],
  [
    'r1 = *(u64 *)(r2 -8)',
    'R2 variable stack access prohibited for !root, var_off=(0x0; 0x7) off=-16',
    'stack-bounds',
  ],
  [
    'r1 = *(u64 *)(r2 -8)',
    'R2 stack pointer arithmetic goes out of range, prohibited for !root',
    'stack-bounds',
  ],
  ['exit', 'R0 leaks addr as return value', 'return-value'],
  [
    'exit',
    'At async callback the register R0 has unknown scalar value should have been in (0x0; 0x0)',
    'return-value',
  ],
  ['exit', 'At callback return the register R0 has smin=2 smax=2 should have been in [0, 1]', 'return-value'],
  [
    'exit',
    'At program exit the register R0 has unknown scalar value should have been in [0, 1]',
    'return-value',
  ],
  [
    'exit',
    'At program exit the register R0 has smin=-4096 smax=1 should have been in [-4095, 0]',
    'return-value',
  ],
  ['exit', 'Unreleased reference id=3 alloc_insn=0\narg 1 is an unacquired reference', 'reference-leak'],
  [
    'call bpf_sk_release#86',
    'release helper bpf_sk_release expects referenced PTR_TO_BTF_ID passed to R1',
    'helper-argument',
  ],
  ['call bpf_tail_call#12', 'tail_call would lead to reference leak', 'reference-leak'],
  ['exit', 'bpf_spin_unlock is missing', 'spin-lock'],
  ['call bpf_spin_lock#93', 'Locking two bpf_spin_locks are not allowed', 'spin-lock'],
  ['call bpf_spin_lock#93', "map 'x' has no valid bpf_spin_lock", 'spin-lock'],
  ['call bpf_spin_lock#93', "map 'x' has to have BTF in order to use bpf_spin_lock", 'spin-lock'],
  [
    'call bpf_spin_lock#93',
    "R1 doesn't have constant offset. bpf_spin_lock has to be at the constant offset",
    'spin-lock',
  ],
  ['call bpf_spin_lock#93', "off 4 doesn't point to 'struct bpf_spin_lock' that is at 0", 'spin-lock'],
  ['call pc+3', 'function calls are not allowed while holding a lock', 'spin-lock'],
  ['call bpf_tail_call#12', 'tail_call cannot be used inside bpf_spin_lock-ed region', 'spin-lock'],
  ['call bpf_x#12', 'cannot call GPL-restricted function from non-GPL compatible program', 'gpl-only'],
  ['call bpf_x#12', 'cannot call GPL only function from proprietary program', 'gpl-only'],
  ['call bpf_x#12', 'cannot call kernel function from non-GPL compatible program', 'gpl-only'],
  ['call bpf_x#12', 'unknown func bpf_x#12', 'helper-not-allowed'],
  ['call bpf_x#12', 'invalid func bpf_x#1200', 'helper-not-allowed'],
  ['call bpf_x#12', 'helper call is not allowed in probe', 'helper-not-allowed'],
  ['call bpf_x#12', 'calling kernel function bpf_ct_release is not allowed', 'helper-not-allowed'],
  ['call bpf_x#12', 'program must be sleepable to call sleepable kfunc bpf_x', 'helper-not-allowed'],
  ['call bpf_x#12', 'sleepable helper bpf_x#12 in rcu_read_lock region', 'helper-not-allowed'],
  ['call bpf_x#12', 'helper call might sleep in a non-sleepable prog', 'helper-not-allowed'],
  ['call bpf_x#12', 'kernel func bpf_x requires GPL license', 'gpl-only'],
  ['call bpf_x#12', 'R2 type=scalar expected=fp', 'helper-argument'],
  ['call bpf_x#12', 'cannot pass map_type 1 into func bpf_x#12', 'helper-argument'],
  ['call bpf_x#12', 'arg#0 expected pointer to ctx, but got fp', 'helper-argument'],
  ['call bpf_x#12', 'R1 is of type ctx but bpf_sock is expected', 'helper-argument'],
  ['call bpf_x#12', 'R1 is of type task_struct but file is expected', 'helper-argument'],
  ['call bpf_x#12', 'Expected an initialized dynptr as arg #1', 'helper-argument'],
  ['call bpf_x#12', 'Expected an initialized dynptr as arg #0', 'helper-argument'],
  ['call bpf_x#12', 'R4 must be a known constant', 'helper-argument'],
  [
    'call bpf_x#12',
    'arg#0 pointer type STRUCT sk_buff must point to scalar, or struct with scalar',
    'helper-argument',
  ],
  ['call bpf_x#12', 'R1 must be referenced or trusted', 'helper-argument'],
  ['call bpf_x#12', 'Possibly NULL pointer passed to trusted arg0', 'null-pointer'],
  ['call bpf_x#12', 'Possibly NULL pointer passed to helper arg2', 'null-pointer'],
  ['call pc+4', "Caller passes invalid args into func#1 ('foo')", 'helper-argument'],
  ['call pc+4', 'arg#0 expected pointer to ctx, but got scalar', 'helper-argument'],
  ['r1 = *(u64 *)(r2 +0)', "R2 invalid mem access 'ptr_or_null_'", 'null-pointer'],
  ['r1 = *(u64 *)(r2 +0)', "R2 invalid mem access 'rcu_ptr_or_null_'", 'null-pointer'],
  ['r1 = *(u64 *)(r2 +0)', "R2 invalid mem access 'mem_or_null'", 'null-pointer'],
  ['r1 = *(u64 *)(r2 +0)', 'R2 is ptr_task_struct invalid negative access: off=-4', 'context-access'],
  ['r1 = *(u64 *)(r2 +0)', 'access beyond struct task_struct at off 20000 size 8', 'context-access'],
  ['r1 = *(u64 *)(r2 +0)', "func 'bpf_fentry_test1' doesn't have 3-th argument", 'context-access'],
  ['*(u64 *)(r2 +0) = r1', 'BPF_ST stores into R1 ctx is not allowed', 'context-access'],
  ['*(u64 *)(r2 +0) = r1', 'only read is supported', 'read-only'],
  ['*(u64 *)(r2 +0) = r1', 'R2 cannot write into rdonly_mem', 'read-only'],
  ['*(u64 *)(r2 +0) = r1', 'cannot write into packet', 'read-only'],
  ['*(u64 *)(r2 +0) = r1', 'frame pointer is read only', 'read-only'],
  ['r1 <<= 2', 'R1 pointer arithmetic with <<= operator prohibited', 'pointer-arithmetic'],
  ['r1 += r2', 'R1 pointer += pointer prohibited', 'pointer-arithmetic'],
  ['r1 += r2', 'R1 pointer arithmetic prohibited', 'pointer-arithmetic'],
  ['r1 += r2', 'value -2147483649 makes pkt pointer be out of bounds', 'pointer-arithmetic'],
  ['r1 += r2', 'pkt pointer offset -1 is not allowed', 'pointer-arithmetic'],
  ['r1 += r2', 'map_value pointer offset 1073741822 is not allowed', 'pointer-arithmetic'],
  ['if r1 > r2 goto pc+1', 'R1 pointer comparison prohibited', 'pointer-arithmetic'],
  ['w1 += w2', 'R1 32-bit pointer arithmetic prohibited', 'pointer-arithmetic'],
  [
    'r1 += r2',
    'R1 has unknown scalar with mixed signed bounds, pointer arithmetic with it prohibited for !root',
    'pointer-arithmetic',
  ],
  ['goto pc-1', 'back-edge from insn 2 to 0', 'endless-loop'],
  ['goto pc-1', 'BPF program is too large. Processed 1000001 insn', 'too-complex'],
  ['goto pc-1', 'The sequence of 8193 jumps is too complex.', 'too-complex'],
  ['r1 = *(u64 *)(r2 +0)', 'R2 max value is outside of the array range', 'map-value-bounds'],
  [
    'r1 = *(u64 *)(r2 +0)',
    'invalid access to map value, value_size=8 off=8 size=8\nR2 max value is outside of the allowed memory range',
    'map-value-bounds',
  ],
  [
    'r1 = *(u64 *)(r2 +0)',
    'R2 unbounded memory access, make sure to bounds check any such access',
    'map-value-bounds',
  ],
  ['r1 = *(u64 *)(r2 +0)', 'invalid access to map key, key_size=4 off=4 size=4', 'map-value-bounds'],
  ['call bpf_x#1', 'R2 invalid zero-sized read', 'unbounded-length'],
  [
    'call bpf_x#1',
    "R2 unbounded memory access, use 'var &= const' or 'if (var < const)'",
    'unbounded-length',
  ],
  ['call bpf_x#1', "R3 min value is negative, either use unsigned or 'var &= const'", 'unbounded-length'],
  ['call bpf_x#1', 'combined stack size of 2 calls is 576. Too large', 'stack-limit'],
  ['call bpf_x#1', 'the call stack of 9 frames is too deep !', 'stack-limit'],
  [
    'call bpf_x#1',
    'tail_calls are not allowed when call stack of previous frames is 512 bytes. Too large',
    'stack-limit',
  ],
  ['call bpf_x#1', 'Private stack size 600 too large', 'stack-limit'],
  [
    'r1 = *(u64 *)(r2 +0)',
    'invalid access to packet, off=0 size=8, R2(id=1,off=0,r=0)\nR2 offset is outside of the packet',
    'packet-bounds',
  ],
  [
    'r1 = *(u64 *)(r2 +0)',
    'invalid access to packet, off=0 size=8, R2(id=1,off=0,r=-2)\nR2 offset is outside of the packet',
    'packet-bounds',
  ],
  ['call bpf_x#1', 'R2 !read_ok', 'register-uninitialised'],
  ['r1 = *(u64 *)(r2 +0)', "R2 invalid mem access 'fp'", 'none'],
  ['exit', 'unreachable insn 5', 'none'],
];

const context = { programType: 'xdp', functions: [], line: () => undefined };

describe('a sentence of the verifier', () => {
  it.each(forms)('on «%s»: %s', (text, verdict, rule) => {
    const explanation = explain(
      `0: R1=ctx() R10=fp0\n0: (79) ${text}\n${verdict}\nprocessed 1 insns\n`,
      context,
    );
    expect(explanation?.rule ?? 'none').toBe(rule);
    if (explanation !== undefined)
      expect(`${explanation.message} ${explanation.mend}`).not.toMatch(/undefined|NaN/);
  });
});

describe('a register in words', () => {
  it.each([
    ['inv(id=0)', 'R3 is a number of which nothing is known'],
    ['scalar()', 'R3 is a number of which nothing is known'],
    ['inv7', 'R3 is the number 7'],
    ['invP0', 'R3 is the number 0'],
    ['P0', 'R3 is the number 0'],
    ['0xffffffff', 'R3 is the number 4294967295'],
    ['-1', 'R3 is the number -1'],
    ['inv(id=0,umax_value=64,var_off=(0x0; 0x7f))', 'R3 is a number from 0 to 64'],
    ['scalar(id=2,smin=-8,smax=64)', 'R3 is a number from -8 to 64'],
    ['scalar(umin=3)', 'R3 is a number of at least 3'],
    ['scalar(smax=7)', 'R3 is a number of up to 7, and perhaps negative'],
    ['pkt(id=0,off=14,r=20,imm=0)', 'R3 is a packet pointer 14 bytes into the packet with 20 bytes checked'],
    ['pkt(r=0xfffffffffffffffe)', 'R3 is a packet pointer with 0 bytes checked'],
    ['pkt_end(id=0,off=0,imm=0)', "R3 is the packet's end (data_end)"],
    ['fp-8', 'R3 is a pointer into the stack, 8 bytes below its top'],
    [
      'map_value(id=0,off=8,ks=4,vs=16,imm=0)',
      'R3 is a pointer to a value of a map (16 bytes), moved by 8 bytes',
    ],
    [
      'map_value_or_null(id=1,map=m,ks=4,vs=8)',
      'R3 is a pointer to a value of the map m (8 bytes), or null: it has not been compared with it',
    ],
    ['map_ptr(map=m,ks=4,vs=8)', 'R3 is the map m'],
    ['sock_or_null(id=2,ref_obj_id=2)', 'R3 is a socket, or null: it has not been compared with it'],
    ['trusted_ptr_task_struct()', "R3 is a pointer to a kernel's struct task_struct"],
    ['rcu_ptr_or_null_cgroup(id=1)', "R3 is a pointer to a kernel's struct cgroup, or null"],
    ['something_new(x=1)', "R3 is what the kernel calls 'something_new'"],
  ])('%s', (state, words) => {
    expect(registerWords(readRegister('R3', state))).toBe(words);
  });
});
