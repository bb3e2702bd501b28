import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/host/package-root.js';
import { makeBpffs } from '../support/bpffs.js';
import { leavingNothing } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';

const folder = join(packageRoot(), 'examples');
const examples = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => ({ name, script: scriptOf(name) }));

/** What does everything that the README of an example describes. */
function scriptOf(name: string): string | undefined {
  return ['run.sh', 'run.mjs'].map((file) => join(folder, name, file)).find((path) => existsSync(path));
}

describe('the examples', () => {
  it('are some, so that the tests below run at all', () => {
    expect(examples.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['drop-all', 'firewall', 'chain', 'life', 'library', 'typed']),
    );
  });

  it.each(examples)('$name has a script to run, a README, and a row in the table of examples', (example) => {
    expect(example.script, 'run.sh or run.mjs').toBeDefined();
    expect(existsSync(join(folder, example.name, 'README.md'))).toBe(true);
    expect(readFileSync(join(folder, 'README.md'), 'utf8')).toContain(`[${example.name}](${example.name})`);
  });
});

describeAsRoot(
  'the examples, as root,',
  () => {
    it.each(examples)('$name does what it says and leaves nothing behind', async ({ script }) => {
      if (script === undefined) throw new Error('there is no run.sh or run.mjs');
      const [file, args] = script.endsWith('.mjs') ? [process.execPath, [script]] : ['sh', [script]];
      await leavingNothing(() => {
        using bpffs = makeBpffs();
        const { status, stdout, stderr, error } = spawnSync(file, args, {
          encoding: 'utf8',
          env: { ...process.env, ...bpffs.env },
          timeout: 170_000,
        });
        expect(status, `${error?.message ?? ''}\n${stdout}${stderr}`).toBe(0);
        expect(bpffs.pins(), 'pins are left').toEqual([]);
      });
    });
  },
  { tools: ['clang', 'ping'] },
);
