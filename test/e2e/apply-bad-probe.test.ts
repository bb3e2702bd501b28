// Health checks that hang, fork, print without end, cannot be asked or take very long: the change is taken back in time, and
// what is said of it is true.
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { emulated } from '../support/known-kernels.js';
import { describeAsRoot } from '../support/requirements.js';
import { badManifest, refused, running, standing } from './apply-bad-ground.js';
import { errorOf } from './ground.js';
import { functionOf, type ManifestGround } from './manifest-ground.js';
import { compileBeforeAll } from './objects.js';
import { conflict, notPermitted } from './refusal.js';

const failed = { status: 1, code: 'unhealthy' } as const;
/** From the swap to the return, where the check itself takes a fraction of a second. */
const soonMs = emulated ? 60_000 : 12_000;

/** The next generation, with a health check. */
function declares(g: ManifestGround, health: object): void {
  const [document] = standing(g);
  const program = { object: g.heavier, only: ['one'] };
  g.declares([functionOf({ ...document?.spec, program, health })]);
}

function asks(g: ManifestGround, words: string, more: object = { timeout: '500ms' }): void {
  declares(g, { probe: { command: ['sh', '-c', words], ...more }, settle: '100ms' });
}

describeAsRoot('a health check', () => {
  const objects = { object: '', heavier: '' };

  expectUnchangedAfterAll();
  compileBeforeAll(async (compiler) => {
    objects.object = await compiler.compile('test/fixtures/fields.bpf.c', []);
    objects.heavier = await compiler.compile('test/fixtures/fields.bpf.c', ['STEP=2']);
  });

  it.for([
    ['hangs', 'sleep 60', /'sh -c sleep 60' did not answer within 500 ms/],
    ['hangs in a child', 'sleep 60 & wait', /did not answer within 500 ms/],
    ['leaves a child behind that keeps its output', 'sleep 60 & echo wrong >&2; exit 3', /status 3: wrong/],
    ['prints without end', 'yes | cat', /did not answer within 500 ms/],
    ['complains without end', 'yes complaint >&2', /did not answer within 500 ms/],
  ] as const)('that $0 has the old generation back in time', async ([, words, says]) => {
    await running(objects, async (g) => {
      asks(g, words);
      const started = performance.now();
      const before = g.identity();
      const result = g.tries();
      expect(performance.now() - started).toBeLessThan(soonMs);
      expect(result.status, result.stderr).toBe(failed.status);
      expect(errorOf(result)).toMatchObject({ code: failed.code, message: expect.stringMatching(says) });
      expect(g.identity()).toEqual(before);
      expect(await g.arriving()).toEqual({ one: 1 });
    });
  });

  it('that is still being asked is waited for as long as it may take', async () => {
    await running(objects, (g) => {
      const pending = `${g.ground.bpffs.stateDir}/f.pending`;
      asks(g, `cp ${pending} ${g.file('seen')}`, { timeout: '40s' });
      const before = Date.now();
      g.applies();
      const { deadline } = pendingFile.parse(JSON.parse(readFileSync(g.file('seen'), 'utf8')));
      expect(Date.parse(deadline.at) - before).toBeGreaterThan(80_000);
      expect(existsSync(pending)).toBe(false);
    });
  });

  it('that goes well after the change was taken back does not say that it stays', async () => {
    await running(objects, async (g) => {
      const before = g.identity();
      // As if this had been waited for too long: the process that takes changes back looks four times a second.
      const pending = `${g.ground.bpffs.stateDir}/f.pending`;
      asks(g, `sed -i 's/"bootMs":[0-9.]*/"bootMs":0/' ${pending}; sleep 3`, { timeout: '10s' });
      const result = g.tries();
      expect(result.status, result.stdout).toBe(conflict.status);
      expect(errorOf(result)).toMatchObject({
        code: conflict.code,
        message: expect.stringMatching(/was taken back before it was known.*everything is as it was before/),
      });
      expect(g.identity()).toEqual(before);
      expect(existsSync(pending)).toBe(false);
      expect(await g.arriving()).toEqual({ one: 1 });
    });
  });

  it('that cannot be asked is named before anything runs, with its place', async () => {
    await running(objects, async (g) => {
      const map = { map: 'tallies', field: 'count', key: 0, op: '==', value: 0 };
      for (const [probe, says] of [
        [{ command: ['/no/such'] }, /probe\.command: '\/no\/such' is no program that can be started/],
        [{ command: ['no-such'] }, /probe\.command: there is no program 'no-such' in PATH/],
        [{ command: ['.'] }, /probe\.command: there is no program '\.' in PATH/],
        [{ ...map, key: 16 }, /probe\.key: the map's indices go from 0 to 15/],
        [{ ...map, value: 'few' }, /probe\.value: 'few' is no whole number/],
      ] as const) {
        declares(g, { probe, settle: '20ms' });
        await refused(g, badManifest(says));
      }
    });
  });

  it('is a program beside the manifest, wherever netkit is started, and not one that others can write', async () => {
    await running(objects, async (g) => {
      const check = g.writes('check.sh', '#!/bin/sh\n[ -f m.yaml ]\n');
      declares(g, { probe: { command: ['./check.sh'] }, settle: '20ms' });
      chmodSync(check, 0o777);
      await refused(g, { ...notPermitted, says: /the command '.*\/check\.sh' is not trusted/ });
      chmodSync(check, 0o755);
      g.applies();
      const exported = g.ground.does('export', 'f').stdout;
      expect(exported).toContain(`- ${check}\n`);
    });
  });
});

const pendingFile = z.looseObject({ deadline: z.looseObject({ at: z.string() }) });
