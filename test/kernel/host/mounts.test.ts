import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { bpffsMounts, existingBpffs, findBpffs, isBpffs, mountedBpffs } from '../../../src/host/mounts.js';
import { packageRoot } from '../../../src/host/package-root.js';
import { makeBpffs } from '../../support/bpffs.js';
import { describeAsRoot } from '../../support/requirements.js';

const probe = 'node scripts/run.mjs test/support/host-probe.ts ensure-bpffs';

/** Runs a script in a mount namespace of its own whose /sys/fs/bpf is no bpffs. */
function inPrivateMounts(unshareArgs: readonly string[], script: string): string {
  const clean = 'while umount /sys/fs/bpf 2>/dev/null; do :; done';
  const args = [...unshareArgs, 'sh', '-ec', `${clean}; ${script}`];
  const { stdout, stderr, status } = spawnSync('unshare', args, { cwd: packageRoot(), encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

// The child is process 1 there, so that its mount namespace is that of process 1.
const asFirst = ['--mount', '--pid', '--fork', '--mount-proc'];
// Linux 5.10 forgets the name of the device, and shows none.
const mountsThere = "grep -c ' /sys/fs/bpf .* - bpf ' /proc/self/mountinfo";

describeAsRoot('bpffs given by --bpffs', () => {
  it('is taken when it is one, also a directory in it', () => {
    using bpffs = makeBpffs();
    const inside = join(bpffs.root.path, 'inside');
    mkdirSync(inside);
    expect(mountedBpffs(bpffs.root.path)).toBe(bpffs.root.path);
    expect(mountedBpffs(inside)).toBe(inside);
    expect(bpffsMounts()).toContain(bpffs.root.path);
    expect(findBpffs()).toBeDefined();
  });

  it('is refused when it is an ordinary directory or none', () => {
    const folder = mkdtempSync(join(tmpdir(), 'netkit-mounts-'));
    try {
      expect(isBpffs(folder)).toBe(false);
      expect(() => mountedBpffs(folder)).toThrow(
        expect.objectContaining({ code: 'usage', hint: `mount one there: mount -t bpf bpf ${folder}` }),
      );
      expect(() => existingBpffs(join(folder, 'no'))).toThrow(
        expect.objectContaining({ code: 'usage', hint: 'there is no such directory' }),
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describeAsRoot('bpffs at /sys/fs/bpf', () => {
  it('is mounted in the mount namespace of process 1, once, even by two commands at a time', () => {
    const [first, second, count] = inPrivateMounts(
      asFirst,
      `${probe} > /dev/shm/nk-$$-a & ${probe} > /dev/shm/nk-$$-b; wait
       cat /dev/shm/nk-$$-a; echo; cat /dev/shm/nk-$$-b; echo; rm /dev/shm/nk-$$-*; ${mountsThere}`,
    ).split('\n');
    expect([first, second]).toEqual(['{"path":"/sys/fs/bpf"}', '{"path":"/sys/fs/bpf"}']);
    expect(count).toBe('1');
  });

  it('is not mounted in another mount namespace, where it would vanish', () => {
    const output = inPrivateMounts(['--mount'], `${probe}; echo; ${mountsThere} || true`);
    const [answer, count] = output.split('\n');
    expect(JSON.parse(answer ?? '')).toEqual({
      code: 'not-permitted',
      message: expect.stringContaining('would vanish'),
      hint: expect.stringContaining('--netns'),
    });
    expect(count).toBe('0');
  });

  it('is not mounted without CAP_SYS_ADMIN', () => {
    const output = inPrivateMounts(
      asFirst,
      `setpriv --bounding-set -sys_admin --inh-caps -sys_admin ${probe}`,
    );
    expect(JSON.parse(output)).toMatchObject({
      code: 'not-permitted',
      hint: 'run as root, or with CAP_SYS_ADMIN',
    });
  });
});
