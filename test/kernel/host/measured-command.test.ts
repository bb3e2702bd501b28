import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { measureCommand, watchUntilEnd } from '../../../src/host/measured-command.js';
import { currentNetnsInode, newNetns } from '../../../src/host/netns.js';
import { procText } from '../../../src/host/proc.js';
import { describeAsRoot } from '../../support/requirements.js';

describeAsRoot(
  'a command that is measured',
  () => {
    it('is as long as it takes, and as busy as it is', async () => {
      using netns = newNetns();
      const of = (script: string) => measureCommand({ file: 'sh', args: ['-c', script], env: {}, netns });
      // The first run reads the shell from the disk.
      await of(':');
      const idle = await of('sleep 0.2');
      expect(idle.seconds).toBeGreaterThanOrEqual(0.2);
      expect(idle.busySeconds).toBeGreaterThan(0);
      expect(idle.busySeconds).toBeLessThan(idle.seconds);
      // Those of the child that the shell waits for are in it.
      const busy = await of("sh -c 'i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done'; :");
      expect(busy.busySeconds).toBeGreaterThan(idle.busySeconds);
      expect(busy.seconds * 1.1).toBeGreaterThan(busy.busySeconds);
    });

    it('has had as much memory as it had at most, whatever started it', async () => {
      using netns = newNetns();
      const of = (mebibytes: number) =>
        measureCommand({
          file: process.execPath,
          args: ['-e', `Buffer.alloc(${mebibytes} * 2 ** 20, 1)`],
          env: {},
          netns,
        });
      const { peakBytes: small } = await of(1);
      const { peakBytes: large } = await of(101);
      expect(large - small).toBeGreaterThan(80 * 2 ** 20);
      expect(large - small).toBeLessThan(120 * 2 ** 20);
      const shell = await measureCommand({ file: 'sh', args: ['-c', 'sleep 0.05'], env: {}, netns });
      expect(shell.peakBytes).toBeGreaterThan(0);
      expect(shell.peakBytes).toBeLessThan(20 * 2 ** 20);
    });

    it('has ended when all its memory is given back', async () => {
      for (let run = 0; run < 5; run += 1) {
        const child = spawn('perl', ['-e', '$_ = "x" x 400_000_000'], { stdio: 'ignore' });
        const { pid = 0 } = child;
        watchUntilEnd(pid);
        expect(procText(`/proc/${pid}/status`)).toMatch(/^State:\s+Z/m);
        await once(child, 'close');
      }
    });

    it('may complain at any length', async () => {
      using netns = newNetns();
      const script = 'head -c 1000000 /dev/zero >&2; exit $1';
      const of = (status: string) =>
        measureCommand({ file: 'sh', args: ['-c', script, 'sh', status], env: {}, netns });
      expect((await of('0')).seconds).toBeLessThan(5);
      await expect(of('3')).rejects.toMatchObject({ code: 'tool-failed' });
    });

    it('runs in the namespace and with the environment that it is given, and this process stays where it is', async () => {
      using netns = newNetns();
      const before = currentNetnsInode();
      const script = `[ "$PLACE" = here ] && [ "$(readlink /proc/self/ns/net)" = "net:[${netns.inode}]" ]`;
      await measureCommand({ file: 'sh', args: ['-c', script], env: { PLACE: 'here' }, netns });
      expect(currentNetnsInode()).toBe(before);
    });

    it('that fails, or is not there, is an error with what it said', async () => {
      using netns = newNetns();
      const of = (file: string, ...args: string[]) => measureCommand({ file, args, env: {}, netns });
      await expect(of('sh', '-c', 'echo why >&2; exit 3')).rejects.toMatchObject({
        code: 'tool-failed',
        message: expect.stringContaining('why'),
      });
      await expect(of('sh', '-c', 'exit 3')).rejects.toThrow('status 3');
      await expect(of('netkit-no-such-tool')).rejects.toMatchObject({ code: 'tool-missing' });
    });
  },
  { tools: ['perl'] },
);
