import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { machine, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hookTable } from '../../src/ebpf/hook-table.js';
import { packageRoot } from '../../src/host/package-root.js';
import { makeBpffs } from '../support/bpffs.js';
import { netkit } from '../support/cli.js';
import { expectUnchanged, snapshotKernelState } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { expectValid } from '../support/schema.js';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'netkit-doctor-'));
  chmodSync(folder, 0o755);
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** One check of a document by its name. */
const checkNamed = (name: string, fields: object) => ({
  checks: expect.arrayContaining([expect.objectContaining({ name, ...fields })]),
});
const hookNamed = (name: string, fields: object) => ({
  hooks: expect.arrayContaining([expect.objectContaining({ name, ...fields })]),
});

/** Runs netkit as a user without any rights, from a copy that such a user may read. */
function asNobody(args: readonly string[], { koffi }: { readonly koffi: boolean }) {
  const copy = join(folder, koffi ? 'with-koffi' : 'without-koffi');
  if (!existsSync(copy)) {
    mkdirSync(copy);
    const parts = [
      'bin',
      'dist',
      'package.json',
      ...(koffi ? ['node_modules/koffi', 'node_modules/@koromix'] : []),
    ];
    for (const part of parts) {
      const from = join(packageRoot(), part);
      if (existsSync(from)) cpSync(from, join(copy, part), { recursive: true, dereference: true });
    }
    spawnSync('chmod', ['-R', 'a+rX', copy]);
  }
  return spawnSync(process.execPath, [join(copy, 'bin/netkit.js'), ...args], {
    encoding: 'utf8',
    cwd: '/',
    env: { PATH: '/usr/bin:/bin' },
    uid: 65534,
    gid: 65534,
  });
}

describeAsRoot('netkit doctor', () => {
  it('finds as root all that it needs, and leaves nothing behind', async () => {
    using bpffs = makeBpffs();
    const before = snapshotKernelState();
    const result = netkit(['doctor', '--json'], { env: bpffs.env });
    expect(result).toMatchObject({ status: 0, stderr: '' });
    const document = result.json();
    expectValid('doctor', document);
    expect(document).toMatchObject({ kernel: { release: release(), machine: machine() } });
    expect(document).toMatchObject(
      checkNamed('bpffs', { status: 'ok', message: `mounted at ${bpffs.root.path}` }),
    );
    for (const name of ['kernel', 'machine', 'CAP_BPF', 'CAP_NET_ADMIN', 'loading', 'koffi', 'libbpf']) {
      expect(document).toMatchObject(checkNamed(name, { status: 'ok' }));
    }
    expect(existsSync(bpffs.stateDir)).toBe(false);
    await expectUnchanged(before);
  });

  it('lists every hook, as available as it really is', () => {
    const document = netkit(['doctor', '--json']).json();
    expect(document).toMatchObject({ hooks: hookTable.map(({ name, since }) => ({ name, since })) });
    for (const name of ['xdp', 'tc/ingress', 'tc/egress', 'cgroup/skb', 'sk_lookup', 'tracepoint']) {
      expect(document).toMatchObject(hookNamed(name, { available: true, reason: null }));
    }
    const kprobes = existsSync('/sys/bus/event_source/devices/kprobe/type');
    expect(document).toMatchObject(hookNamed('kprobe', { available: kprobes }));
  });

  it('shows the same as text', () => {
    using bpffs = makeBpffs();
    const { stdout, status } = netkit(['doctor'], { env: bpffs.env });
    expect(status).toBe(0);
    expect(stdout).toMatch(new RegExp(`^Linux ${release().replaceAll('.', '\\.')} on `));
    expect(stdout).toMatch(/^ok +koffi +\d/m);
    expect(stdout).toMatch(/^xdp +yes +Linux 4\.8$/m);
  });

  it('ends with status 1 where something is missing, and says what to do', () => {
    const result = netkit(['doctor', '--bpffs', folder, '--json']);
    expect(result.status).toBe(1);
    expectValid('doctor', result.json());
    expect(result.json()).toMatchObject(
      checkNamed('bpffs', { status: 'missing', hint: expect.stringContaining('mount -t bpf') }),
    );
  });

  it('warns of tools that are not there, and needs none of them', () => {
    using bpffs = makeBpffs();
    const result = netkit(['doctor', '--json'], {
      env: { ...bpffs.env, NETKIT_CLANG: 'clang-that-is-not-here' },
    });
    expect(result.status).toBe(0);
    expect(result.json()).toMatchObject(checkNamed('clang', { status: 'warning' }));
  });

  it('finds what a killed command left, and state that is damaged', () => {
    using bpffs = makeBpffs();
    mkdirSync(bpffs.stateDir, { mode: 0o700 });
    const plan = {
      change: 'x',
      bootId: 'b',
      command: 'netkit load fw.bpf.o',
      startedAt: '2026-01-02T03:04:05.000Z',
      function: 'fw',
      actions: [],
    };
    writeFileSync(join(bpffs.stateDir, 'change.journal'), JSON.stringify(plan));
    writeFileSync(join(bpffs.stateDir, 'torn.json'), '{"formatVersion":1');
    const document = netkit(['doctor', '--json'], { env: bpffs.env }).json();
    expect(document).toMatchObject(
      checkNamed('leftovers', {
        status: 'warning',
        message: expect.stringContaining('netkit load fw.bpf.o'),
      }),
    );
    expect(document).toMatchObject(checkNamed('state of torn', { status: 'warning' }));
    expect(existsSync(join(bpffs.stateDir, 'change.journal'))).toBe(true);
  });

  it('works without root, says what it cannot tell, and ends with status 1', () => {
    const { status, stdout, stderr } = asNobody(['doctor', '--json'], { koffi: true });
    expect(stderr).toBe('');
    expect(status).toBe(1);
    const document: unknown = JSON.parse(stdout);
    expectValid('doctor', document);
    expect(document).toMatchObject(checkNamed('CAP_BPF', { status: 'missing', hint: 'run as root' }));
    expect(document).toMatchObject(checkNamed('koffi', { status: 'ok' }));
    expect(document).toMatchObject(
      hookNamed('xdp', { available: null, reason: expect.stringMatching(/root/) }),
    );
  });

  it('cannot look into a state directory of root without being root', () => {
    const state = join(folder, 'state');
    mkdirSync(state, { mode: 0o700 });
    const { stdout } = asNobody(['doctor', '--json', '--state-dir', state], { koffi: true });
    expect(JSON.parse(stdout)).toMatchObject(checkNamed('leftovers', { status: 'unknown' }));
  });

  it('says that koffi is missing where it is, and still answers', () => {
    const { status, stdout } = asNobody(['doctor', '--json'], { koffi: false });
    expect(status).toBe(1);
    const document: unknown = JSON.parse(stdout);
    expectValid('doctor', document);
    expect(document).toMatchObject(
      checkNamed('koffi', { status: 'missing', hint: expect.stringContaining('--omit=optional') }),
    );
    expect(document).toMatchObject(hookNamed('xdp', { available: null }));
  });
});
