import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hasKernelBtf } from '../../src/host/kernel.js';
import { netkit, startNetkit } from '../support/cli.js';
import { describeWith } from '../support/requirements.js';
import { expectValid } from '../support/schema.js';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'netkit-vmlinux-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const check = () => (hasKernelBtf() ? undefined : 'a kernel with BTF');

describeWith({ check }, 'netkit gen vmlinux', () => {
  it("writes the header with this kernel's types to standard output", () => {
    const { status, stdout, stderr } = netkit(['gen', 'vmlinux']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^#ifndef __VMLINUX_H__$/m);
    expect(stdout).toMatch(/^struct task_struct \{$/m);
    expect(stdout.endsWith('#endif /* __VMLINUX_H__ */\n')).toBe(true);
  });

  it('writes it to a file, and says so', () => {
    const path = join(folder, 'vmlinux.h');
    const { status, stdout } = netkit(['gen', 'vmlinux', '-o', path]);
    expect(status).toBe(0);
    expect(stdout).toContain(path);
    expect(readFileSync(path, 'utf8')).toBe(netkit(['gen', 'vmlinux']).stdout);
    expect(statSync(path).mode & 0o777).toBe(0o666 & ~process.umask());
  });

  it('gives valid documents', () => {
    const path = join(folder, 'json.h');
    const written = netkit(['gen', 'vmlinux', '-o', path, '--json']).json();
    expectValid('gen vmlinux', written);
    expect(written).toMatchObject({
      file: path,
      header: null,
      bytes: statSync(path).size,
      kernel: release(),
    });
    const shown = netkit(['gen', 'vmlinux', '--json']).json();
    expectValid('gen vmlinux', shown);
    expect(shown).toMatchObject({ file: null, header: readFileSync(path, 'utf8') });
  });

  it('works where its cache cannot be written', () => {
    const result = netkit(['gen', 'vmlinux'], {
      env: { HOME: '/proc', XDG_CACHE_HOME: '/proc/nothing' },
    });
    expect(result.status).toBe(0);
  });

  it('writes through a symbolic link, and never replaces a device', () => {
    const target = join(folder, 'target.h');
    const link = join(folder, 'link.h');
    writeFileSync(target, 'old', { mode: 0o640 });
    symlinkSync(target, link);
    expect(netkit(['gen', 'vmlinux', '-o', link]).status).toBe(0);
    expect(readFileSync(target, 'utf8')).toMatch(/__VMLINUX_H__/);
    expect(statSync(target).mode & 0o777).toBe(0o640);
    expect(netkit(['gen', 'vmlinux', '-o', '/dev/null']).status).toBe(0);
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  it.each([
    ['a folder', () => folder, 2],
    ['a path through a missing folder', () => join(folder, 'missing/v.h'), 3],
  ] as const)('refuses %s as the output', (_what, path, status) => {
    mkdirSync(folder, { recursive: true });
    const result = netkit(['gen', 'vmlinux', '-o', path(), '--json']);
    expect(result).toMatchObject({ status, stdout: '' });
    expectValid('error', result.jsonError());
  });

  it('ends quietly when nobody reads to the end', async () => {
    using running = startNetkit(['gen', 'vmlinux']);
    running.process.stdout?.destroy();
    const { status, stderr } = await running.ended;
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});
