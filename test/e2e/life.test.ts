import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../../src/host/package-root.js';
import { makeBpffs } from '../support/bpffs.js';
import { leavingNothing } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';

/** What differs from run to run: times, hashes, ids, folders, and how many packets there were. */
const unstable: readonly (readonly [RegExp, string])[] = [
  [/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME'],
  [/\/[\w./+-]*\//g, 'FOLDER/'],
  [/in netns [\w-]+/g, 'in netns NETNS'],
  [/\([0-9a-f]{12}\)/g, '(HASH)'],
  [/after [\d.]+ m?s/g, 'after SOME TIME'],
  [/\d+ bytes/g, 'N bytes'],
  [/("packets":|packets\] is |\.packets is |_total\{[^}]*\} +)\d+/g, '$1N'],
  // Where programs can be replaced they are chained by a dispatcher, which is not told of and has no root to take off.
  [/chain by tail calls, /g, ''],
  [/^took off xdp of \S+ \(FOLDER\/root\)$/, ''],
];

function comparable(text: string): string[] {
  return text
    .split('\n')
    .map((line) => unstable.reduce((known, [pattern, name]) => known.replace(pattern, name), line.trim()))
    .map((line) => line.replace(/\s+/g, ' '))
    .filter((line) => line !== '');
}

/** The commands and answers of a page, block by block. */
function consoleBlocks(page: string): string[][] {
  return [...page.matchAll(/```console\n([\s\S]*?)```/g)].map(([, block = '']) => comparable(block));
}

describeAsRoot(
  'docs/life.md',
  () => {
    it('shows what netkit says, command by command', async () => {
      const page = readFileSync(join(packageRoot(), 'docs/life.md'), 'utf8');
      const blocks = consoleBlocks(page);
      expect(blocks.length).toBeGreaterThan(8);
      await leavingNothing(() => {
        using bpffs = makeBpffs();
        const { status, stdout, stderr } = spawnSync('sh', [join(packageRoot(), 'examples/life/run.sh')], {
          encoding: 'utf8',
          env: { ...process.env, ...bpffs.env },
          timeout: 170_000,
        });
        expect(status, `${stdout}${stderr}`).toBe(0);
        const said = comparable(stdout).filter((line) => !line.startsWith('#'));
        expect(said).toEqual(blocks.flat());
      });
    });
  },
  { tools: ['clang', 'ping', 'nsenter'] },
);
