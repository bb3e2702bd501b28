import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { CliResult } from '../support/cli.js';
import { netkitPath } from '../support/cli.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { isThorough, sampled } from '../support/sampling.js';
import { bpftool, fixture, type Ground, makeGround } from './ground.js';
import { listedBothWays, runToStep, stepsOf } from './kill-ground.js';

const maps = ['flows', 'counts', 'percpu_counts', 'percpu_flows', 'prefixes_v4'];

/** Fills maps of each kind that an atomic batch may write. `f` is attached to an interface, `m` is not. */
const prepared = [
  `load ${fixture('tc')} --name f --set drop_all=false`,
  'attach f @ --hook tcx/ingress',
  'attach f @ --hook tc/egress',
  `load ${fixture('maps')} --name m`,
  'map update m/flows saddr=10.0.0.1 packets=1,bytes=2',
  'map update m/flows saddr=10.0.0.2 packets=3',
  'map update m/counts 3 33',
  'map update m/percpu_counts 1 7',
  'map update m/percpu_flows 1 7',
  'map update m/prefixes_v4 10.0.0.0/8 DROP',
  'map update m/prefixes_v4 10.1.0.0/16 PASS',
];

const entries = [
  'map update m/flows saddr=10.0.0.1 packets=100',
  'map update m/flows saddr=10.0.0.1 packets=101',
  'map delete m/flows saddr=10.0.0.2',
  'map update m/flows saddr=10.0.0.2 5 noexist',
  'map update m/flows saddr=10.0.0.3 6',
  'map update m/counts 3 34 exist',
  'map update m/percpu_counts 1 9',
  'map delete m/percpu_flows 1',
  'map update m/percpu_flows 2 9',
  'map delete m/prefixes_v4 10.1.0.0/16',
  'map update m/prefixes_v4 10.0.0.0/8 PASS',
  'map update m/prefixes_v4 10.2.0.0/16 DROP',
  'map import m/flows ENTRIES',
];

/** A file of entries, for `ENTRIES`. */
const imported = [
  { key: { saddr: '10.0.0.1' }, value: { packets: 1000 } },
  { key: { saddr: '10.0.0.7' }, value: { packets: 7000 } },
];

const functions = [
  'detach f @ --hook tcx/ingress',
  `load ${fixture('pass')} --name p`,
  'attach p @ --direct',
  `load ${fixture('tc')} --name f --replace --set drop_all=true`,
  'unload f',
  `load ${fixture('tc')} --name f --set drop_all=true`,
  'attach f @ --hook tcx/ingress',
  'unload m',
  `load ${fixture('maps')} --name m`,
  'map update m/counts 1 1',
  'map import m/flows ENTRIES --replace',
  'unload p',
];

