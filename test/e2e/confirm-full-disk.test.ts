// Changes with --confirm where there is no room left for what netkit writes down.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { mount, unmount } from '../../src/sys/libc.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import {
  attaching,
  dropping,
  finish,
  ingress,
  killWatchers,
  passing,
  passTime,
  pendingOf,
  soon,
  until,
} from './confirm-ground.js';
import { type Ground, makeGround } from './ground.js';

/** A state directory of little room. */
async function inLittleRoom(work: (ground: Ground, disk: Disk) => void | Promise<void>): Promise<void> {
  using ground = makeGround();
  const directory = ground.bpffs.stateDir;
  mkdirSync(directory);
  mount('tmpfs', directory, 'tmpfs', 0, 'size=256k,mode=0700');
  try {
    const filler = join(directory, 'filler');
    await work(ground, {
      fill: () => expect(() => writeFileSync(filler, Buffer.alloc(1 << 20))).toThrow(/ENOSPC/),
      clear: () => rmSync(filler),
    });
    await finish(ground);
  } finally {
    unmount(directory);
  }
}

interface Disk {
  fill(): void;
  clear(): void;
}

const oneLine = /^netkit: [^\n]+\n$/;

describeAsRoot('a change with --confirm, on a full disk', () => {
  expectUnchangedAfterAll();

  it('is kept by confirm, with nothing left of what it replaced', async () => {
    await inLittleRoom((ground, disk) => {
      ground.does(...passing);
      ground.attach('f', '--hook', ingress);
      ground.does(...dropping, '--replace', '--confirm', '1h');
      expect(ground.bpffs.pins().filter((pin) => pin.includes('~'))).not.toEqual([]);
      disk.fill();
      expect(ground.does('confirm', 'f').stdout).toMatch(/^kept 'netkit load /);
      expect([ground.ping(), pendingOf(ground)]).toEqual([0, []]);
      expect(ground.bpffs.pins().filter((pin) => pin.includes('~'))).toEqual([]);
      expect(ground.does('confirm', 'f').stdout).toBe("nothing of 'f' waits to be confirmed\n");
      disk.clear();
    });
  });

  it('is taken back in the kernel; recover and confirm say what could not be written, and nothing is kept', async () => {
    await inLittleRoom((ground, disk) => {
      ground.does(...dropping);
      ground.does(...attaching(ground, '1h'));
      killWatchers(ground);
      expect(ground.ping()).toBe(0);
      passTime(ground);
      disk.fill();
      const said = ground.netkit('recover');
      expect(said.stderr).toMatch(oneLine);
      expect(said.stderr).toMatch(/the change to f was not taken back: .*no space is left on the device\n$/);
      expect(said.status).toBe(5);
      expect(ground.ping()).toBe(5);
      for (let times = 0; times < 2; times++) {
        const late = ground.refuses(5, 'confirm', 'f');
        expect(late.stdout).toBe('');
        expect(late.stderr).toMatch(
          /^netkit: 'netkit attach f .*' was not confirmed; and it could not be undone: [^\n]*no space is left on the device\nhint: .*'netkit recover'/,
        );
        expect(ground.ping()).toBe(5);
      }
      disk.clear();
      expect(ground.does('recover').stdout).toMatch(/was taken back/);
      expect(ground.listed('f').links).toEqual([]);
      expect(ground.refuses(5, 'confirm', 'f').stderr).toMatch(/was taken back at .*: nobody confirmed it/);
    });
  });

  it('is taken back by its own process, which writes it down when there is room', async () => {
    await inLittleRoom(async (ground, disk) => {
      ground.does(...dropping);
      ground.does(...attaching(ground, soon));
      disk.fill();
      await until('the packets pass', () => ground.ping(1) === 1);
      disk.clear();
      await until('it is written down', () => ground.listed('f').links.length === 0);
      expect(ground.refuses(5, 'confirm', 'f').stderr).toMatch(/was taken back at .*: nobody confirmed it/);
    });
  });
});
