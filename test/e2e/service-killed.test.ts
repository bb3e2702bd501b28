/** `netkit service install` and `uninstall`, killed at each of their steps, or with no room on the disk: no half of a file. */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { documents } from '../../src/cli/schema/documents.js';
import { mount, unmount } from '../../src/sys/libc.js';
import { type CliResult, netkit, startNetkit } from '../support/cli.js';
import { describeAsRoot } from '../support/requirements.js';
import { documentOf } from './ground.js';

const states = ['absent', 'of another setting', 'current'] as const;
/** A writer that is not there any more: no process has that id. */
const stale = '.netkit-watch.service.4194304-0123abcd.tmp';

describeAsRoot('netkit service', () => {
  let root: string;
  let unitDir: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'netkit-service-'));
    unitDir = join(root, 'system');
    mkdirSync(unitDir);
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  function service(...words: string[]): CliResult {
    return netkit(['service', ...words, '--unit-dir', unitDir]);
  }

  function does(...words: string[]): CliResult {
    const result = service(...words);
    expect(result.status, result.stdout + result.stderr).toBe(0);
    return result;
  }

  /** All in the folder of units, with what is in it. */
  function everything(): Record<string, string> {
    const found = readdirSync(unitDir, { recursive: true, encoding: 'utf8' }).sort();
    return Object.fromEntries(
      found.map((name) => {
        const path = join(unitDir, name);
        const { mode } = lstatSync(path);
        const link = lstatSync(path).isSymbolicLink() ? readlinkSync(path) : '';
        const text = lstatSync(path).isFile() ? readFileSync(path, 'utf8') : '';
        return [name, `${mode.toString(8)} ${link}${text}`];
      }),
    );
  }

  /** @returns how it ended, undefined when it was killed */
  async function killedAt(step: number, words: readonly string[]): Promise<CliResult | undefined> {
    const env = { NETKIT_TEST_KILL_STEP: String(step) };
    using running = startNetkit(['service', ...words, '--unit-dir', unitDir], { env });
    return await running.ended.catch((error: unknown) => {
      if (running.process.signalCode !== 'SIGKILL') throw error;
      return undefined;
    });
  }

  /** Each thing is one of those that were there before, or of those that are to be. */
  function expectWhole(before: Record<string, string>, after: Record<string, string>): void {
    for (const [name, content] of Object.entries(everything()))
      expect([before[name], after[name]], name).toContain(content);
    for (const name of Object.keys(before))
      if (after[name] !== undefined) expect(existsSync(join(unitDir, name)), name).toBe(true);
  }

  /** Brings the folder of units to one of these states. */
  function prepares(state: (typeof states)[number]): Record<string, string> {
    for (const name of readdirSync(unitDir)) rmSync(join(unitDir, name), { recursive: true });
    if (state === 'of another setting')
      expect(netkit(['service', 'install', '--unit-dir', unitDir, '--state-dir', '/srv/state']).status).toBe(
        0,
      );
    if (state === 'current') does('install');
    return everything();
  }

  it.each([
    ['install', 'absent'],
    ['install', 'of another setting'],
    ['uninstall', 'of another setting'],
    ['uninstall', 'current'],
  ] as const)(
    '%s over what is %s, killed at each of its steps, leaves whole files, and a second one ends it',
    async (verb, state) => {
      const before = prepares(state);
      does(verb);
      const after = everything();
      expect(after).not.toEqual(before);
      let kills = 0;
      for (let step = 0; ; step++) {
        expect(step).toBeLessThan(20);
        prepares(state);
        const ended = await killedAt(step, [verb]);
        expectWhole(before, after);
        if (ended !== undefined) {
          expect(ended.status, ended.stderr).toBe(0);
          break;
        }
        kills++;
        // What is there is either to be changed still, or all as it is to be.
        const shown = documentOf(documents['service show'], does('show', '--json'));
        expect(shown.units.map(({ state: each }) => each)).not.toContain('foreign');
        does(verb, ...(verb === 'uninstall' ? ['--if-exists'] : []));
        expect(everything()).toEqual(after);
        does('install');
        does('uninstall');
        expect(everything()).toEqual({});
      }
      expect(kills).toBeGreaterThan(state === 'of another setting' && verb === 'install' ? 2 : 4);
    },
  );

  it('removes what one that was killed while it wrote a file left beside it', () => {
    for (const verb of ['install', 'uninstall']) {
      does('install');
      rmSync(join(unitDir, 'netkit-reconcile.service'));
      writeFileSync(join(unitDir, stale), '[Uni');
      does(verb);
      expect(readdirSync(unitDir)).not.toContain(stale);
    }
    expect(everything()).toEqual({});
  });

  it('on a full disk leaves what was there, and does it when there is room', () => {
    mount('tmpfs', unitDir, 'tmpfs', 0, 'size=64k,mode=0755');
    try {
      const filler = join(root, 'system', 'filler');
      for (const state of states.slice(0, 2)) {
        prepares(state);
        // Room for so many pages more: none, one file, and so on until there is enough.
        const failed: number[] = [];
        for (let pages = 0; ; pages++) {
          expect(pages).toBeLessThan(10);
          const before = prepares(state);
          fillBut(filler, pages);
          const result = service('install');
          rmSync(filler);
          if (result.status === 0) break;
          failed.push(pages);
          expect(result.stderr).toMatch(/^netkit: cannot write '[^']+': [^\n]*space[^\n]*\n/);
          expect(everything()).toEqual(before);
        }
        // One that is replaced makes room for the next.
        expect(failed.length, state).toBeGreaterThan(state === 'absent' ? 1 : 0);
        const installed = everything();
        prepares('absent');
        does('install');
        expect(installed).toEqual(everything());
        // To remove them takes no room.
        fillBut(filler, 0);
        does('uninstall');
        rmSync(filler);
        expect(everything()).toEqual({});
      }
    } finally {
      unmount(unitDir);
    }
  });
});

/** Leaves no more room than that. */
function fillBut(path: string, pages: number): void {
  const { bavail, bsize } = statfsSync(join(path, '..'));
  const size = (bavail - pages) * bsize;
  const filled = spawnSync('fallocate', ['-l', String(size), path], { encoding: 'utf8' });
  expect(filled.status, filled.stderr).toBe(0);
}
