import { spawnSync } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { compile } from '../../src/build/clang.js';
import { documents } from '../../src/cli/schema/documents.js';
import { makeBpffs, type TestBpffs } from '../support/bpffs.js';
import { type CliResult, netkit } from '../support/cli.js';
import { leavingNothing } from '../support/kernel-state.js';
import { kernelLacks } from '../support/known-kernels.js';
import { refusedFolder } from '../support/refused.js';
import { describeAsRoot } from '../support/requirements.js';
import { expectValid } from '../support/schema.js';
import { documentOf, fixture } from './ground.js';
import { through } from './refusal.js';

const refused = (name: string): string => join(refusedFolder, 'objects/clang14', `${name}.bpf.o`);

/** Wants a global variable and the size of a map to be set. */
const source = `#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

const volatile __u32 limit = 100;

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __type(key, __u32);
  __type(value, __u64);
} unsized SEC(".maps");

SEC("xdp")
int bounded(struct xdp_md *ctx) {
  __u64 on[4] = {ctx->rx_queue_index};
  __u32 key = 0, at = ctx->ingress_ifindex;
  if (at >= limit || !bpf_map_lookup_elem(&unsized, &key))
    return XDP_PASS;
  asm volatile("" ::"r"(on) : "memory");
  return on[at];
}

char LICENSE[] SEC("license") = "GPL";
`;

