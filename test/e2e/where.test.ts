import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { netkitPath } from '../support/cli.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { errorOf, fixture, type Ground, makeGround } from './ground.js';

/** A process that holds the lock, having written the line that netkit writes there. */
function holdLock(ground: Ground): Disposable & { readonly ready: Promise<void> } {
  mkdirSync(ground.bpffs.stateDir, { recursive: true, mode: 0o700 });
  const path = join(ground.bpffs.stateDir, 'lock');
  const line = `{"pid":4242,"command":"netkit load slow","since":${Date.now() - 4000}}`;
  const script = `echo '${line}' > '${path}'; echo held; exec sleep 30`;
  const child = spawn('flock', ['--no-fork', path, 'sh', '-c', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return {
    ready: new Promise((resolve) => child.stdout.once('data', () => resolve())),
    [Symbol.dispose]: () => {
      child.kill('SIGKILL');
    },
  };
}

describeAsRoot(
  'where netkit works',
  () => {
    expectUnchangedAfterAll();

    /** `ip netns exec NAME netkit …`, which gives netkit a mount namespace without a bpffs at /sys/fs/bpf. */
    function netnsExec(ground: Ground, env: Readonly<Record<string, string>>, ...args: string[]) {
      const { NETKIT_BPFFS: _, NETKIT_STATE_DIR: __, ...outer } = process.env;
      return spawnSync('ip', ['netns', 'exec', ground.netns.name, process.execPath, netkitPath, ...args], {
        encoding: 'utf8',
        env: { ...outer, NETKIT_STATE_DIR: ground.bpffs.stateDir, ...env },
      });
    }

    it('is not below ip netns exec, whose mounts vanish: status 4, and the way with --netns', () => {
      using ground = makeGround();
      const refused = netnsExec(ground, {}, 'load', fixture('pass'));
      expect(refused.status, refused.stderr).toBe(4);
      expect(refused.stderr).toMatch(/^netkit: .*\/sys\/fs\/bpf.*\nhint: .*--netns.*--bpffs.*\n$/);
      expect(ground.bpffs.pins()).toEqual([]);
    });

    it('is below ip netns exec with a bpffs that is named, on the interfaces there', () => {
      using ground = makeGround();
      const env = { NETKIT_BPFFS: ground.bpffs.root.path };
      const run = (...args: string[]) => {
        const result = netnsExec(ground, env, ...args);
        expect(result.status, result.stderr).toBe(0);
        return result.stdout;
      };
      run('load', fixture('globals'), '--name', 'g');
      run('attach', 'g', ground.ifname);
      expect(ground.ping(2)).toBe(0);
      // The same link from outside, by its namespace's name.
      const { netns, dead } = ground.listed('g').links[0] ?? {};
      expect(netns).toEqual({ inode: ground.netns.handle.inode, name: ground.netns.name });
      expect(dead).toBe(false);
      const where = ['--netns', ground.netns.name];
      expect(ground.does('attach', 'g', ground.ifname, ...where).stdout).toMatch(/already/);
      ground.refuses(3, 'detach', 'g', ground.ifname, '--netns', ground.veth.a.netns.name);
      ground.does('detach', 'g', ground.ifname, ...where);
      expect(ground.ping(2)).toBe(2);
      run('unload', 'g');
      expect(ground.bpffs.pins()).toEqual([]);
    });

    it('is the namespace that --netns names by name, by path, or by a process', () => {
      using ground = makeGround();
      const sleeper = ground.netns.inside(() => spawn('sleep', ['30'], { stdio: 'ignore' }));
      try {
        ground.does('load', fixture('globals'), '--name', 'g');
        for (const reference of [ground.netns.name, `/run/netns/${ground.netns.name}`, String(sleeper.pid)]) {
          ground.does('attach', 'g', ground.ifname, '--netns', reference);
          expect(ground.ping(2), reference).toBe(0);
          ground.does('detach', 'g', ground.ifname, '--netns', reference);
          expect(ground.ping(2), reference).toBe(2);
        }
        ground.does('attach', 'g', ground.ifname, '--netns', String(sleeper.pid));
      } finally {
        sleeper.kill('SIGKILL');
      }
      // The process is gone, the namespace is not.
      ground.does('unload', 'g');
      expect(ground.ping(2)).toBe(2);
    });

    it('says that there is no such namespace, or where the interface is', () => {
      using ground = makeGround();
      ground.does('load', fixture('pass'));
      const unknown = ground.refuses(3, 'attach', 'pass', 'lo', '--netns', `${ground.netns.name}x`);
      expect(unknown.stderr).toMatch(new RegExp(`hint: .*${ground.netns.name}`));
      ground.refuses(3, 'attach', 'pass', 'lo', '--netns', '/run/netns/there-is-none');
      ground.refuses(2, 'attach', 'pass', 'lo', '--netns', '/etc/passwd');
      ground.refuses(3, 'attach', 'pass', 'lo', '--netns', '4194304');
      const elsewhere = ground.refuses(3, 'attach', 'pass', ground.ifname);
      expect(elsewhere.stderr).toContain(ground.netns.name);
      ground.refuses(3, 'attach', 'pass', 'no-such-if', '--netns', ground.netns.name);
      expect(ground.listed('pass').links).toEqual([]);
      ground.does('unload', 'pass');
    });

    it('unloads a function whose namespace has gone', () => {
      using ground = makeGround();
      ground.does('load', fixture('tcx'), '--name', 'f');
      {
        using gone = makeGround();
        for (const hook of ['tcx/ingress', 'tc/egress'])
          ground.does('attach', 'f/on_ingress', gone.ifname, '--netns', gone.netns.name, '--hook', hook);
      }
      expect(ground.listed('f').links.map(({ dead }) => dead)).toEqual([true, true]);
      expect(ground.refuses(3, 'detach', 'f', ...ground.place).stderr).toMatch(
        /^hint: it is attached to: tcx?\/ingress of \S+ in netns \S+ \(dead: .*'netkit detach f' takes off all/m,
      );
      ground.does('unload', 'f');
      expect(ground.bpffs.pins()).toEqual([]);
    });

    it('is used by twenty commands at once, which all succeed', async () => {
      using ground = makeGround();
      const names = Array.from({ length: 20 }, (_, index) => `f${index}`);
      await Promise.all(
        names.map((name) => ground.manages('load', fixture('pass'), '--name', name, '--lock-timeout', '60')),
      );
      expect(ground.list().map(({ name }) => name)).toEqual([...names].sort());
      await Promise.all(names.map((name) => ground.manages('unload', name, '--lock-timeout', '60')));
      ground.expectOnlyLock();
    });

    it('gives one of several commands that want the same name what it wants, and the others status 5', async () => {
      using ground = makeGround();
      const load = ['load', fixture('pass'), '--name', 'one', '--lock-timeout', '60'];
      const results = await Promise.all([1, 2, 3, 4].map(() => ground.runs(load)));
      expect(results.map((result) => result?.status).sort()).toEqual([0, 5, 5, 5]);
      expect(ground.listed('one').programs).toHaveLength(1);
      const where = ['attach', 'one', ...ground.place, '--lock-timeout', '60'];
      const attached = await Promise.all([1, 2, 3].map(() => ground.runs(where)));
      expect(attached.map((result) => result?.status)).toEqual([0, 0, 0]);
      expect(attached.filter((result) => result?.stdout.includes('already'))).toHaveLength(2);
      expect(ground.listed('one').links).toHaveLength(1);
      ground.does('unload', 'one');
    });

    it('names the command that it waits for, and gives up after --lock-timeout', async () => {
      using ground = makeGround();
      {
        using held = holdLock(ground);
        await held.ready;
        const started = performance.now();
        const refused = ground.netkit('load', fixture('pass'), '--lock-timeout', '0.2');
        expect(refused.status).toBe(5);
        expect(performance.now() - started).toBeGreaterThan(200);
        expect(refused.stderr).toMatch(/waiting for 'netkit load slow' \(pid 4242, for \d+ s\)/);
        expect(refused.stderr).toMatch(
          /^netkit: another netkit command holds the lock: 'netkit load slow' \(pid 4242/m,
        );
        expect(refused.stderr).toMatch(/^hint: .*--lock-timeout/m);
        const json = errorOf(
          ground.refuses(5, 'load', fixture('pass'), '--lock-timeout', '0', '--json', '--quiet'),
        );
        expect(json).toMatchObject({ code: 'locked', details: { holder: { pid: 4242 } } });
        // Reading takes no lock.
        expect(ground.list()).toEqual([]);
        expect(ground.bpffs.pins()).toEqual([]);
      }
      ground.does('load', fixture('pass'));
      ground.does('unload', 'pass');
    });

    it('goes on when the holder lets go', async () => {
      using ground = makeGround();
      using held = holdLock(ground);
      await held.ready;
      using waiting = ground.start('load', fixture('pass'));
      await waiting.output(/waiting for/);
      held[Symbol.dispose]();
      const { status } = await waiting.ended;
      expect(status).toBe(0);
      ground.does('unload', 'pass');
    });

    it.each([
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const)('is left unchanged by %s while it waits: status %i', async (signal, status) => {
      using ground = makeGround();
      using held = holdLock(ground);
      await held.ready;
      const lock = readFileSync(join(ground.bpffs.stateDir, 'lock'), 'utf8');
      using waiting = ground.start('load', fixture('pass'));
      await waiting.output(/waiting for/);
      const started = performance.now();
      const ended = await waiting.stop(signal);
      expect(ended.status).toBe(status);
      expect(performance.now() - started).toBeLessThan(2000);
      expect(ended.stderr).toMatch(/interrupted/);
      ground.expectOnlyLock();
      expect(readFileSync(join(ground.bpffs.stateDir, 'lock'), 'utf8')).toBe(lock);
    });

    it('is brought back to where it was by Ctrl-C at any moment of a change', async () => {
      using ground = makeGround();
      ground.does('load', fixture('globals'), '--name', 'g', '--set', 'default_action=PASS');
      ground.attach('g');
      const replace = [
        'load',
        fixture('globals'),
        '--name',
        'g',
        '--replace',
        '--set',
        'default_action=DROP',
      ];
      let interrupted = 0;
      for (let attempt = 0; attempt < 10; attempt++) {
        const was = ground.list();
        using running = ground.start(...replace);
        const timer = setTimeout(() => running.process.kill('SIGINT'), 70 + 10 * attempt);
        // Before netkit listens for it, a signal ends Node itself.
        const ended = await running.ended.catch(() => undefined);
        clearTimeout(timer);
        expect(readdirSync(ground.bpffs.stateDir)).toHaveLength(3);
        if (ended?.status === 0) {
          expect(ground.ping(1)).toBe(0);
          ground.does('load', fixture('globals'), '--name', 'g', '--replace', '--set', 'default_action=PASS');
          continue;
        }
        interrupted += 1;
        if (ended !== undefined) expect(ended.status, ended.stderr).toBe(130);
        expect(ground.list()).toEqual(was);
        expect(ground.ping(1)).toBe(1);
      }
      expect(interrupted).toBeGreaterThan(0);
      ground.does('unload', 'g');
      expect(ground.bpffs.pins()).toEqual([]);
    });

    it('refuses a --bpffs that is none, and a state directory that is a file', () => {
      using ground = makeGround();
      ground.refuses(2, 'load', fixture('pass'), '--bpffs', ground.bpffs.folder);
      ground.refuses(2, 'load', fixture('pass'), '--bpffs', join(ground.bpffs.folder, 'none'));
      const refused = ground.netkit('load', fixture('pass'), '--state-dir', fixture('pass'));
      expect(refused.status).not.toBe(0);
      expect(refused.stderr).toContain(fixture('pass'));
      expect(ground.bpffs.pins()).toEqual([]);
    });
  },
  { tools: ['ping', 'flock'] },
);
