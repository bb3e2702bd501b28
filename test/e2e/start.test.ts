import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { packageRoot } from '../../src/host/package-root.js';
import { describeAsRoot } from '../support/requirements.js';

describeAsRoot(
  'the code that V8 compiled of a command',
  () => {
    let folder: string;
    let cache: string;

    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'netkit-start-'));
      cache = join(folder, 'compile');
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    /** `netkit version` with this test's folder in the place of /var/cache/netkit. */
    function version(): string {
      const shell = `mkdir -p /var/cache/netkit; mount --bind '${folder}' /var/cache/netkit; exec "$@"`;
      const netkit = [process.execPath, join(packageRoot(), 'bin/netkit.js'), 'version'];
      const args = ['--mount', '--propagation', 'private', 'sh', '-ec', shell, 'sh', ...netkit];
      const { status, stdout, stderr } = spawnSync('unshare', args, { encoding: 'utf8' });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      return stdout;
    }

    it('is kept for the next time, for root alone, a file for the command and one for its start', () => {
      const said = version();
      const names = readdirSync(cache);
      const build = `\\.${process.version}\\.[0-9a-f]{16}$`;
      expect(names).toEqual([
        expect.stringMatching(new RegExp(`^start-version${build}`)),
        expect.stringMatching(new RegExp(`^version${build}`)),
      ]);
      expect(statSync(cache).mode & 0o777).toBe(0o700);
      const files = () => names.map((name) => statSync(join(cache, name), { bigint: true }));
      expect(files().map(({ mode }) => mode & 0o777n)).toEqual([0o600n, 0o600n]);
      const written = files().map(({ mtimeNs }) => mtimeNs);
      expect(version()).toBe(said);
      expect(files().map(({ mtimeNs }) => mtimeNs)).toEqual(written);
    });

    it.each([0, 1])('is written anew when file %i of the two is damaged', (which) => {
      const said = version();
      const file = join(cache, readdirSync(cache)[which] ?? '');
      const whole = readFileSync(file);
      writeFileSync(file, whole.subarray(0, whole.length >> 1));
      expect(version()).toBe(said);
      expect(statSync(file).size).toBeGreaterThan(whole.length >> 1);
    });

    it('goes when another build writes its own', () => {
      mkdirSync(cache, { mode: 0o700 });
      writeFileSync(join(cache, 'version.v20.0.0.0123456789abcdef'), '');
      writeFileSync(join(cache, 'list.v20.0.0.0123456789abcdef'), '');
      version();
      const names = readdirSync(cache);
      expect(names).toHaveLength(3);
      expect(names).toContain('list.v20.0.0.0123456789abcdef');
    });

    it('is neither read nor written where others could have put it', () => {
      mkdirSync(cache);
      chmodSync(cache, 0o777);
      version();
      expect(readdirSync(cache)).toEqual([]);
    });
  },
  { tools: ['unshare', 'mount'] },
);
