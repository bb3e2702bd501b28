import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Scope } from '../../../src/base/scope.js';
import { compile } from '../../../src/build/clang.js';
import { readChain } from '../../../src/ebpf/dispatcher/chain.js';
import { changeChain, type Wanted } from '../../../src/ebpf/dispatcher/change.js';
import { ChainLock } from '../../../src/ebpf/dispatcher/lock.js';
import { loadMember } from '../../../src/ebpf/dispatcher/member.js';
import { load } from '../../../src/ebpf/load.js';
import type { Program } from '../../../src/ebpf/program.js';
import { packageRoot } from '../../../src/host/package-root.js';
import { ObjectSpec } from '../../../src/obj/spec.js';
import { ChainLab } from '../../support/chain-lab.js';
import { leavingNothing } from '../../support/kernel-state.js';
import { newerToolsMissing } from '../../support/newer-tools.js';
import { describeAsRoot, itWith } from '../../support/requirements.js';
import { chainObject, withVariables } from '../../support/xdp-chain.js';

describeAsRoot(
  'a chain of XDP programs beside what others do',
  () => {
    it('begins again when somebody without the lock was faster', async () => {
      await leavingNothing(() => {
        using lab = new ChainLab();
        lab.add('member_1');
        let looks = 0;
        const seen: number[] = [];
        using scope = new Scope();
        const spec = ObjectSpec.readSync(chainObject);
        const maps = lab.maps;
        changeChain(lab.place, { mode: 'native' }, (members) => {
          seen.push(members.length);
          looks += 1;
          if (looks === 1)
            lab.ground.netns.run('ip', ['link', 'set', 'dev', lab.ground.ifname, 'xdp', 'off']);
          const open = (slot: Parameters<Wanted['open']>[0]): Program =>
            scope.use(loadMember({ spec, program: 'member_2', name: 'chain', maps }, slot));
          return [
            ...members,
            { name: 'member_2', priority: 50, proceedOn: ['pass'], frags: false, loaded: undefined, open },
          ];
        });
        expect(seen).toEqual([1, 0]);
        expect(lab.names()).toEqual(['member_2']);
        lab.ground.loader('1.3').removeAll();
      });
    });

    it('is not made over a program that is no chain, which is named and stays', async () => {
      await leavingNothing(() => {
        using lab = new ChainLab();
        const { ifname, netns } = lab.ground;
        const id = lab.program('member_0').info().id;
        netns.run('bpftool', ['net', 'attach', 'xdpdrv', 'id', String(id), 'dev', ifname]);
        expect(() => lab.add('member_1')).toThrow(
          /has an XDP program that is no chain: 'member_0', id \d+ \(native\)/,
        );
        expect(readChain(lab.place)).toMatchObject({ kind: 'program', name: 'member_0', mode: 'native' });
        netns.run('bpftool', ['net', 'detach', 'xdpdrv', 'dev', ifname]);
      });
    });

    it('that is pinned in another bpf file system, or is in another mode, is not changed', async () => {
      await leavingNothing(() => {
        using lab = new ChainLab();
        using other = new ChainLab();
        lab.ground.loader('1.3').add('member_1');
        const elsewhere = { ...lab.place, bpffs: other.place.bpffs };
        expect(() => changeChain(elsewhere, { mode: 'auto' }, (members) => members)).toThrow(
          /is not pinned in .*: another tool made it/,
        );
        expect(readChain(elsewhere)).toMatchObject({ members: [{ priority: 50, program: undefined }] });
        expect(() => changeChain(lab.place, { mode: 'generic' }, (members) => [...members])).toThrow(
          /is in native mode, not generic/,
        );
        expect(lab.ran().members).toEqual([1]);
        lab.ground.loader('1.3').removeAll();
      });
    });

    it('has the version of the libxdp that is installed, and keeps it when it is changed', async () => {
      await leavingNothing(() => {
        using lab = new ChainLab();
        const folder = join(lab.ground.bpffs.folder, 'libxdp');
        mkdirSync(folder);
        const parts = join(packageRoot(), 'dist/bpf/parts');
        copyFileSync(join(parts, 'xdp-dispatcher-3.bpf.o'), join(folder, 'xdp-dispatcher.o'));
        const first = withVariables({ LIBXDP_OBJECT_PATH: folder }, () => lab.add('member_1'));
        const second = lab.add('member_2');
        expect(lab.chain()).toMatchObject({ version: 3, members: [{ slot: 0 }, { slot: 1 }] });
        expect(lab.ran()).toEqual({ members: [1, 2], answered: true });
        expect(() => lab.ground.loader('1.5').add('member_3')).toThrow(/higher than supported/);
        for (const id of [first, second]) lab.remove(id);
        expect(lab.ground.chainPins()).toEqual([]);
        lab.remove(lab.add('member_1'));
        const third = lab.add('member_3');
        expect(lab.chain()?.version).toBe(2);
        lab.remove(third);
      });
    });

    it.each([
      ['1', 'of version 1: libxdp 1.2 or older made it'],
      ['4', 'of version 4: a newer libxdp made it, or another tool'],
    ])('of version %s is shown and left alone', async (version, says) => {
      await leavingNothing(async () => {
        using lab = new ChainLab();
        const { ifname, netns, bpffs } = lab.ground;
        const output = join(bpffs.folder, 'other.bpf.o');
        const sources = ['test/fixtures/dispatchers.bpf.c'];
        await compile({ sources, output, cwd: packageRoot(), defines: [`VERSION=${version}`] });
        using object = load(ObjectSpec.readSync(output));
        const { id } = object.program('xdp_dispatcher').info();
        netns.run('bpftool', ['net', 'attach', 'xdpdrv', 'id', String(id), 'dev', ifname]);
        expect(() => lab.add('member_1')).toThrow(says);
        const members = version === '1' ? [{ priority: 7, proceedOn: ['drop', 'pass'] }] : undefined;
        expect(lab.chain()).toMatchObject({ dispatcherId: id, version: Number(version) });
        if (members === undefined) expect(lab.chain()?.members).toBeUndefined();
        else expect(lab.chain()?.members).toMatchObject(members);
        netns.run('bpftool', ['net', 'detach', 'xdpdrv', 'dev', ifname]);
      });
    });

    itWith(
      { kernelHas: ['xdp-frags'] },
      'takes packets in several buffers when every member does',
      async () => {
        await leavingNothing(() => {
          using lab = new ChainLab();
          lab.add('a_member_with_a_long_name_a');
          expect(lab.chain()).toMatchObject({ frags: true, members: [{ frags: true }] });
          const other = lab.add('member_2');
          expect(lab.chain()).toMatchObject({ frags: false, members: [{ frags: true }, { frags: false }] });
          lab.remove(other);
          expect(lab.chain()).toMatchObject({ frags: true });
          lab.ground.loader('1.5').removeAll();
        });
      },
    );

    it('waits for whoever holds the lock, and names the process when it takes too long', async () => {
      await leavingNothing(() => {
        using lab = new ChainLab();
        using _held = ChainLock.acquire(lab.place.bpffs, 0);
        const options = { mode: 'auto', lockTimeoutMs: 50 } as const;
        expect(() => changeChain(lab.place, options, () => undefined)).toThrow(
          expect.objectContaining({
            code: 'locked',
            message: expect.stringContaining(`process ${process.pid} is changing a chain`),
          }),
        );
      });
    });
  },
  { kernelHas: ['freplace'], tools: ['xdp-loader', 'ping', 'clang'], check: newerToolsMissing },
);
