import { spawnSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { packageRoot } from '../../src/host/package-root.js';
import { readPcap, writePcap } from '../../src/obj/pcap.js';
import { makeBpffs, type TestBpffs } from '../support/bpffs.js';
import { netkit, startNetkit } from '../support/cli.js';
import { expectUnchanged, type KernelState, snapshotKernelState } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { expectValid } from '../support/schema.js';

const source = `#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* By the last byte of the EtherType: drops 0x06, turns a packet back with its addresses swapped at 0x07, grows it at 0x08. */
SEC("xdp")
int judge(struct xdp_md *ctx) {
  unsigned char *at = (void *)(long)ctx->data;
  unsigned char *end = (void *)(long)ctx->data_end;
  if (at + 14 > end)
    return XDP_ABORTED;
  if (at[13] == 0x06)
    return XDP_DROP;
  if (at[13] == 0x08)
    return bpf_xdp_adjust_head(ctx, -4) ? XDP_ABORTED : XDP_PASS;
  if (at[13] != 0x07)
    return XDP_PASS;
  for (int i = 0; i < 6; i++) {
    unsigned char byte = at[i];
    at[i] = at[i + 6];
    at[i + 6] = byte;
  }
  return XDP_TX;
}

SEC("tc")
int shoot(struct __sk_buff *skb) {
  return skb->len > 20 ? 2 : -1;
}

SEC("raw_tp/sched_switch")
int traced(void *ctx) {
  return 0;
}

char LICENSE[] SEC("license") = "GPL";
`;

const addresses = 'ffffffffffff020000000001';
const dropped = `${addresses}0806`;
const turned = `${addresses}0807`;
const grown = `${addresses}0808`;
const passed = `${addresses}0900`;
const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));