describeAsRoot(
  'netkit batch --atomic',
  () => {
    expectUnchangedAfterAll();

    async function onGround(work: (ground: Ground) => void | Promise<void>): Promise<void> {
      using ground = makeGround();
      batch(ground, prepared);
      await work(ground);
      ground.does('unload', '--all', '--yes', '--if-exists');
      ground.expectOnlyLock();
    }
    function write(ground: Ground, lines: readonly string[]): string {
      const file = join(ground.bpffs.folder, 'commands');
      const target = `${ground.ifname} --netns ${ground.netns.name}`;
      const text = lines.map((line) => `${line.replace('@', target).replace('ENTRIES', `${file}.ndjson`)}\n`);
      writeFileSync(file, text.join(''));
      writeFileSync(`${file}.ndjson`, imported.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
      return file;
    }
    function batch(ground: Ground, lines: readonly string[], ...options: string[]): CliResult {
      return ground.does('batch', write(ground, lines), ...options);
    }

    /** Everything that can be seen, but for ids. Of what was detached, links get new ones. */
    function picture(ground: Ground) {
      const folder = join(ground.bpffs.root.path, 'netkit/m/maps');
      return {
        functions: String(listedBothWays(ground).comparable),
        pins: ground.bpffs.pins(),
        files: readdirSync(ground.bpffs.stateDir).sort(),
        hooks: ground
          .hooks()
          .map((text) => text.replace(/"id":\d+|\bid \d+|"tag":"\w+"|handle 0x[0-9a-f]+/g, '…'))
          .sort(),
        entries: maps.map((name) => dumped(join(folder, name))),
      };
    }

    it('does the same as without it, and leaves nothing of its own', async () => {
      const pictures: unknown[] = [];
      for (const options of [[], ['--atomic']]) {
        await onGround((ground) => {
          batch(ground, [...entries, ...functions, ...entries.slice(10)], ...options);
          const { hooks: _, ...rest } = picture(ground);
          // Every ground has names and numbers of its own.
          const own = /nk[\w-]+|netkit-test-[\w-]+|("(?:inode|ifindex)": )\d+/g;
          const stable = rest.functions.replaceAll(own, '$1…');
          pictures.push({ ...rest, functions: stable, pins: rest.pins.join(' ').replaceAll(own, '…') });
        });
      }
      expect(pictures[1]).toEqual(pictures[0]);
    });

    it('takes everything back when the last command fails', async () => {
      await onGround((ground) => {
        const beforehand = picture(ground);
        const lines = [...entries, ...functions, 'map get m/counts 99'];
        const { stderr } = ground.refuses(3, 'batch', '--atomic', write(ground, lines));
        expect(stderr).toMatch(
          /:26: .*\(nothing is changed: 25 commands before it undone, 0 after it not\)\n$/,
        );
        expect(picture(ground)).toEqual(beforehand);
      });
    });

    it('takes entries back when a map gets full in the middle of a run', async () => {
      await onGround((ground) => {
        const beforehand = picture(ground);
        const lines = Array.from(
          { length: 100 },
          (_, index) => `map update m/percpu_flows ${index} ${index}`,
        );
        ground.refuses(5, 'batch', '--atomic', write(ground, lines));
        expect(picture(ground)).toEqual(beforehand);
      });
    });

    it('takes everything back on Ctrl-C, and ends with 130', async () => {
      await onGround(async (ground) => {
        const beforehand = picture(ground);
        const many = Array.from(
          { length: 300_000 },
          (_, index) => `map update m/counts ${index % 8} ${index}`,
        );
        using running = ground.start('batch', '--atomic', write(ground, [...entries, ...many]));
        await begun(ground);
        const { status, stderr } = await running.stop('SIGINT');
        expect(status, stderr).toBe(130);
        expect(stderr).toContain('interrupted (nothing is changed: ');
        expect(picture(ground)).toEqual(beforehand);
      });
    });

    it('refuses what could not be taken back before anything is done, and names its line', async () => {
      const refused: readonly (readonly [string, string])[] = [
        ['map push m/queue 1', "could not take 'map push' back: there is no way back"],
        ['map pop m/queue', "could not take 'map pop' back"],
        ['map freeze m/counts', "could not take 'map freeze' back"],
        ['map update m/counts 1 1 lock', 'values are put back without taking their lock'],
        ['map import m/counts ENTRIES --lock', 'values are put back without taking their lock'],
        ['build x.bpf.c', "could not take 'build' back: it writes files"],
        ['prog run f', "could not take 'prog run' back"],
        ['recover', "could not take 'recover' back"],
        ['detach id:1', 'may be somebody else'],
        ['map update m/recent 1 1', 'an lru_hash map throws out other entries by itself'],
        ['map import m/recent ENTRIES', 'an lru_hash map throws out other entries by itself'],
        ['map copy m/flows m/recent', 'an lru_hash map throws out other entries by itself'],
        ['map update m/tables 1 m/counts', 'cannot take back what is written to m/tables'],
        ['nonsense', "unknown command 'nonsense'"],
        ['map get "m', 'a double quote has no end'],
      ];
      await onGround((ground) => {
        const beforehand = picture(ground);
        for (const [line, message] of refused) {
          const lines = ['map update m/counts 1 2', line, 'list'];
          const { stderr } = ground.netkit('batch', '--atomic', write(ground, lines));
          expect(stderr).toContain(message);
          expect(stderr).toMatch(/^netkit: .*commands:2: .*\(nothing was begun\)$/m);
        }
        expect(picture(ground)).toEqual(beforehand);
      });
    });

    it('does not go with --continue', async () => {
      await onGround((ground) => {
        ground.refuses(2, 'batch', '--atomic', '--continue', write(ground, []));
      });
    });

    it('killed at any of its steps, is taken back or finished by the next command that changes something', async () => {
      await onGround(async (ground) => {
        const lines = [...entries.slice(0, 6), ...functions];
        const count = await stepsOf(ground, ['batch', '--atomic', write(ground, lines)]);
        expect(count).toBeLessThan(200);
        const anew = () => {
          ground.does('unload', '--all', '--yes');
          batch(ground, prepared);
        };
        anew();
        const beforehand = picture(ground);
        const outcomes: string[] = [];
        for (const step of sampled(count, 10)) {
          const args = ['batch', '--atomic', write(ground, lines)];
          expect(await runToStep(ground, args, step), `killed at step ${step} of ${count}`).toBeUndefined();
          const { stdout } = ground.does('recover');
          // At the very last step there is nothing left to be finished.
          outcomes.push(/undone/.test(stdout) ? 'undone' : 'finished');
          if (outcomes.at(-1) === 'undone')
            expect({ step, ...picture(ground) }).toEqual({ step, ...beforehand });
          else anew();
        }
        expect(`${outcomes.join(' ')} `).toMatch(
          isThorough ? /^(undone ){12,}(finished )+$/ : /^(undone ){3,}(finished )*$/,
        );
      });
    }, 300_000);

    it('killed while it is taken back, is taken back all the same', async () => {
      await onGround(async (ground) => {
        const lines = [...entries.slice(0, 6), ...functions, 'map get m/counts 99'];
        const beforehand = picture(ground);
        let kills = 0;
        // Each process is killed a few steps after it began, later each time, for a plan of several parts is undone whole.
        for (const part of sampled(15, 4)) {
          const step = 20 + 7 * part;
          const ended = await runToStep(ground, ['batch', '--atomic', write(ground, lines)], step);
          if (ended !== undefined) break;
          for (let at = 1; at < 40; at++) {
            const ended = await runToStep(ground, ['recover'], 1 + (at % 12));
            if (ended !== undefined) break;
            kills++;
          }
          ground.does('recover');
          expect({ step, ...picture(ground) }).toEqual({ step, ...beforehand });
        }
        expect(kills).toBeGreaterThan(isThorough ? 20 : 3);
      });
    }, 300_000);

    it('killed, and its journal damaged, keeps nobody from unloading what it had put aside', async () => {
      await onGround(async (ground) => {
        // Between the removal of the pins and the commit.
        const ended = await runToStep(ground, ['batch', '--atomic', write(ground, ['unload m'])], 2);
        expect(ended).toBeUndefined();
        expect(ground.bpffs.pins()).toContain('netkit/~1-m/maps/counts');
        const journal = join(ground.bpffs.stateDir, 'batch.journal');
        truncateSync(journal, 20);
        appendFileSync(journal, '\n');
        expect(ground.refuses(1, 'recover').stderr).toContain(`${journal} is damaged in line 1`);
        expect(ground.refuses(1, 'load', fixture('pass'), '--name', 'q').stderr).toContain(journal);
        expect(ground.does('unload', 'm').stderr).toContain('what was killed is not undone');
        expect(ground.bpffs.pins().filter((pin) => !pin.startsWith('netkit/f/'))).toEqual([]);
        expect(readdirSync(ground.bpffs.stateDir)).not.toContain('batch.journal');
      });
    });

    it('killed, and one function of it past help, is taken back for the others when that function is unloaded', async () => {
      await onGround(async (ground) => {
        ground.does('load', fixture('pass'), '--name', 'p');
        const journal = join(ground.bpffs.stateDir, 'batch.journal');
        const lines = ['map update m/counts 3 34', 'unload p', 'detach f @ --hook tcx/ingress'];
        // All is done, and the commit is not written yet.
        const ended = await runToStep(ground, ['batch', '--atomic', write(ground, lines)], 7);
        expect(ended).toBeUndefined();
        // Without its program nothing can be attached again.
        const programs = join(ground.bpffs.root.path, 'netkit/f/progs');
        for (const name of readdirSync(programs)) rmSync(join(programs, name));
        expect(ground.refuses(1, 'recover').stderr).toContain('could not be undone: detach f/');
        // Not what was past help: that stays in the way of the rest, but nothing of p is brought back any more.
        expect(ground.does('unload', 'p').stderr).toContain(`${journal} stays for what is left`);
        expect(ground.refuses(1, 'recover').stderr).toContain('could not be undone: detach f/');
        expect(ground.entry('m/counts', '3')).toBe(34);
        expect(ground.does('unload', 'f').stderr).toContain('its change was undone, but for f');
        expect(ground.entry('m/counts', '3')).toBe(33);
        expect(readdirSync(ground.bpffs.stateDir)).not.toContain('batch.journal');
        expect(ground.list().map(({ name }) => name)).toEqual(['m']);
      });
    });

    it('killed, is not taken for undone by a user who cannot tell whether its map is still there', async () => {
      await onGround(async (ground) => {
        const lines = ['map update m/counts 3 34 exist', 'map update m/counts 4 44 exist'];
        const ended = await runToStep(ground, ['batch', '--atomic', write(ground, lines)], 1);
        expect(ended).toBeUndefined();
        const pin = join(ground.bpffs.root.path, 'netkit/m/maps/counts');
        const kept = join(ground.bpffs.root.path, 'kept');
        renameSync(pin, kept);
        const lesser = [
          '--bounding-set',
          '-sys_admin',
          '--inh-caps',
          '-sys_admin',
          process.execPath,
          netkitPath,
          'recover',
        ];
        const env = { ...process.env, ...ground.bpffs.env };
        const refused = () => spawnSync('setpriv', lesser, { encoding: 'utf8', env });
        const { status, stderr } = refused();
        expect(status, stderr).toBe(1);
        expect(stderr).toContain(
          'it could not be undone: the entries of m/counts: m/counts is no longer the map with id',
        );
        expect(readdirSync(ground.bpffs.stateDir)).toContain('batch.journal');
        // Nor when another map is there.
        const other = join(ground.bpffs.root.path, 'other');
        ground.does('map', 'create', other, '--type', 'array', '--value-type', 'u64', '--max-entries', '8');
        renameSync(other, pin);
        expect(refused().status).toBe(1);
        rmSync(pin);
        renameSync(kept, pin);
        expect(refused().stdout).toContain('undone');
        expect(ground.entry('m/counts', '3')).toBe(33);
      });
    });

    it('is taken back when not even its end can be written down', async () => {
      await onGround(async (ground) => {
        const lines = [...entries, 'unload m', 'detach f @'];
        const args = ['batch', '--atomic', write(ground, lines)];
        const journal = join(ground.bpffs.stateDir, 'batch.journal');
        const anew = () => {
          ground.does('unload', '--all', '--yes', '--if-exists');
          batch(ground, prepared);
          write(ground, lines);
        };
        /** Whether its commit is in the journal when it is killed at that step, and how long that is. */
        const killedAt = async (step: number) => {
          anew();
          expect(await runToStep(ground, args, step)).toBeUndefined();
          const text = readdirSync(ground.bpffs.stateDir).includes('batch.journal')
            ? readFileSync(journal, 'utf8')
            : undefined;
          ground.does('recover');
          return {
            isCommitted: text === undefined || text.includes('"kind":"commit"'),
            length: Buffer.byteLength(text ?? ''),
          };
        };
        let [first, last, length] = [0, (await stepsOf(ground, args)) - 1, 0];
        expect((await killedAt(last)).isCommitted).toBe(true);
        while (last - first > 1) {
          const middle = (first + last) >> 1;
          const found = await killedAt(middle);
          if (found.isCommitted) last = middle;
          else [first, length] = [middle, found.length];
        }
        expect(length).toBeGreaterThan(0);
        anew();
        const beforehand = picture(ground);
        const full = spawnSync('prlimit', [`--fsize=${length + 5}`, process.execPath, netkitPath, ...args], {
          encoding: 'utf8',
          env: { ...process.env, ...ground.bpffs.env },
        });
        expect(full.status, full.stderr).toBe(1);
        expect(full.stderr).toMatch(
          /: cannot write '.*batch\.journal': .* \(nothing is changed: 15 commands before it undone, 0 after it not\)\n$/,
        );
        expect(picture(ground)).toEqual(beforehand);
      });
    });

    it('killed at whatever moment, leaves entries that recover makes what they were', async () => {
      await onGround(async (ground) => {
        const beforehand = picture(ground);
        const many = Array.from(
          { length: 200_000 },
          (_, index) =>
            `map ${index % 7 === 0 ? 'update m/prefixes_v4' : 'update m/flows'} ${index % 7 === 0 ? `10.${index % 200}.0.0/16 DROP` : `sport=${index % 1000} ${index}`}`,
        );
        const file = write(ground, many);
        let undone = 0;
        for (const attempt of sampled(8, 5)) {
          await killedAfter(ground, ['batch', '--atomic', file], 40 * attempt);
          const planned = ground.does('recover', '--dry-run').stdout;
          expect(planned).toMatch(
            /^'netkit batch --atomic .*' had been killed: it would be (undone|finished)|^nothing/,
          );
          const { stdout } = ground.does('recover');
          if (stdout.includes('undone')) undone++;
          expect(picture(ground)).toEqual(beforehand);
        }
        expect(undone).toBeGreaterThan(isThorough ? 4 : 1);
      });
    }, 300_000);
  },
  { tools: ['bpftool', 'setpriv', 'prlimit'] },
);

/** Every entry as bpftool has it, all CPUs of it. */
function dumped(pin: string): string[] {
  const listed = bpftool('map', 'dump', 'pinned', pin);
  if (!Array.isArray(listed)) throw new Error('bpftool dumped no array');
  return listed.map((entry) => JSON.stringify(entry)).sort();
}

/** Waits until an atomic batch has written something down. */
async function begun({ bpffs }: Ground): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!readdirSync(bpffs.stateDir).includes('batch.journal')) {
    if (performance.now() > deadline) throw new Error('the batch did not begin');
    await sleep(2);
  }
}

async function killedAfter(ground: Ground, args: readonly string[], ms: number): Promise<void> {
  using running = ground.start(...args);
  await begun(ground);
  await sleep(ms);
  running.process.kill('SIGKILL');
  await running.ended.catch(() => undefined);
}
