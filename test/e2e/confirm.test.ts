// A change with --confirm returns by itself, whoever is gone by then, and stays once it is confirmed.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { documents } from '../../src/cli/schema/documents.js';
import { netkitPath } from '../support/cli.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import {
  attaching,
  dropping,
  finish,
  ingress,
  kill,
  killWatchers,
  noWatchers,
  passing,
  passTime,
  pendingOf,
  soon,
  soonSeconds,
  until,
  watchers,
} from './confirm-ground.js';
import { documentOf, errorOf, fixture, makeGround } from './ground.js';
import { reboot } from './reboot.js';
import { conflict, expectRefused } from './refusal.js';

describeAsRoot(
  'a change with --confirm',
  () => {
    expectUnchangedAfterAll();

    it('returns by itself when nobody confirms it: pings are lost, and answered again', async () => {
      using ground = makeGround();
      ground.does(...dropping);
      const bare = ground.hooks();
      const said = ground.does(...attaching(ground, soon));
      expect(said.stdout).toMatch(
        /\ntaken back in \d+ s, at \d\d:\d\d:\d\d, unless 'netkit confirm f' keeps it\n$/,
      );
      expect(ground.ping()).toBe(0);
      const [pending] = pendingOf(ground);
      expect(pending).toMatchObject({ function: 'f', problem: null });
      expect(pending?.command).toMatch(/^netkit attach f .*--confirm \d+s$/);
      expect(pending?.secondsLeft).toBeGreaterThan(0);
      expect(pending?.secondsLeft).toBeLessThanOrEqual(soonSeconds);
      expect(ground.netkit('doctor').stdout).toMatch(
        /^ok +change to f +'netkit attach f .*is taken back in/m,
      );
      await noWatchers(ground);
      expect(ground.ping()).toBe(5);
      expect(ground.hooks()).toEqual(bare);
      expect(ground.listed('f').links).toEqual([]);
      expect(pendingOf(ground)).toEqual([]);
      // Who comes too late is told so, once.
      const late = ground.refuses(5, 'confirm', 'f');
      expect(late.stderr).toMatch(/attach f .*was taken back at \d\d:\d\d:\d\d: nobody confirmed it in time/);
      expect(ground.does('confirm').stdout).toBe('nothing waits to be confirmed\n');
      await finish(ground);
    });

    it('stays when it is confirmed in time, and nothing of the waiting is left', async () => {
      using ground = makeGround();
      ground.does(...dropping);
      ground.does(...attaching(ground, soon));
      const { kept, returned } = documentOf(documents.confirm, ground.does('confirm', '--json'));
      expect(kept).toMatchObject([{ function: 'f' }]);
      expect(returned).toEqual([]);
      await noWatchers(ground);
      await sleep(soonSeconds * 1000 + 200);
      expect(ground.ping()).toBe(0);
      expect(readdirSync(ground.bpffs.stateDir).filter((file) => file.endsWith('.pending'))).toEqual([]);
      await finish(ground);
    });

    it('returns when the terminal goes, with the shell and all that ran on it', async () => {
      using ground = makeGround();
      ground.does(...dropping);
      const words = [process.execPath, netkitPath, ...attaching(ground, soon)].join(' ');
      const terminal = spawn('script', ['-qec', `${words}; sleep 60`, '/dev/null'], {
        env: { ...process.env, ...ground.bpffs.env },
        stdio: ['pipe', 'pipe', 'ignore'],
      });
      const ended = new Promise((resolve) => terminal.on('close', resolve));
      let shown = '';
      terminal.stdout.on('data', (chunk: Buffer) => {
        shown += chunk;
      });
      await until('the terminal shows that it is attached', () => shown.includes('taken back in'));
      // The end of the terminal hangs up on its session.
      terminal.kill('SIGKILL');
      await ended;
      const left = watchers(ground);
      expect(left.map(({ isShell }) => isShell).sort()).toEqual([false, true]);
      expect(new Set(left.map(({ session }) => session))).toEqual(
        new Set(left.filter(({ isShell }) => isShell).map(({ pid }) => pid)),
      );
      expect(ground.ping()).toBe(0);
      await noWatchers(ground);
      expect(ground.ping()).toBe(5);
      await finish(ground);
    });

    it('returns when the process that takes it back is killed: another one comes in its place', async () => {
      using ground = makeGround();
      ground.does(...dropping);
      ground.does(...attaching(ground, soon));
      for (const { pid, isShell } of watchers(ground)) if (!isShell) kill(pid);
      expect(ground.ping()).toBe(0);
      await until('pings are answered', () => ground.ping(1) === 1);
      await noWatchers(ground);
      await finish(ground);
    });

    it('returns with the next command that changes anything, when nobody is left to take it back', async () => {
      using ground = makeGround();
      ground.does(...dropping);
      ground.does(...attaching(ground, soon));
      killWatchers(ground);
      await sleep(soonSeconds * 1000 + 100);
      expect(ground.ping()).toBe(0);
      expect(ground.does('list').stdout).toMatch(
        /'netkit attach f .*' is overdue: 'netkit recover' takes it back/,
      );
      expect(ground.netkit('doctor').stdout).toMatch(/^warning +change to f +.*is overdue/m);
      const planned = documentOf(documents.recover, ground.does('recover', '--dry-run', '--json'));
      expect(planned.returned).toMatchObject([{ function: 'f', returnedAt: null }]);
      const other = ground.does('load', fixture('pass'), '--name', 'other');
      expect(other.stderr).toMatch(
        /^netkit: 'netkit attach f .*' was taken back: nobody confirmed it in time\n$/,
      );
      expect(ground.ping()).toBe(5);
      ground.does('unload', 'other');
      // And by recover alone.
      ground.does(...attaching(ground, '1h'));
      killWatchers(ground);
      passTime(ground);
      const { returned, pending } = documentOf(documents.recover, ground.does('recover', '--json'));
      expect(returned).toMatchObject([{ function: 'f', reason: 'time' }]);
      expect(pending).toEqual([]);
      expect(ground.ping()).toBe(5);
      await finish(ground);
    });

    it('that replaces a function returns to the old program with its maps', async () => {
      using ground = makeGround();
      ground.does(...passing);
      ground.attach('f', '--hook', ingress);
      expect(ground.ping()).toBe(5);
      const old = ground.listed('f');
      for (const command of [
        ['replace', 'f', fixture('tc'), '--set', 'drop_all=true', '--new-map', 'packets'],
        [...dropping, '--replace'],
      ]) {
        const count = Number(ground.entry('f/packets', '0'));
        ground.does(...command, '--confirm', '1h');
        expect(ground.listed('f').programs[0]?.id).not.toBe(old.programs[0]?.id);
        expect(ground.ping()).toBe(0);
        passTime(ground);
        await noWatchers(ground);
        const back = ground.listed('f');
        expect(back.programs).toEqual(old.programs);
        expect(back.maps).toEqual(old.maps);
        expect(back.links).toEqual(old.links);
        // What came meanwhile was counted in the other map; what it had counted before is there.
        expect(ground.entry('f/packets', '0')).toBeGreaterThanOrEqual(count);
        expect(ground.ping()).toBe(5);
      }
      ground.does('replace', 'f', fixture('tc'), '--set', 'drop_all=true', '--confirm', '1h');
      ground.does('confirm', 'f');
      expect(ground.ping()).toBe(0);
      expect(ground.bpffs.pins().filter((pin) => !pin.startsWith('netkit/f/'))).toEqual([]);
      await finish(ground);
    });

    it('that detaches or unloads a function brings it back, with what its maps hold', async () => {
      using ground = makeGround();
      ground.does(...dropping);
      ground.attach('f', '--hook', 'tc/ingress');
      ground.ping();
      const old = ground.listed('f');
      const count = ground.entry('f/packets', '0');
      for (const command of [
        ['detach', 'f'],
        ['unload', 'f'],
      ]) {
        ground.does(...command, '--confirm', '1h');
        expect(ground.ping()).toBe(5);
        passTime(ground);
        await noWatchers(ground);
        expect(ground.ping(1)).toBe(0);
        expect(ground.listed('f')).toEqual(old);
        expect(ground.entry('f/packets', '0')).toBeGreaterThanOrEqual(Number(count));
      }
      ground.does('unload', 'f', '--confirm', '1h');
      ground.does('confirm');
      await noWatchers(ground);
      expect(ground.list()).toEqual([]);
      ground.expectOnlyLock();
    });

    it('leaves other functions free, which may wait for themselves, and keeps its own from being changed', async () => {
      using ground = makeGround();
      ground.does(...passing);
      ground.does('load', fixture('tc'), '--name', 'g', '--set', 'drop_all=true');
      ground.does(...attaching(ground, '1h'));
      for (const command of [
        ['detach', 'f'],
        ['unload', 'f'],
        ['replace', 'f', fixture('tc')],
        [...passing, '--replace'],
        ['attach', 'f', ...ground.place, '--hook', 'tc/egress'],
        ['detach', 'f', '--dry-run'],
      ]) {
        await expectRefused(ground, command, {
          ...conflict,
          says: /'netkit attach f .*' waits for its confirmation: 'f' cannot be changed before/,
        });
      }
      ground.does(...attaching(ground, '1h', 'g', 'tc/egress'));
      expect(pendingOf(ground).map((each) => each.function)).toEqual(['f', 'g']);
      expect(ground.ping()).toBe(0);
      ground.does('confirm', 'f');
      passTime(ground, 'g');
      await noWatchers(ground);
      expect(ground.ping()).toBe(5);
      expect(ground.listed('f').links).toHaveLength(1);
      expect(ground.listed('g').links).toEqual([]);
      ground.does('unload', 'g');
      await finish(ground);
    });

    it('tells of what came in time and of what came too late at once', async () => {
      using ground = makeGround();
      ground.does(...passing);
      ground.does('load', fixture('tc'), '--name', 'g');
      ground.does(...attaching(ground, '1h'));
      ground.does(...attaching(ground, '1h', 'g'));
      passTime(ground, 'g');
      await until('one is taken back', () => pendingOf(ground).length === 1);
      const planned = documentOf(documents.confirm, ground.netkit('confirm', '--dry-run', '--json'));
      const both = ground.netkit('confirm', '--json');
      expect(both.status).toBe(5);
      for (const { kept, returned } of [planned, documentOf(documents.confirm, both)]) {
        expect(kept.map((each) => each.function)).toEqual(['f']);
        expect(returned.map((each) => each.function)).toEqual(['g']);
      }
      ground.does('unload', 'g');
      await finish(ground);
    });

    it('of before a reboot has returned in what is recorded', async () => {
      using ground = makeGround();
      ground.does(...passing, '--persist');
      ground.attach('f', '--hook', ingress);
      ground.does('replace', 'f', fixture('tc'), '--set', 'drop_all=true', '--confirm', '1h');
      killWatchers(ground);
      // A filter of tc would outlast its pin.
      ground.does('off', '--all', '--yes');
      reboot(ground);
      const recovered = documentOf(documents.recover, ground.does('recover', '--json'));
      expect(recovered.returned).toMatchObject([{ function: 'f', reason: 'reboot' }]);
      expect(recovered.restored).toEqual(['f']);
      expect(ground.ping()).toBe(5);
      expect(Number(ground.entry('f/packets', '0'))).toBeGreaterThanOrEqual(5);
      expect(errorOf(ground.refuses(5, 'confirm', '--json')).message).toMatch(
        /started anew before anybody confirmed/,
      );
      await finish(ground);
    });
  },
  { tools: ['script', 'ping'] },
);
