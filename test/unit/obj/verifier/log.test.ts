import { describe, expect, it } from 'vitest';
import { readLog, type VerifierLog } from '../../../../src/obj/verifier/log.js';

interface Read {
  readonly reason: string;
  readonly instruction: number | undefined;
  readonly place: VerifierLog['place'];
}

function read(log: string): Read {
  const { reason, steps, place } = readLog(log);
  return { reason, instruction: steps.at(-1)?.index, place };
}

const summary =
  'processed 9 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0';

/** name, log, what is to be found in it */
const logs: readonly (readonly [string, string, Read])[] = [
  [
    'a packet read of Linux 6.18, with live registers in front and file and line in comments',
    `func#0 @0
Live regs before insn:
      0: .1........ (61) r1 = *(u32 *)(r1 +0)
      1: .1........ (71) r2 = *(u8 *)(r1 +12)
      8: 0......... (95) exit
0: R1=ctx() R10=fp0
; struct ethhdr *eth = (void *)(long)ctx->data; @ oob.bpf.c:9
0: (61) r1 = *(u32 *)(r1 +0)          ; R1=pkt(r=0)
; return eth->h_proto == 0x0008 ? XDP_PASS : XDP_DROP; @ oob.bpf.c:10
1: (71) r2 = *(u8 *)(r1 +12)
invalid access to packet, off=12 size=1, R1(id=0,off=12,r=0)
R1 offset is outside of the packet
verification time 39 usec
stack depth 0
${summary}
`,
    {
      reason: 'invalid access to packet, off=12 size=1, R1(id=0,off=12,r=0)',
      instruction: 1,
      place: {
        file: 'oob.bpf.c',
        line: 10,
        source: 'return eth->h_proto == 0x0008 ? XDP_PASS : XDP_DROP;',
      },
    },
  ],
  [
    'the same of Linux 6.1, whose comments have the source alone',
    `0: R1=ctx(off=0,imm=0) R10=fp0
; struct ethhdr *eth = (void *)(long)ctx->data;
0: (61) r1 = *(u32 *)(r1 +0)          ; R1_w=pkt(off=0,r=0,imm=0)
; return eth->h_proto == 0x0008 ? XDP_PASS : XDP_DROP;
1: (71) r2 = *(u8 *)(r1 +12)
invalid access to packet, off=12 size=1, R1(id=0,off=12,r=0)
R1 offset is outside of the packet
${summary}
`,
    {
      reason: 'invalid access to packet, off=12 size=1, R1(id=0,off=12,r=0)',
      instruction: 1,
      place: undefined,
    },
  ],
  [
    'the same of Linux 5.10, with states between the instructions',
    `0: R1=ctx(id=0,off=0,imm=0) R10=fp0
0: (61) r1 = *(u32 *)(r1 +0)
1: R1_w=pkt(id=0,off=0,r=0,imm=0) R10=fp0
1: (71) r2 = *(u8 *)(r1 +12)
invalid access to packet, off=12 size=1, R1(id=0,off=12,r=0)
R1 offset is outside of the packet
${summary}
`,
    {
      reason: 'invalid access to packet, off=12 size=1, R1(id=0,off=12,r=0)',
      instruction: 1,
      place: undefined,
    },
  ],
  [
    'a refusal inside of a function that another one calls',
    `0: R1=ctx() R10=fp0
; return peek(ctx, sum); @ deep.bpf.c:19
4: (85) call pc+7
caller:
 R6=ctx() R10=fp0
callee:
 frame1: R1=ctx() R2=scalar(id=1) R10=fp0
12: frame1: R1=ctx() R2=scalar(id=1) R10=fp0
; return data[at & 63]; @ deep.bpf.c:6
12: (57) r2 &= 63                     ; frame1: R2=scalar(smin=smin32=0,smax=umax=63,var_off=(0x0; 0x3f))
15: (71) r0 = *(u8 *)(r1 +0)
invalid access to packet, off=0 size=1, R1(id=2,off=0,r=0)
R1 offset is outside of the packet
${summary}
`,
    {
      reason: 'invalid access to packet, off=0 size=1, R1(id=2,off=0,r=0)',
      instruction: 15,
      place: { file: 'deep.bpf.c', line: 6, source: 'return data[at & 63];' },
    },
  ],
  [
    'an endless loop, whose verdict is on the line of the jump',
    `2: (61) r1 = *(u32 *)(r10 -4)         ; R1=1 R10=fp0 fp-8=mmmm????
8: (65) if r1 s> 0xffffffff goto pc-7 infinite loop detected at insn 2
cur state: R1=scalar(smin=smin32=0,smax=umax=umax32=0x7fffffff,var_off=(0x0; 0x7fffffff)) R10=fp0 fp-8=mmmm????
old state: R1=scalar(smin=smin32=0,smax=umax=umax32=0x7fffffff,var_off=(0x0; 0x7fffffff)) R10=fp0 fp-8=mmmm????
${summary}
`,
    { reason: 'infinite loop detected at insn 2', instruction: 8, place: undefined },
  ],
  [
    'an endless loop of an older kernel, on a line of its own',
    `2: (05) goto pc-1
infinite loop detected at insn 2
${summary}
`,
    { reason: 'infinite loop detected at insn 2', instruction: 2, place: undefined },
  ],
  [
    'an argument of the wrong type, which begins like a state',
    `3: (85) call bpf_probe_read_kernel#113
R1 type=scalar expected=fp, pkt, pkt_meta, map_key, map_value, mem, ringbuf_mem, buf, trusted_ptr_
${summary}
`,
    {
      reason:
        'R1 type=scalar expected=fp, pkt, pkt_meta, map_key, map_value, mem, ringbuf_mem, buf, trusted_ptr_',
      instruction: 3,
      place: undefined,
    },
  ],
  [
    'a map value that may be null',
    `; return *v; @ null.bpf.c:12
7: (79) r0 = *(u64 *)(r0 +0)
R0 invalid mem access 'map_value_or_null'
${summary}
`,
    {
      reason: "R0 invalid mem access 'map_value_or_null'",
      instruction: 7,
      place: { file: 'null.bpf.c', line: 12, source: 'return *v;' },
    },
  ],
  [
    'a map value read beyond its end, said twice',
    `7: (79) r0 = *(u64 *)(r0 +8)
invalid access to map value, value_size=8 off=8 size=8
R0 min value is outside of the allowed memory range
${summary}
`,
    { reason: 'invalid access to map value, value_size=8 off=8 size=8', instruction: 7, place: undefined },
  ],
  [
    'an index that may be negative',
    `9: (0f) r1 += r2
R1 min value is negative, either use unsigned index or do a if (index >=0) check.
${summary}
`,
    {
      reason: 'R1 min value is negative, either use unsigned index or do a if (index >=0) check.',
      instruction: 9,
      place: undefined,
    },
  ],
  [
    'a register never written',
    `0: (95) exit
R0 !read_ok
${summary}
`,
    { reason: 'R0 !read_ok', instruction: 0, place: undefined },
  ],
  [
    'a wrong return value',
    `0: (b7) r0 = 7                        ; R0=7
1: (95) exit
At program exit the register R0 has smin=7 smax=7 should have been in [0, 1]
${summary}
`,
    {
      reason: 'At program exit the register R0 has smin=7 smax=7 should have been in [0, 1]',
      instruction: 1,
      place: undefined,
    },
  ],
  [
    'history of precision between instructions',
    `5: (25) if r2 > 0x3f goto pc+2        ; R2=scalar(umax=63)
mark_precise: frame0: last_idx 5 first_idx 0 subseq_idx -1
mark_precise: frame0: regs=r2 stack= before 4: (bf) r2 = r0
last_idx 5 first_idx 0
regs=4 stack=0 before 4: (bf) r2 = r0
parent didn't have regs=4 stack=0 marks
from 5 to 8: R0=scalar() R10=fp0
8: (63) *(u32 *)(r1 +0) = r2
invalid bpf_context access off=0 size=4
${summary}
`,
    { reason: 'invalid bpf_context access off=0 size=4', instruction: 8, place: undefined },
  ],
  [
    'a program that is too complex',
    `31: (05) goto pc-5
BPF program is too large. Processed 1000001 insn
processed 1000001 insns (limit 1000000) max_states_per_insn 34 total_states 9 peak_states 9 mark_read 1
`,
    { reason: 'BPF program is too large. Processed 1000001 insn', instruction: 31, place: undefined },
  ],
  [
    'a refusal before the first instruction',
    `unknown func bpf_no_such_helper#9999
${summary}
`,
    { reason: 'unknown func bpf_no_such_helper#9999', instruction: undefined, place: undefined },
  ],
  ['an empty log', '', { reason: 'it gave no reason', instruction: undefined, place: undefined }],
];

describe('a verifier log', () => {
  it.each(logs)('%s', (_name, log, refusal) => {
    expect(read(log)).toEqual(refusal);
  });

  it('is read the same with carriage returns and without its last line break', () => {
    for (const [name, log, refusal] of logs) {
      expect(read(log.trimEnd()), name).toEqual(refusal);
      expect(read(log.replaceAll('\n', '\r\n')), name).toEqual(refusal);
    }
  });
});
