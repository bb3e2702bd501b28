import { afterAll, beforeAll, expect, it } from 'vitest';
import { Scope } from '../../src/base/scope.js';
import { expectUnchanged, type KernelState, snapshotKernelState } from '../support/kernel-state.js';
import { kernelLacks } from '../support/known-kernels.js';
import { describeAsRoot, ownProcessId } from '../support/requirements.js';
import { type Ground, Objects } from './ground.js';
import { callGetpgid, hookLack, onGround } from './hook-ground.js';
import { expectRefused, unsupported } from './refusal.js';

const getpgid = process.arch === 'arm64' ? '__arm64_sys_getpgid' : '__x64_sys_getpgid';
const byTrampoline = hookLack('fentry') ?? hookLack('fexit');
const byProbe = hookLack('kprobe') ?? kernelLacks('perf-links');

describeAsRoot(
  'an object with two ways in to one function of the kernel',
  () => {
    const owned = new Scope();
    let object: string;
    let unknown: string;
    let before: KernelState;

    beforeAll(async () => {
      const objects = owned.use(new Objects());
      const source = 'test/fixtures/two-ways.bpf.c';
      object = await objects.compile(source, [`PLACE="${getpgid}"`]);
      unknown = await objects.compile(source, ['PLACE="netkit_no_such_function"']);
      before = snapshotKernelState();
    });
    afterAll(async () => {
      owned[Symbol.dispose]();
      await expectUnchanged(before);
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
  },
  { tools: ['clang', 'ping'], ...ownProcessId },
);
