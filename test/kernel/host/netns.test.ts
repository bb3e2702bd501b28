import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  currentNetnsInode,
  listNetns,
  netnsDirectory,
  netnsName,
  openNetns,
  withNetns,
} from '../../../src/host/netns.js';
import { findNetns } from '../../../src/host/netns-search.js';
import { packageRoot } from '../../../src/host/package-root.js';
import { interfaceNames } from '../../../src/sys/libc.js';
import { makeNetns, run, uniqueName } from '../../support/netns.js';
import { describeAsRoot } from '../../support/requirements.js';

describeAsRoot('openNetns', () => {
  it('opens the same namespace by name, by path and by process', () => {
    using made = makeNetns();
    using byName = openNetns(made.name);
    using byPath = openNetns(`${netnsDirectory}/${made.name}`);
    const inside = made.inside(() => spawn('sleep', ['30']));
    try {
      using byPid = openNetns(String(inside.pid));
      expect([byPath.inode, byPid.inode]).toEqual([byName.inode, byName.inode]);
      expect(byName.inode).not.toBe(currentNetnsInode());
      expect([byName.name, byPath.name, byPid.name]).toEqual([made.name, undefined, undefined]);
    } finally {
      inside.kill('SIGKILL');
    }
  });

  it('suggests the name that was probably meant', () => {
    using made = makeNetns();
    expect(() => openNetns(`${made.name}x`)).toThrow(
      expect.objectContaining({ code: 'not-found', hint: `did you mean '${made.name}'?` }),
    );
  });

  it('finds neither a namespace nor a process behind a number of nobody', () => {
    expect(() => openNetns('4194305')).toThrow("no network namespace and no process '4194305'");
  });

  it.each(['', '.', '..'])('refuses %j as a name', (ref) => {
    expect(() => openNetns(ref)).toThrow(expect.objectContaining({ code: 'not-found' }));
  });

  it('refuses a file that is no namespace, and a namespace of another kind', () => {
    expect(() => openNetns('/etc/hostname')).toThrow(
      "'/etc/hostname' is an ordinary file, not a network namespace",
    );
    expect(() => openNetns('/proc/self/ns/mnt')).toThrow("a namespace of the kind 'mnt'");
    expect(() => openNetns('/no/such')).toThrow(expect.objectContaining({ code: 'not-found' }));
  });

  it('does not take a left-over file under /run/netns for a namespace', () => {
    using made = makeNetns();
    const stale = uniqueName();
    writeFileSync(join(netnsDirectory, stale), '');
    try {
      const names = listNetns().map(({ name }) => name);
      expect(names).toContain(made.name);
      expect(names).not.toContain(stale);
      expect(() => openNetns(stale)).toThrow(expect.objectContaining({ code: 'not-found' }));
    } finally {
      rmSync(join(netnsDirectory, stale));
    }
  });
});

