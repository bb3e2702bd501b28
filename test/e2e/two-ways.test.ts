import { describe, expect, it } from 'vitest';
import { documents } from '../../src/cli/schema/documents.js';
import { expectUnchangedAfterAll, leavingNothing } from '../support/kernel-state.js';
import { kernelLacks } from '../support/known-kernels.js';
import { describeAsRoot, ownProcessId } from '../support/requirements.js';
import { documentOf, type Ground, makeGround } from './ground.js';
import { callGetpgid, hookLack, onGround } from './hook-ground.js';
import { compileBeforeAll } from './objects.js';
import { expectRefused, unsupported } from './refusal.js';

const getpgid = process.arch === 'arm64' ? '__arm64_sys_getpgid' : '__x64_sys_getpgid';
const byTrampoline = hookLack('fentry') ?? hookLack('fexit');
const byProbe = hookLack('kprobe') ?? kernelLacks('perf-links');

describeAsRoot(
  'an object with two ways in to one function of the kernel',
  () => {
    let object: string;
    let unknown: string;

    expectUnchangedAfterAll();
    compileBeforeAll(async (objects) => {
      const source = 'test/fixtures/two-ways.bpf.c';
      object = await objects.compile(source, [`PLACE="${getpgid}"`]);
      unknown = await objects.compile(source, ['PLACE="netkit_no_such_function"']);
    });

    const load = (path: string): string[] => [
      ...['load', path, '--name', 'o', '--set', `only_process=${process.pid}`],
    ];
    const programs = (ground: Ground): string[] => ground.listed('o').programs.map(({ name }) => name);
    const counts = (ground: Ground): unknown => ground.entry('o/.bss', '0');

    it('is refused with the reasons against both where neither is possible', async (context) => {
      const isPossible = byTrampoline === undefined || hookLack('kprobe') === undefined;
      context.skip(isPossible, 'a kernel that takes neither');
      await onGround(async (ground) => {
        // So that the folder of the state is there before and after.
        ground.does('recover');
        await expectRefused(ground, load(object), {
          ...unsupported,
          says: /neither way in to \w+ is possible: 'entering' \(fentry\): .+; 'entering_probe' \(kprobe\): .+/,
          hints: /--only/,
        });
      });
    });

    it('is loaded with the faster way where that is possible, and says so', async (context) => {
      context.skip(byTrampoline !== undefined, byTrampoline);
      await onGround((ground) => {
        const said = ground.does(...load(object));
        expect(said.stderr).toContain(`${getpgid} is traced by fentry ('entering'): 'entering_probe'`);
        expect(said.stderr).toContain(`${getpgid} is traced by fexit ('leaving'): 'leaving_probe'`);
        expect(programs(ground)).toEqual(['entering', 'leaving']);
        ground.does('attach', 'o');
        callGetpgid(10);
        expect(counts(ground)).toEqual({ by_trampoline: 20, by_probe: 0 });
      });
    });

    it('is loaded with the other way by name, or with both', async (context) => {
      context.skip(byProbe !== undefined, byProbe);
      await onGround((ground) => {
        const only = ['--only', 'entering_probe', '--only', 'leaving_probe'];
        expect(ground.does(...load(object), ...only).stderr).toBe('');
        ground.does('attach', 'o');
        callGetpgid(10);
        expect(counts(ground)).toEqual({ by_trampoline: 0, by_probe: 20 });
        if (byTrampoline !== undefined) return;
        ground.does('unload', 'o');
        ground.does(...load(object), '--only', 'entering', '--only', 'entering_probe');
        ground.does('attach', 'o');
        callGetpgid(10);
        expect(counts(ground)).toEqual({ by_trampoline: 10, by_probe: 10 });
      });
    });

    it('takes the other way by itself where the first one cannot reach the function', async (context) => {
      context.skip(byProbe !== undefined, byProbe);
      await onGround((ground) => {
        const said = ground.does(...load(unknown));
        expect(said.stderr).toMatch(
          /is traced by kprobe \('entering_probe'\), not by fentry \('entering'\): /,
        );
        expect(programs(ground)).toEqual(['entering_probe', 'leaving_probe']);
      });
    });

    describe('before it is loaded', () => {
      const onBareGround = async (work: (ground: Ground) => void): Promise<void> => {
        using ground = makeGround();
        await leavingNothing(() => work(ground));
      };
      const doctored = (ground: Ground, path: string, ...more: string[]) => {
        const result = ground.netkit('doctor', path, '--json', ...more);
        const { object: about, checks } = documentOf(documents.doctor, result);
        const ways = checks.filter(({ name }) => name.startsWith('way in to '));
        return { status: result.status, programs: about?.programs, verdict: about?.verdict, ways };
      };
      const verified = (ground: Ground, path: string) => {
        const result = ground.netkit('verify', path, '--json');
        const { programs: shown, leftOut } = documentOf(documents.verify, result);
        return {
          status: result.status,
          shown: shown.map(({ name, outcome }) => `${name} ${outcome}`),
          leftOut,
        };
      };

      it('doctor and verify have no word against the way that is not taken', async (context) => {
        context.skip(byTrampoline !== undefined, byTrampoline);
        await onBareGround((ground) => {
          const { status, verdict, ways, ...rest } = doctored(ground, object);
          expect({ status, verdict, ...rest }).toEqual({
            status: 0,
            verdict: 'runs',
            programs: ['entering', 'leaving'],
          });
          expect(ways.map(({ status: each }) => each)).toEqual(['ok', 'ok']);
          expect(ways[0]?.message).toContain("is traced by fentry ('entering')");
          expect(verified(ground, object)).toEqual({
            status: 0,
            shown: ['entering accepted', 'leaving accepted'],
            leftOut: [
              { name: 'entering_probe', reason: expect.stringContaining('is traced by fentry') },
              { name: 'leaving_probe', reason: expect.stringContaining('is traced by fexit') },
            ],
          });
          expect(doctored(ground, object, '--only', 'entering_probe')).toMatchObject({ status: 0, ways: [] });
        });
      });

      it('nor against the faster way, where it cannot reach the function', async (context) => {
        const lack = hookLack('kprobe');
        context.skip(lack !== undefined, lack);
        await onBareGround((ground) => {
          const { ways, ...rest } = doctored(ground, unknown);
          expect(rest).toEqual({
            status: 0,
            verdict: 'runs',
            programs: ['entering_probe', 'leaving_probe'],
          });
          expect(ways[0]?.message).toMatch(/is traced by kprobe \('entering_probe'\), not by fentry/);
          const said = ground.netkit('verify', unknown);
          expect(said.status).toBe(0);
          expect(said.stderr).toMatch(/^netkit: 'entering' is left out: \S+ is traced by kprobe/m);
          expect(verified(ground, unknown)).toMatchObject({
            status: 0,
            shown: ['entering_probe accepted', 'leaving_probe accepted'],
          });
        });
      });

      it('doctor has the reasons against both ways where neither is possible', async (context) => {
        const isPossible = byTrampoline === undefined || hookLack('kprobe') === undefined;
        context.skip(isPossible, 'a kernel that takes neither');
        await onBareGround((ground) => {
          const { status, verdict, ways } = doctored(ground, object);
          expect({ status, verdict }).toEqual({ status: 6, verdict: 'kernel' });
          expect(ways).toEqual([
            expect.objectContaining({
              name: `way in to ${getpgid}`,
              blocks: 'kernel',
              message: expect.stringMatching(/^neither way in .+ \(fentry\): .+ \(kprobe\): /),
            }),
            expect.objectContaining({ message: expect.stringMatching(/ \(fexit\): .+ \(kretprobe\): /) }),
          ]);
          const { status: ended, leftOut } = verified(ground, object);
          expect([ended, leftOut]).toEqual([6, []]);
        });
      });
    });
  },
  { tools: ['clang', 'ping'], ...ownProcessId },
);
