// plan and apply where what netkit has written down is damaged, gone, newer, or cannot be written.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { mount, unmount } from '../../src/sys/libc.js';
import { expectUnchangedAfterAll, leavingNothing } from '../support/kernel-state.js';
import { emulated } from '../support/known-kernels.js';
import { describeAsRoot } from '../support/requirements.js';
import { refused, running, standing } from './apply-bad-ground.js';
import { errorOf } from './ground.js';
import { attachedTo, chainOf, functionOf, ingress, ManifestGround } from './manifest-ground.js';
import { compileBeforeAll } from './objects.js';

const state = (g: ManifestGround, name: string) => join(g.ground.bpffs.stateDir, name);
const json = z.record(z.string(), z.unknown());

describeAsRoot('apply', () => {
  const objects = { object: '', heavier: '' };

  expectUnchangedAfterAll();
  compileBeforeAll(async (compiler) => {
    objects.object = await compiler.compile('test/fixtures/fields.bpf.c');
    objects.heavier = await compiler.compile('test/fixtures/fields.bpf.c', ['STEP=2']);
  });

  it('names a state file that was cut in the middle, wherever, and touches nothing', async () => {
    await running(objects, async (g) => {
      const path = state(g, 'f.json');
      const whole = readFileSync(path);
      const programs = g.identity();
      const step = emulated ? 640 : 64;
      for (let length = 0; length < whole.length - 2; length += step) {
        writeFileSync(path, whole.subarray(0, length));
        const result = g.tries();
        expect(result.status, `${length} bytes: ${result.stdout}${result.stderr}`).toBe(1);
        expect(errorOf(result)).toMatchObject({
          code: 'bad-state',
          message: expect.stringMatching(/f\.json/),
        });
        expect(readFileSync(path)).toEqual(whole.subarray(0, length));
      }
      await refused(g, { status: 1, code: 'bad-state', says: /f\.json/ });
      writeFileSync(path, whole);
      expect(g.identity()).toEqual(programs);
      expect(g.plans()).toMatchObject({ pending: false });
    });
  });

  it('leaves alone what a newer netkit wrote', async () => {
    await running(objects, async (g) => {
      const path = state(g, 'f.json');
      const whole = readFileSync(path, 'utf8');
      writeFileSync(path, JSON.stringify({ ...json.parse(JSON.parse(whole)), formatVersion: 99 }));
      await refused(g, { status: 1, code: 'bad-state', says: /f\.json.*(newer|99)/ });
      writeFileSync(path, whole);
      expect(g.plans()).toMatchObject({ pending: false });
    });
  });

  it('names a chain’s file that is damaged or newer, too', async () => {
    await running(objects, async (g) => {
      const free = functionOf({ program: { object: g.object, only: ['two'] } }, 'free');
      const place = { interface: g.ground.ifname, netns: g.ground.netns.name, hook: ingress };
      g.declares([...standing(g), free, chainOf({ ...place, functions: ['free'] })]);
      g.applies();
      const path = state(g, 'edge.chain');
      const whole = readFileSync(path, 'utf8');
      const newer = JSON.stringify({ ...json.parse(JSON.parse(whole)), formatVersion: 99 });
      for (const content of [whole.slice(0, whole.length / 2), '', newer]) {
        writeFileSync(path, content);
        await refused(g, { status: 1, code: 'bad-state', says: /edge\.chain/ });
      }
      writeFileSync(path, whole);
      expect(g.plans()).toMatchObject({ pending: false });
    });
  });

  it('does without the files of former entries and objects, and says so', async () => {
    await running(objects, async (g) => {
      const [entries] = readdirSync(g.ground.bpffs.stateDir).filter((name) => name.endsWith('.entries'));
      rmSync(state(g, entries ?? ''));
      const [f] = standing(g);
      g.declares([functionOf({ ...f?.spec, maps: { words: { entries: { 2: 20 } } } })]);
      const result = g.tries();
      expect(result.status, result.stderr).toBe(0);
      expect(result.stderr).toMatch(/entries that are no longer declared stay/);
      expect(Object.keys(g.entries('words')).sort()).toEqual(['01000000', '02000000']);
      expect(g.plans()).toMatchObject({ pending: false });
    });
  });

  it('brings everything back where somebody emptied the bpf file system, or removed links', async () => {
    await running(objects, async (g) => {
      const root = g.ground.bpffs.root.path;
      const links = () => g.ground.bpffs.pins().filter((pin) => !/\/(maps|progs)\//.test(pin));
      const removals = {
        all: () => rmSync(join(root, 'netkit'), { recursive: true }),
        links: () => {
          for (const pin of links()) rmSync(join(root, pin));
        },
      };
      for (const [what, remove] of Object.entries(removals)) {
        // A tc filter has no pin.
        if (what === 'links' && links().length === 0) continue;
        remove();
        const [plan] = g.plans().functions;
        expect(plan, what).toMatchObject({ changes: [], drift: [expect.any(String)] });
        g.applies();
        expect(g.plans(), what).toMatchObject({ pending: false });
        expect(await g.arriving(), what).toEqual({ one: 1 });
        expect(g.entries('words'), what).toEqual({ '01000000': '0a00000000000000' });
      }
    });
  });

  it('names the pins of maps and programs that somebody removed, and makes the function anew once it is unloaded', async () => {
    await running(objects, async (g) => {
      for (const [pin, says] of [
        ['maps/words', /pins of 'f' are gone: .*words/],
        ['progs/one', /pins of 'f' are gone: .*one/],
      ] as const) {
        rmSync(g.pin('f', pin));
        const before = g.identity();
        for (const command of ['plan', 'apply']) {
          const result = g.ground.netkit(command, '-f', g.file('m.yaml'), '--json');
          expect(result.status, result.stdout).toBe(5);
          expect(errorOf(result)).toMatchObject({
            message: expect.stringMatching(says),
            hint: expect.stringMatching(/netkit unload f/),
          });
        }
        expect(g.identity()).toEqual(before);
        expect(await g.arriving(), 'it goes on').toEqual({ one: 1 });
        g.ground.does('unload', 'f');
        g.applies();
        expect(await g.arriving()).toEqual({ one: 1 });
        expect(g.plans()).toMatchObject({ pending: false });
      }
    });
  });

  it('does nothing on a full disk, and everything when there is room again', async () => {
    using g = new ManifestGround(objects);
    const directory = g.ground.bpffs.stateDir;
    mkdirSync(directory);
    mount('tmpfs', directory, 'tmpfs', 0, 'size=256k,mode=0700');
    try {
      await leavingNothing(async () => {
        g.declares(standing(g));
        g.applies();
        const before = g.identity();
        const filler = state(g, 'filler');
        const full = (work: () => void) => {
          expect(() => writeFileSync(filler, Buffer.alloc(1 << 20))).toThrow(/ENOSPC/);
          work();
          rmSync(filler);
        };
        const [f] = standing(g);
        const changes = {
          entries: functionOf({ ...f?.spec, maps: { words: { entries: { 2: 20 } } } }),
          program: functionOf({ ...f?.spec, program: { object: g.heavier, only: ['one'] } }),
          place: functionOf({
            ...f?.spec,
            attach: [attachedTo(g, 'one', { interfaces: [g.ground.ifname, 'lo'] })],
          }),
          labels: { ...functionOf({ ...f?.spec }), metadata: { name: 'f', labels: { a: 'b' } } },
          another: functionOf({ program: { object: g.object, only: ['two'] } }, 'another'),
        };
        full(() => {
          expect(g.plans(), 'to look needs no room').toMatchObject({ pending: false });
          for (const [what, document] of Object.entries(changes)) {
            g.declares([document]);
            const result = g.tries();
            expect(result.status, `${what}: ${result.stderr}`).toBe(1);
            expect(errorOf(result).message, what).toMatch(/no space is left on the device/);
            expect(g.identity(), what).toEqual(before);
            expect(g.entries('words'), what).toEqual({ '01000000': '0a00000000000000' });
          }
        });
        expect(await g.arriving()).toEqual({ one: 1 });
        g.declares(standing(g));
        expect(g.plans()).toMatchObject({ pending: false });
        g.declares([changes.program, changes.another]);
        g.applies();
        expect(await g.arriving()).toEqual({ one: 2 });
        g.clears();
        g.ground.expectOnlyLock();
      });
    } finally {
      unmount(directory);
    }
  });
});