describeAsRoot(
  'netkit verify',
  () => {
    let bpffs: TestBpffs;
    beforeAll(() => {
      bpffs = makeBpffs();
    });
    afterAll(() => bpffs[Symbol.dispose]());

    const run = (...args: string[]): CliResult => netkit(['verify', ...args], { env: bpffs.env });

    /** The document, which has to be by its schema. */
    function verified(status: number, ...args: string[]) {
      const result = run(...args, '--json');
      expect(`${result.status} ${result.stderr}`).toBe(`${status} `);
      expectValid('verify', result.json());
      return documentOf(documents.verify, result);
    }

    it('prints what each program took, keeps nothing, and ends with 0', async () => {
      await leavingNothing(() => {
        const { status, stdout, stderr } = run(fixture('subprograms'));
        expect(`${status} ${stderr}`).toBe('0 ');
        expect(stdout).toMatch(/^PROGRAM +TYPE +RESULT +INSTRUCTIONS +STACK +PEAK STATES/);
        expect(stdout).toMatch(/^calls +xdp +accepted +\d+ +\d+ +\d+ +\d+ +\d+ +\d+ (µs|ms)$/m);
        const { programs } = verified(0, fixture('subprograms'));
        for (const { outcome, statistics, refusal, error, log } of programs) {
          expect({ outcome, refusal, error, log }).toEqual({
            outcome: 'accepted',
            refusal: null,
            error: null,
            log: null,
          });
          expect(statistics?.instructions).toBeGreaterThan(0);
          expect(statistics?.limit).toBe(1_000_000);
          expect(statistics?.stackBytes).toBe(statistics?.stackDepths.reduce((sum, each) => sum + each, 0));
        }
        expect(bpffs.pins()).toEqual([]);
      });
    });

    it('explains a refusal with a piece of the source, the registers and the mend, and ends with 7', async () => {
      await leavingNothing(() => {
        const { status, stdout, stderr } = run(refused('packet-bounds'), '--only', 'half_checked');
        expect(`${status} ${stderr}`).toBe('7 ');
        expect(stdout).toMatch(/^half_checked +xdp +refused/m);
        expect(stdout).toContain('half_checked at packet-bounds.bpf.c:20: packet-bounds\n');
        expect(stdout).toContain(
          '  reads 1 byte of the packet at offset 23, where 14 bytes are known to be there\n',
        );
        expect(stdout).toMatch(/^ {4}19 \| {3}struct iphdr \*ip/m);
        expect(stdout).toMatch(/^ {2}> 20 \| {3}if \(ip->protocol == IPPROTO_UDP\)/m);
        expect(stdout).toMatch(/^ {2}R1 is a packet pointer with 14 bytes checked {3}pkt\(/m);
        expect(stdout).toMatch(/^ {2}the verifier said: invalid access to packet, off=23/m);
        expect(stdout).toMatch(/^ {2}to mend it: compare with the end before/m);
      });
    });

    it('gives the same as a document, for programs that are refused beside others that are not', async () => {
      await leavingNothing(() => {
        const { programs } = verified(7, refused('inlined'), '--only', 'counts');
        expect(programs).toHaveLength(1);
        expect(programs[0]).toMatchObject({
          name: 'counts',
          type: 'xdp',
          section: 'xdp',
          outcome: 'refused',
          error: null,
          refusal: {
            rule: 'null-pointer',
            place: { file: 'inlined.bpf.c', line: 22 },
            related: [{ file: 'inlined.h', line: 10, source: 'value->count++;' }],
            registers: [{ name: 'R0' }],
            hint: null,
          },
          log: expect.stringMatching(/^processed \d+ insns/m),
        });
      });
    });

    it('shows the line alone where the source cannot be read, or is another by now', async () => {
      await leavingNothing(() => {
        const folder = join(bpffs.folder, 'far/away');
        spawnSync('mkdir', ['-p', folder]);
        const object = join(folder, 'oob.bpf.o');
        copyFileSync(fixture('oob'), object);
        const line = '  > 10 |   return eth->h_proto == 0x0008 ? XDP_PASS : XDP_DROP;';
        for (const text of [undefined, 'something else\n'.repeat(20)]) {
          if (text !== undefined) writeFileSync(join(folder, 'oob.bpf.c'), text);
          const { stdout } = through([], bpffs.env)(['verify', object]);
          expect(stdout.split('\n').filter((each) => / \| /.test(each))).toEqual([line]);
        }
      });
    });

    it('prints the log of the verifier whole with --log', async () => {
      await leavingNothing(() => {
        const bad = run(fixture('oob'), '--log');
        expect(bad.status).toBe(7);
        expect(bad.stdout).toMatch(/^the verifier on oob:\n(.*\n)*\d+: \([0-9a-f]{2}\) r\d = \*\(u32 \*\)/m);
        expect(bad.stdout).toMatch(/^processed \d+ insns/m);
        const good = run(fixture('pass'), '--log');
        expect(good.status).toBe(0);
        expect(good.stdout).toMatch(/^processed \d+ insns/m);
      });
    });

    it('leaves out what is off by default, and says so, unless it is named', async () => {
      await leavingNothing(() => {
        const all = run(fixture('many'));
        expect(all.status).toBe(0);
        expect(all.stdout).not.toMatch(/optional|traced/);
        expect(all.stderr).toMatch(/off by default and left out: optional, traced; --only/);
        if (kernelLacks('xdp-frags') !== undefined) return;
        const one = run(fixture('many'), '--only', 'optional');
        expect(`${one.status} ${one.stderr}`).toBe('0 ');
        expect(one.stdout).toMatch(/^optional +xdp +accepted/m);
      });
    });

    it('sets variables and sizes of maps before', async () => {
      await leavingNothing(async () => {
        const file = join(bpffs.folder, 'bounded.bpf.c');
        writeFileSync(file, source);
        const object = join(bpffs.folder, 'bounded.bpf.o');
        await compile({ sources: [file], output: object });
        expect(verified(7, object, '--map-size', 'unsized=4').programs).toMatchObject([
          { name: 'bounded', outcome: 'refused', refusal: { rule: 'stack-bounds' } },
        ]);
        expect(run(object, '--map-size', 'unsized=4', '--set', 'limit=4').status).toBe(0);
        const unsized = run(object);
        expect(unsized.status).toBe(6);
        expect(unsized.stdout).toMatch(/^bounded was not verified: the kernel does not make map 'unsized'/m);
      });
    });

    it('says when this kernel lets nobody load such a program', async () => {
      await leavingNothing(async () => {
        const file = join(bpffs.folder, 'entry.bpf.c');
        const text = '#include <linux/bpf.h>\n#include <bpf/bpf_helpers.h>\n';
        writeFileSync(
          file,
          `${text}SEC("fentry/bpf_fentry_test1") int entry(void *ctx) { return 0; }\nchar _[] SEC("license") = "GPL";\n`,
        );
        const object = join(bpffs.folder, 'entry.bpf.o');
        await compile({ sources: [file], output: object });
        const [program] = documentOf(documents.verify, run(object, '--json')).programs;
        // Whether a kernel does: in the virtual machines it does, on the host it does not.
        if (program?.outcome === 'accepted') return;
        expect(program).toMatchObject({ outcome: 'not-verified', error: { code: 'unsupported' } });
        const { status, stdout } = run(object);
        expect(status).toBe(6);
        expect(stdout).toMatch(
          /^entry was not verified: this kernel lets nobody load programs of type tracing/m,
        );
      });
    });

    it('says what a user lacks when the program may be right', async () => {
      await leavingNothing(() => {
        const less = through(['setpriv', '--bounding-set', '-sys_admin,-perfmon'], bpffs.env);
        const result = less(['verify', refused('stack'), '--only', 'padding']);
        expect(result.status).toBe(7);
        expect(result.stdout).toMatch(/^padding at stack\.bpf\.c:\d+: stack-uninitialised/m);
        expect(result.stdout).toMatch(/^ {2}hint: without CAP_PERFMON/m);
        const none = through(['setpriv', '--bounding-set', '-all'], bpffs.env)(['verify', fixture('pass')]);
        expect(none.status).toBe(4);
        expect(none.stdout).toMatch(/^pass was not verified: .*\nhint: run as root, or with CAP_BPF/m);
      });
    });

    it.each([
      [3, /cannot read/, ['nothing.bpf.o']],
      [2, /OBJ/, []],
      [1, /C source/, ['x.bpf.c']],
      [1, /./, [join(refusedFolder, 'common.h')]],
      [3, /no program 'none'/, [fixture('pass'), '--only', 'none']],
      [3, /none/, [fixture('pass'), '--set', 'none=1']],
      [2, /--set 'x' is not VAR=VALUE/, [fixture('pass'), '--set', 'x']],
      [2, /is not a whole number/, [fixture('maps'), '--map-size', 'x=0']],
    ] as const)('ends with %i and %s for bad input', (status, says, args) => {
      const result = run(...args);
      expect(result.status, `${basename(args[0] ?? '')} ${result.stderr}`).toBe(status);
      expect(result.stdout).toBe('');
      expect(result.stderr).toMatch(says);
    });
  },
  { tools: ['clang', 'setpriv'] },
);
