import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { kernelVersion } from '../../src/host/kernel.js';
import { readKernelConfig } from '../../src/host/kernel-config.js';
import { packageRoot } from '../../src/host/package-root.js';
import { makeBpffs, type TestBpffs } from '../support/bpffs.js';
import { netkit } from '../support/cli.js';
import { expectUnchanged, snapshotKernelState } from '../support/kernel-state.js';
import { kernelLacks } from '../support/known-kernels.js';
import { makeVethPair, run, type VethPair } from '../support/netns.js';
import { describeAsRoot, itWith } from '../support/requirements.js';
import { expectValid } from '../support/schema.js';

const fixture = (name: string) => join(packageRoot(), `test/fixtures/objects/${name}.bpf.o`);

let bpffs: TestBpffs;
let pair: VethPair;
let folder: string;
beforeAll(() => {
  bpffs = makeBpffs();
  pair = makeVethPair();
  folder = mkdtempSync(join(tmpdir(), 'netkit-doctor-object-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
  pair[Symbol.dispose]();
  bpffs[Symbol.dispose]();
});

interface Document {
  readonly object: { readonly verdict: string };
  readonly checks: readonly {
    readonly name: string;
    readonly status: string;
    readonly blocks: string | null;
    readonly message: string;
    readonly hint: string | null;
  }[];
}

function doctor(...args: string[]): { status: number; document: Document } {
  const result = netkit(['doctor', ...args, '--json'], { env: bpffs.env });
  expect(result.stderr).toBe('');
  const document = result.json();
  expectValid('doctor', document);
  return { status: result.status, document: document as Document };
}

const inA = (): string[] => [pair.a.ifname, '--netns', pair.a.netns.name];
const checkNamed = (document: Document, name: string) => document.checks.find((each) => each.name === name);

describeAsRoot('netkit doctor OBJ', () => {
  it('says that an object can run, with a line for each kind of need, and leaves nothing behind', async () => {
    const before = snapshotKernelState();
    const { status, document } = doctor(fixture('pass'), ...inA());
    expect(status).toBe(0);
    expect(document).toMatchObject({
      hooks: [],
      object: {
        file: fixture('pass'),
        ifname: pair.a.ifname,
        since: '5.9',
        programs: ['pass'],
        verdict: 'runs',
      },
    });
    for (const name of ['program types', 'hooks', 'loading', 'rights', 'bpffs', `XDP of ${pair.a.ifname}`])
      expect(checkNamed(document, name)).toMatchObject({ status: 'ok', blocks: null });
    await expectUnchanged(before);
  });

  it('says the same of the firewall as text', () => {
    const { status, stdout } = netkit(['doctor', 'builtin:firewall'], { env: bpffs.env });
    expect(status).toBe(0);
    expect(stdout).toMatch(/^ok +loading +it was loaded, and is gone again$/m);
    expect(stdout).toMatch(/firewall\.bpf\.o can run here$/m);
  });

  it('names what this kernel lacks, with the version that brings it, and ends with status 6', () => {
    const lacking = kernelLacks('bpf-loop');
    const { status, document } = doctor(fixture('needs'), '--only', 'looping');
    const helper = checkNamed(document, 'helper bpf_loop');
    const map = checkNamed(document, 'map type bloom_filter');
    if (lacking !== undefined) {
      expect(status).toBe(6);
      expect(document.object.verdict).toBe('kernel');
      expect(helper).toMatchObject({
        status: 'missing',
        blocks: 'kernel',
        message: 'it came with Linux 5.17 (needed by looping)',
        hint: 'use Linux 5.17 or newer, or leave looping out with --only',
      });
      if (kernelLacks('bloom-filter') !== undefined)
        expect(map).toMatchObject({ status: 'missing', hint: 'use Linux 5.16 or newer' });
      return;
    }
    expect([helper, map]).toEqual([undefined, undefined]);
    // CONFIG_HZ must be known.
    const tells = readKernelConfig() !== undefined;
    expect(status).toBe(tells ? 0 : 6);
    expect(checkNamed(document, 'kernel configuration CONFIG_HZ')?.blocks).toBe(tells ? undefined : 'kernel');
  });

  it('lets pass what an object does without', () => {
    const { document } = doctor(fixture('needs'));
    expect(checkNamed(document, 'kernel configuration CONFIG_NETKIT_NO_SUCH_SETTING')).toMatchObject({
      status: 'warning',
      blocks: null,
      message: expect.stringContaining('the object does without'),
    });
  });

  itWith({}, 'finds tc programs a way on kernels without tcx', () => {
    const { document } = doctor(fixture('tcx'));
    const hook = checkNamed(document, 'hook tcx_ingress');
    if (kernelLacks('tcx') === undefined) expect(hook).toBeUndefined();
    else {
      expect(hook).toMatchObject({
        status: 'warning',
        message: expect.stringContaining('as a tc filter of a clsact qdisc'),
      });
      expect(document.object.verdict).toBe('runs');
    }
  });

  it('tells which kernel function a program is for is not there', () => {
    const source = join(folder, 'gone.bpf.c');
    writeFileSync(
      source,
      `#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
SEC("iter/no_such_thing") int gone(void *ctx) { return 0; }
char LICENSE[] SEC("license") = "GPL";
`,
    );
    expect(netkit(['build', source, '-o', join(folder, 'gone.bpf.o')], { cwd: folder }).status).toBe(0);
    const { status, document } = doctor(join(folder, 'gone.bpf.o'));
    expect(status).toBe(6);
    expect(checkNamed(document, 'target iter/no_such_thing')).toMatchObject({
      blocks: 'kernel',
      message: expect.stringContaining('bpf_iter_no_such_thing'),
    });
  });

  it('says what the verifier will refuse', () => {
    const { status, document } = doctor(fixture('oob'));
    expect(status).toBe(6);
    expect(checkNamed(document, 'loading')).toMatchObject({
      blocks: 'kernel',
      hint: expect.stringContaining('netkit verify'),
    });
  });

  it('finds a foreign XDP program in the way, names it, and ends with status 5', () => {
    const { netns, ifname } = pair.a;
    // Not `obj`: iproute2 then makes folders of its own in /sys/fs/bpf, which stay.
    const pin = join(bpffs.root.path, 'foreign');
    run('bpftool', ['prog', 'load', fixture('pass'), pin]);
    run('ip', ['link', 'set', 'dev', ifname, 'xdpgeneric', 'pinned', pin], '', netns);
    try {
      const { status, document } = doctor(fixture('pass'), ...inA());
      expect(status).toBe(5);
      expect(document.object.verdict).toBe('owner');
      expect(checkNamed(document, `XDP of ${ifname}`)).toMatchObject({
        status: 'taken',
        blocks: 'owner',
        message: expect.stringMatching(/taken by program 'pass', id \d+ \(generic\)/),
      });
      // It is no tc program's concern.
      expect(doctor(fixture('tcx'), ...inA()).status).toBe(0);
    } finally {
      run('ip', ['link', 'set', 'dev', ifname, 'xdpgeneric', 'off'], '', netns);
      rmSync(pin);
    }
    expect(doctor(fixture('pass'), ...inA()).status).toBe(0);
  });

  it('finds an ingress qdisc in the place of clsact, where tc programs need that', () => {
    const { netns, ifname } = pair.b;
    run('tc', ['qdisc', 'add', 'dev', ifname, 'ingress'], '', netns);
    try {
      const { status, document } = doctor(fixture('tcx'), ifname, '--netns', netns.name);
      const hasTcx = kernelLacks('tcx') === undefined;
      expect(status).toBe(hasTcx ? 0 : 5);
      expect(checkNamed(document, `tc of ${ifname}`)?.blocks).toBe(hasTcx ? null : 'owner');
    } finally {
      run('tc', ['qdisc', 'del', 'dev', ifname, 'ingress'], '', netns);
    }
  });

  it('holds the MTU against programs that take one buffer, and lets those with frags pass', () => {
    const { netns, ifname } = pair.a;
    run('ip', ['link', 'set', 'dev', ifname, 'mtu', '9000'], '', netns);
    try {
      const { status, document } = doctor(fixture('pass'), ...inA());
      expect(status).toBe(0);
      expect(checkNamed(document, `MTU of ${ifname}`)).toMatchObject({
        status: 'warning',
        message: expect.stringContaining('pass does not take'),
        hint: expect.stringContaining('SEC("xdp.frags")'),
      });
      const frags = doctor(fixture('needs'), ...inA(), '--only', 'whole').document;
      expect(checkNamed(frags, `MTU of ${ifname}`)).toMatchObject({ status: 'ok' });
    } finally {
      run('ip', ['link', 'set', 'dev', ifname, 'mtu', '1500'], '', netns);
    }
  });

  it('warns that an interface without native XDP runs it in generic mode', () => {
    const { document } = doctor(fixture('pass'), 'lo', '--netns', pair.a.netns.name);
    const { major, minor } = kernelVersion();
    const tells = major > 6 || (major === 6 && minor >= 3);
    expect(checkNamed(document, 'driver of lo')).toMatchObject({ status: tells ? 'warning' : 'unknown' });
  });

  it('ends with status 4 for a user without rights, and names the capability', () => {
    const copy = join(folder, 'copy');
    for (const part of ['bin', 'dist', 'package.json', 'node_modules/koffi', 'node_modules/@koromix'])
      cpSync(join(packageRoot(), part), join(copy, part), { recursive: true, dereference: true });
    cpSync(fixture('pass'), join(copy, 'pass.bpf.o'));
    spawnSync('chmod', ['-R', 'a+rX', folder]);
    const result = spawnSync(
      process.execPath,
      [join(copy, 'bin/netkit.js'), 'doctor', join(copy, 'pass.bpf.o'), '--json'],
      { encoding: 'utf8', cwd: '/', env: { PATH: '/usr/bin:/bin' }, uid: 65534, gid: 65534 },
    );
    expect(result.stderr).toBe('');
    expect(result.status).toBe(4);
    const document: Document = JSON.parse(result.stdout);
    expectValid('doctor', document);
    expect(document.object.verdict).toBe('user');
    expect(checkNamed(document, 'rights')).toMatchObject({
      blocks: 'user',
      hint: 'run as root, or with CAP_BPF and CAP_NET_ADMIN',
    });
    expect(checkNamed(document, 'program type xdp')).toMatchObject({ status: 'unknown', blocks: null });
  });

  it.each([
    [['/no/such/file.o'], 3, /no such file/],
    [['builtin:nosuch'], 3, /no function 'nosuch'/],
    [[join(packageRoot(), 'package.json')], 1, /not an ELF file/],
    [['program.bpf.c'], 1, /C source/],
    [[fixture('pass'), 'nosuch0'], 3, /no interface 'nosuch0'/],
    [[fixture('pass'), '--only', 'pas'], 3, /no program 'pas'/],
    [[fixture('pass'), '--netns', 'nosuch'], 3, /nosuch/],
    [[fixture('pass'), 'lo', 'lo'], 2, /too many arguments|argument/],
  ])('refuses %j', (words, status, message) => {
    const result = netkit(['doctor', ...words], { env: bpffs.env });
    expect([result.status, result.stdout]).toEqual([status, '']);
    expect(result.stderr).toMatch(message);
  });
});
