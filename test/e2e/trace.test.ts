import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { documents } from '../../src/cli/schema/documents.js';
import { atLeast } from '../../src/host/kernel.js';
import { packageRoot } from '../../src/host/package-root.js';
import { makeBpffs, type TestBpffs } from '../support/bpffs.js';
import { netkit, RunningCli } from '../support/cli.js';
import { expectUnchanged, type KernelState, snapshotKernelState } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { expectValid } from '../support/schema.js';
import { errorOf } from './ground.js';

const source = `#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int says(struct xdp_md *ctx) {
  bpf_printk("saw %d bytes", (int)(ctx->data_end - ctx->data));
  return XDP_PASS;
}

SEC("xdp")
int rhymes(struct xdp_md *ctx) {
  bpf_printk("one\\ntwo");
  return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
`;

const line = z.strictObject({ schemaVersion: z.int(), ...documents.trace.shape });
function checked(document: unknown): z.infer<typeof line> {
  expectValid('trace', document);
  return line.parse(document);
}

const bin = join(packageRoot(), 'bin/netkit.js');

describeAsRoot(
  'netkit trace',
  () => {
    let before: KernelState;
    let bpffs: TestBpffs;
    /** Where tracefs is for the commands here alone: in mount namespaces of their own. */
    let tracing: string;

    beforeAll(() => {
      before = snapshotKernelState();
      bpffs = makeBpffs();
      tracing = mkdtempSync(join(tmpdir(), 'netkit-tracefs-'));
      const file = join(bpffs.folder, 'says.bpf.c');
      const object = join(bpffs.folder, 'says.bpf.o');
      writeFileSync(file, source);
      for (const args of [
        ['build', file, '-o', object],
        ['load', object],
      ]) {
        const { status, stderr } = netkit(args, { env: bpffs.env });
        if (status !== 0) throw new Error(stderr);
      }
    });
    afterAll(async () => {
      rmdirSync(tracing);
      bpffs[Symbol.dispose]();
      await expectUnchanged(before);
    });

    const fire = (program: string, times = 1, size = 64) => {
      for (let count = 0; count < times; count++) {
        const args = ['prog', 'run', `says/${program}`, '--hex', '00'.repeat(size)];
        expect(netkit(args, { env: bpffs.env }).stderr).toBe('');
      }
    };

    /** Starts `netkit trace` where tracefs is mounted, and at a place that nobody would guess. */
    function start(...args: string[]): RunningCli {
      const words = ['trace', ...args].map((word) => `'${word}'`).join(' ');
      const script = `umount -a -t tracefs; mount -t tracefs none '${tracing}' && exec '${process.execPath}' '${bin}' ${words}`;
      const child: ChildProcess = spawn('unshare', ['-m', 'sh', '-c', script], {
        env: { ...process.env, ...bpffs.env },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      return new RunningCli(child, `netkit trace ${args.join(' ')}`);
    }

    /** Writes until a line is seen: when the reader is ready cannot be told from outside. */
    async function untilSeen(trace: RunningCli, pattern: RegExp, program = 'says'): Promise<void> {
      for (let attempt = 0; attempt < 60; attempt++) {
        fire(program);
        try {
          await trace.output(pattern, 1000);
          return;
        } catch (error) {
          if (attempt === 59 || trace.process.exitCode !== null) throw error;
        }
      }
    }

    it('prints what programs write until Ctrl-C', async () => {
      using trace = start();
      await untilSeen(trace, /saw 64 bytes/);
      const { status, stdout, stderr } = await trace.stop();
      expect(`${status} ${stderr}`).toBe('130 ');
      expect(stdout).toMatch(/^\d+\.\d{6} \[\d+\] .{1,16}-\d+: saw 64 bytes\n/);
    });

    it('prints one document a line with --json, further lines of a message too, and ends after --count', async () => {
      using trace = start('--json', '--count', '2', '--match', 'o');
      await untilSeen(trace, /two/, 'rhymes');
      const { status, stdout } = await trace.ended;
      expect(status).toBe(0);
      const lines = stdout
        .trimEnd()
        .split('\n')
        .map((text) => checked(JSON.parse(text)));
      expect(lines.map(({ text }) => text)).toEqual(['one', 'two']);
      const [first, second] = lines;
      expect(first).toMatchObject({ source: 'pipe', event: 'bpf_trace_printk', program: null, lost: null });
      expect(second).toEqual({ ...first, text: 'two' });
      expect(first?.pid).toBeGreaterThan(0);
    });

    it('leaves out what is not asked for, and ends after --for', async () => {
      using trace = start('--match', '99 bytes', '--for', '4');
      for (let count = 0; count < 8; count++) {
        fire('says');
        fire('says', 1, 99);
      }
      const { status, stdout } = await trace.ended;
      expect(status).toBe(0);
      for (const text of stdout.trimEnd().split('\n')) expect(text).toMatch(/(^|: saw 99 bytes)$/);
      using other = start('--task', 'nobody-at-all', '--for', '2');
      for (let count = 0; count < 4; count++) fire('says');
      expect(await other.ended).toMatchObject({ status: 0, stdout: '' });
    });

    it('names the process that reads the pipe already', async () => {
      using first = start();
      await untilSeen(first, /saw 64 bytes/);
      using second = start('--json');
      const result = await second.ended;
      expect(result).toMatchObject({ status: 5, stdout: '' });
      expect(errorOf(result)).toMatchObject({
        code: 'conflict',
        message: expect.stringContaining(`process ${first.process.pid} (node`),
      });
      await first.stop();
    });

    it('says how to mount tracefs where it is mounted nowhere', () => {
      const script = `umount -a -t tracefs; umount -a -t debugfs; exec '${process.execPath}' '${bin}' trace`;
      const { status, stderr } = spawnSync('unshare', ['-m', 'sh', '-c', script], {
        encoding: 'utf8',
        env: { ...process.env, ...bpffs.env },
      });
      expect(status).toBe(3);
      expect(stderr).toBe(
        'netkit: tracefs is not mounted, and the trace pipe is in it\nhint: mount -t tracefs tracefs /sys/kernel/tracing\n',
      );
    });

    it("reads a program's streams where the kernel has them, and says so where it does not", () => {
      const result = netkit(['trace', 'says', '--for', '0.5', '--json'], { env: bpffs.env });
      if (atLeast(6, 17) && result.status === 0) {
        expect(result).toMatchObject({ stdout: '', stderr: '' });
        return;
      }
      expect(result.status).toBe(6);
      expect(errorOf(result)).toMatchObject({
        code: 'unsupported',
        message: expect.stringMatching(
          atLeast(6, 17) ? /no memory for them: programs that write get ENOMEM/ : /came with Linux 6\.17/,
        ),
      });
    });

    it.each([
      ['a task of a stream', ['says/says', '--task', 'x'], 2, 'usage'],
      ['a program that is not there', ['says/nothing'], 3, 'not-found'],
      ['no lines', ['--count', '0'], 2, 'usage'],
    ] as const)('refuses %s', (_what, args, status, code) => {
      const result = netkit(['trace', ...args, '--json'], { env: bpffs.env });
      expect({ status: result.status, stdout: result.stdout }).toEqual({ status, stdout: '' });
      expect(errorOf(result).code).toBe(code);
    });
  },
  { tools: ['clang', 'unshare', 'mount'] },
);
