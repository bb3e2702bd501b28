import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../../src/host/package-root.js';

const entry = join(packageRoot(), 'bin/netkit.js');

/** Runs a line of shell in which `netkit` is the built one; `status` is that of netkit itself. */
function shell(line: string) {
  const script = `netkit() { '${process.execPath}' '${entry}' "$@"; }\n${line}\nexit "\${PIPESTATUS[0]}"`;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8', timeout: 30_000 });
  return { status, stdout, stderr };
}

describe('bin/netkit.js', () => {
  it('writes all of a long output to a slow reader before it ends', () => {
    const { status, stdout } = shell('netkit completion zsh | { sleep 0.2; cat; }');
    expect(status).toBe(0);
    expect(stdout).toContain('compdef _netkit netkit\nfi\n');
  });

  it('ends quietly and with 0 when nobody reads its output', () => {
    expect(shell('netkit completion bash | exec 0<&-')).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(shell('{ sleep 0.1; netkit version; } | true')).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it('keeps its exit status when nobody reads its errors', () => {
    expect(shell('netkit nonsense 2>&1 >/dev/null | true').status).toBe(2);
  });

  it('says what failed when standard output is full', () => {
    const { status, stderr } = shell('netkit version > /dev/full');
    expect(status).toBe(1);
    expect(stderr).toMatch(/^netkit: .*ENOSPC/);
  });

  it('finds its files through a symbolic link from elsewhere', () => {
    expect(shell(`cd / && netkit --version`).stdout).toMatch(/^netkit \d/);
  });
});