describeAsRoot('withNetns', () => {
  it('runs synchronous work inside and comes back', () => {
    using made = makeNetns();
    const home = currentNetnsInode();
    const seen = withNetns(made.handle, () => ({ inode: currentNetnsInode(), interfaces: interfaceNames() }));
    expect(seen.inode).toBe(made.handle.inode);
    expect(seen.interfaces.map(({ name }) => name)).toContain('lo');
    expect(currentNetnsInode()).toBe(home);
  });

  it('comes back when the work throws, and nests', () => {
    using outer = makeNetns();
    using inner = makeNetns();
    const home = currentNetnsInode();
    expect(() =>
      withNetns(outer.handle, () => {
        expect(withNetns(inner.handle, currentNetnsInode)).toBe(inner.handle.inode);
        expect(currentNetnsInode()).toBe(outer.handle.inode);
        throw new Error('from inside');
      }),
    ).toThrow('from inside');
    expect(currentNetnsInode()).toBe(home);
  });

  it('starts programs inside', () => {
    using made = makeNetns();
    const { stdout } = withNetns(made.handle, () =>
      spawnSync('readlink', ['/proc/self/ns/net'], { encoding: 'utf8' }),
    );
    expect(stdout.trim()).toBe(`net:[${made.handle.inode}]`);
  });

  it('stays where it is without a namespace', () => {
    expect(withNetns(undefined, currentNetnsInode)).toBe(currentNetnsInode());
  });

  it('refuses asynchronous work', () => {
    using made = makeNetns();
    const home = currentNetnsInode();
    expect(() => withNetns(made.handle, () => Promise.resolve())).toThrow(TypeError);
    expect(currentNetnsInode()).toBe(home);
  });

  it('refuses a bound namespace of another kind', () => {
    const folder = mkdtempSync(join(tmpdir(), 'netkit-netns-'));
    const path = join(folder, 'bound');
    writeFileSync(path, '');
    run('mount', ['--bind', '/proc/self/ns/uts', path]);
    try {
      using netns = openNetns(path);
      expect(() => withNetns(netns, () => undefined)).toThrow(
        expect.objectContaining({ code: 'usage', message: `'${path}' is not a network namespace` }),
      );
    } finally {
      run('umount', [path]);
      rmSync(folder, { recursive: true });
    }
  });

  it('needs CAP_SYS_ADMIN for another namespace and nothing for the current one', () => {
    using made = makeNetns();
    const enter = (path: string): unknown => {
      const without = ['--bounding-set', '-sys_admin', '--inh-caps', '-sys_admin'];
      const probe = [process.execPath, 'scripts/run.mjs', 'test/support/host-probe.ts', 'enter', path];
      return JSON.parse(
        spawnSync('setpriv', [...without, ...probe], { cwd: packageRoot(), encoding: 'utf8' }).stdout,
      );
    };
    expect(enter(made.name)).toEqual({
      code: 'not-permitted',
      message: `not allowed to enter the network namespace '${made.name}'`,
      hint: 'run as root, or with CAP_SYS_ADMIN',
    });
    expect(enter('/proc/self/ns/net')).toEqual({ inode: currentNetnsInode() });
  });

  it('aborts the process when it cannot come back', () => {
    using made = makeNetns();
    const args = ['scripts/run.mjs', 'test/support/host-probe.ts', 'strand', made.name];
    const { signal, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: packageRoot(),
      encoding: 'utf8',
    });
    expect({ signal, stdout }).toEqual({ signal: 'SIGABRT', stdout: '' });
    expect(stderr).toContain('cannot return to its own network namespace');
  });
});

describeAsRoot('netnsName', () => {
  it('names a namespace under /run/netns, and knows no name for one of nobody', () => {
    using made = makeNetns();
    expect(netnsName(made.handle.inode)).toBe(made.name);
    expect(netnsName(1)).toBeUndefined();
  });

  it('names the namespace of process 1 by a path', () => {
    // A process namespace of its own, because process 1 of the machine may be barred even to root.
    const args = [
      '--pid',
      '--fork',
      '--mount-proc',
      process.execPath,
      'scripts/run.mjs',
      'test/support/host-probe.ts',
    ];
    const result = spawnSync('unshare', [...args, 'own-netns-name'], {
      cwd: packageRoot(),
      encoding: 'utf8',
    });
    expect(result.stdout).toBe('"/proc/1/ns/net"');
  });
});

describeAsRoot('findNetns', () => {
  it('looks into each namespace once, the one given first, and opens the one that fits', () => {
    using made = makeNetns();
    const seen: number[] = [];
    const wanted = (inode: number) => (netns: { readonly inode: number }) => {
      seen.push(netns.inode);
      return netns.inode === inode;
    };
    using found = findNetns(wanted(made.handle.inode));
    expect(found?.inode).toBe(made.handle.inode);
    expect(seen[0]).toBe(currentNetnsInode());
    seen.length = 0;
    using first = findNetns(wanted(made.handle.inode), made.handle);
    expect(first?.inode).toBe(made.handle.inode);
    expect(seen).toEqual([made.handle.inode]);
    seen.length = 0;
    expect(findNetns(wanted(1), made.handle)).toBeUndefined();
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toContain(currentNetnsInode());
  });
});