describeAsRoot(
  'netkit prog run',
  () => {
    let before: KernelState;
    let bpffs: TestBpffs;

    beforeAll(() => {
      before = snapshotKernelState();
      bpffs = makeBpffs();
      const file = join(bpffs.folder, 'runs.bpf.c');
      writeFileSync(file, source);
      for (const args of [
        ['build', file, '-o', join(bpffs.folder, 'runs.bpf.o')],
        ['load', join(bpffs.folder, 'runs.bpf.o')],
      ]) {
        const { status, stderr } = netkit(args, { env: bpffs.env });
        if (status !== 0) throw new Error(stderr);
      }
    });
    afterAll(async () => {
      bpffs[Symbol.dispose]();
      await expectUnchanged(before);
    });

    function run(...args: string[]) {
      return netkit(['prog', 'run', ...args], { env: bpffs.env });
    }

    it.each([
      ['runs/judge', dropped, { verdict: 1, verdictName: 'drop', out: dropped }],
      ['runs/judge', passed, { verdict: 2, verdictName: 'pass', out: passed }],
      ['runs/judge', turned, { verdict: 3, verdictName: 'tx', out: '020000000001ffffffffffff0807' }],
      [
        'runs/judge',
        grown,
        { verdict: 2, verdictName: 'pass', out: expect.stringMatching(`^.{8}${grown}$`) },
      ],
      ['runs/shoot', passed, { verdict: -1, verdictName: 'next', out: passed }],
      ['runs/shoot', `${passed}${'00'.repeat(16)}`, { verdict: 2, verdictName: 'shot' }],
    ] as const)('%s answers %s', (reference, hex, expected) => {
      const result = run(reference, '--hex', hex, '--json');
      expect(result).toMatchObject({ status: 0, stderr: '' });
      const document = result.json();
      expectValid('prog run', document);
      expect(document).toMatchObject({
        program: { name: reference.slice('runs/'.length) },
        runs: [{ in: hex, repeat: 1, ...expected }],
      });
    });

    it('shows one packet at length', () => {
      const { stdout } = run('runs/judge', '--hex', turned);
      expect(stdout.replace(/\d+ ns/, 'N ns')).toBe(
        [
          'verdict:  tx (3)',
          'time:     N ns',
          'in:       14 bytes',
          'out:      changed',
          '',
          '0000  02 00 00 00 00 01 ff ff ff ff ff ff 08 07',
          '',
        ].join('\n'),
      );
    });

    it('shows several as a table with the sum of the verdicts', () => {
      const args = [dropped, passed, grown, passed].flatMap((hex) => ['--hex', hex]);
      const { stdout } = run('runs/judge', ...args);
      const lines = stdout.split('\n').map((line) => line.trim().split(/ {2,}/));
      expect(lines.slice(0, 5).map((cells) => [cells[0], cells[1], ...cells.slice(3)])).toEqual([
        ['PACKET', 'VERDICT', 'BYTES', 'OUT'],
        ['1', 'drop (1)', '14', 'unchanged'],
        ['2', 'pass (2)', '14', 'unchanged'],
        ['3', 'pass (2)', '14', 'changed, 18 bytes'],
        ['4', 'pass (2)', '14', 'unchanged'],
      ]);
      expect(stdout).toMatch(/\n4 packets: 3 pass, 1 drop; \d+ ns a run\n$/);
    });

    it('repeats, and gives the mean time', () => {
      const document = run('runs/shoot', '--hex', passed, '--repeat', '1000', '--json').json();
      expectValid('prog run', document);
      expect(document).toMatchObject({ runs: [{ repeat: 1000, nanoseconds: expect.any(Number) }] });
    });

    it('takes packets from a capture, as many as asked for, and writes what comes out', () => {
      const file = join(bpffs.folder, 'in.pcap');
      const out = join(bpffs.folder, 'out.pcap');
      writeFileSync(
        file,
        writePcap(
          [turned, grown, dropped].map((hex, n) => ({
            bytes: bytes(hex),
            timestampNs: BigInt(n) * 10n ** 9n,
          })),
        ),
      );
      const all = run('runs/judge', '--pcap', file, '--out', out, '--json').json();
      expectValid('prog run', all);
      expect(all).toMatchObject({
        runs: [{ verdictName: 'tx' }, { verdictName: 'pass' }, { verdictName: 'drop' }],
      });
      const { linkType, packets } = readPcap(readFileSync(out));
      expect(linkType).toBe(1);
      expect(packets.map(({ bytes: found }) => found.length)).toEqual([14, 18, 14]);
      expect(packets.map(({ timestampNs }) => timestampNs)).toEqual([0n, 10n ** 9n, 2n * 10n ** 9n]);
      const two = run('runs/judge', '--pcap', file, '--limit', '2', '--json').json();
      expect(two).toMatchObject({ runs: [{ in: turned }, { in: grown }] });
    });

    it('says that packets are cut short', () => {
      const file = join(bpffs.folder, 'cut.pcap');
      writeFileSync(file, writePcap([{ bytes: bytes(passed), originalLength: 60 }]));
      expect(run('runs/judge', '--pcap', file)).toMatchObject({
        status: 0,
        stderr: expect.stringMatching(/1 of 1 packets are cut short/),
      });
    });

    it('finds programs by id, by name and by pin as well', () => {
      const document = run('runs/judge', '--hex', passed, '--json').json();
      const { id } = Object(document).program;
      const pin = join(bpffs.root.path, 'netkit/runs/progs/judge');
      for (const reference of [`id:${id}`, 'name:judge', pin]) {
        expect(run(reference, '--hex', passed, '--json').json()).toMatchObject({
          program: { id, name: 'judge' },
        });
      }
    });

    const text = join(packageRoot(), 'package.json');
    it.each([
      ['an odd number of digits', ['runs/judge', '--hex', `${passed}0`], 2, 'bad-value'],
      ['what is not hexadecimal', ['runs/judge', '--hex', 'hello'], 2, 'bad-value'],
      ['a packet without a whole Ethernet header', ['runs/judge', '--hex', passed.slice(2)], 2, 'bad-value'],
      ['a file that is no capture', ['runs/judge', '--pcap', text], 2, 'bad-value'],
      ['a capture that is not there', ['runs/judge', '--pcap', '/nothing/here.pcap'], 3, 'not-found'],
      ['neither --hex nor --pcap', ['runs/judge'], 2, 'usage'],
      ['both --hex and --pcap', ['runs/judge', '--hex', passed, '--pcap', text], 2, 'usage'],
      ['--limit without --pcap', ['runs/judge', '--hex', passed, '--limit', '1'], 2, 'usage'],
      ['--repeat of nothing', ['runs/judge', '--hex', passed, '--repeat', '0'], 2, 'usage'],
      ['a function of several programs', ['runs', '--hex', passed], 2, 'usage'],
      ['a program that is not there', ['runs/nothing', '--hex', passed], 3, 'not-found'],
      ['a function that is not loaded', ['nothing', '--hex', passed], 3, 'not-found'],
      ['a program that runs on no packets', ['runs/traced', '--hex', passed], 6, 'unsupported'],
      [
        'an output folder that is not there',
        ['runs/judge', '--hex', passed, '--out', '/nothing/x.pcap'],
        3,
        'not-found',
      ],
    ] as const)('refuses %s', (_what, args, status, code) => {
      const result = run(...args, '--json');
      expect(result).toMatchObject({ status, stdout: '' });
      expectValid('error', result.jsonError());
      expect(result.jsonError()).toMatchObject({ error: { code } });
    });

    it('never replaces a device', () => {
      expect(run('runs/judge', '--hex', passed, '--out', '/dev/null').status).toBe(0);
      expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
    });

    it('asks for rights with status 4', () => {
      const { status, stderr } = spawnSync(
        'setpriv',
        [
          '--bounding-set=-all',
          '--inh-caps=-all',
          process.execPath,
          join(packageRoot(), 'bin/netkit.js'),
          ...['prog', 'run', 'runs/judge', '--hex', passed],
        ],
        { encoding: 'utf8', env: { ...process.env, ...bpffs.env } },
      );
      expect(stderr).toMatch(/not allowed.*\nhint: run as root, or with CAP_BPF/);
      expect(status).toBe(4);
    });

    it('ends with status 130 on Ctrl-C, also in the middle of a long run', async () => {
      using running = startNetkit(['prog', 'run', 'runs/judge', '--hex', passed, '--repeat', '1000000000'], {
        env: bpffs.env,
      });
      await new Promise((resolve) => {
        setTimeout(resolve, 800);
      });
      const { status, stdout } = await running.stop();
      expect({ status, stdout }).toEqual({ status: 130, stdout: '' });
    });
  },
  { tools: ['clang', 'setpriv'] },
);
