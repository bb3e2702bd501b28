import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/host/package-root.js';
import { netkit } from '../support/cli.js';
import { expectValid } from '../support/schema.js';
import { objectBytes, objectNames, objectPath } from '../unit/obj/fixtures.js';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'netkit-inspect-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function file(name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

describe('netkit inspect', () => {
  it.each(objectNames.filter((name) => name !== 'bigendian'))('gives a valid document for %s', (name) => {
    const result = netkit(['inspect', objectPath(name), '--json']);
    expect(result).toMatchObject({ status: 0, stderr: '' });
    expectValid('inspect', result.json());
  });

  it('tells programs, sections and types', () => {
    expect(netkit(['inspect', objectPath('many'), '--json']).json()).toMatchObject({
      licence: 'GPL',
      btf: true,
      programs: [
        { name: 'first', section: 'xdp', type: 'xdp', attachType: 'xdp', autoload: true, problem: null },
        { name: 'second', section: 'xdp', type: 'xdp' },
        { name: 'optional', section: 'xdp.frags', type: 'xdp', autoload: false },
        { name: 'traced', section: 'tp_btf/sched_switch', type: 'tracing', target: 'sched_switch' },
        { name: 'connect', type: 'cgroup_sock_addr', attachType: 'cgroup_inet4_connect' },
      ],
      externs: [
        { name: 'CONFIG_BPF_SYSCALL', kind: 'kconfig', required: false },
        { name: 'LINUX_KERNEL_VERSION', kind: 'kconfig', type: 'int', required: true },
        { name: 'bpf_missing_kfunc', kind: 'ksym', required: false },
      ],
    });
  });

  it('tells the form that keys and values of each map take', () => {
    const document = netkit(['inspect', objectPath('maps'), '--json']).json();
    expect(document).toMatchObject({
      maps: expect.arrayContaining([
        expect.objectContaining({
          name: 'prefixes_v4',
          type: 'lpm_trie',
          keySize: 8,
          keyType: 'struct prefix_v4',
          keyForm: '10.0.0.0/8',
          valueForm: '{"action": PASS|DROP, "note": u32}',
          flags: ['no_prealloc'],
        }),
        expect.objectContaining({ name: 'queue', keySize: 0, keyForm: null, valueForm: 'u64' }),
        expect.objectContaining({ name: 'events', type: 'ringbuf', keyForm: null, valueForm: null }),
        expect.objectContaining({ name: 'tenants', valueForm: expect.stringMatching(/^a map/) }),
        expect.objectContaining({ name: 'stages', valueForm: expect.stringMatching(/^a program/) }),
      ]),
    });
  });

  it('tells global variables with their values, all digits of them', () => {
    const { stdout } = netkit(['inspect', objectPath('globals'), '--json']);
    expect(stdout).toContain('"value":18446744073709551615');
    expect(JSON.parse(stdout)).toMatchObject({
      globals: expect.arrayContaining([
        {
          name: 'default_action',
          type: 'enum action',
          size: 4,
          section: '.rodata',
          readOnly: true,
          value: 'DROP',
          form: 'PASS|DROP|COUNT',
        },
        {
          name: 'generation',
          type: '__u32',
          size: 4,
          section: '.data',
          readOnly: false,
          value: 3,
          form: 'u32',
        },
      ]),
      types: expect.arrayContaining([
        { name: 'struct range', size: 4, declaration: 'struct range {\n\t__u16 first;\n\t__u16 last;\n}' },
      ]),
    });
  });

  it('is pleasant to read: chapters with aligned tables', () => {
    const { stdout, status } = netkit(['inspect', objectPath('tcx')]);
    expect(status).toBe(0);
    expect(stdout.replace(/^file: .*\nsize: .*\n/, '')).toBe(
      [
        'licence:  Dual BSD/GPL',
        'BTF:      yes',
        '',
        'Programs',
        'NAME        SECTION      TYPE       ATTACH TYPE  INSTRUCTIONS  LOADED',
        'on_ingress  tcx/ingress  sched_cls  tcx_ingress            23  yes',
        'on_egress   tcx/egress   sched_cls  tcx_egress             23  yes',
        '',
        'Maps',
        'NAME     TYPE   ENTRIES  KEY    VALUE  FLAGS',
        'packets  array        2  __u32  __u64  -',
        'drop     array        2  __u32  _Bool  -',
        '',
        'How keys and values are written',
        'MAP      PART   FORM',
        'packets  key    u32',
        '         value  u64',
        'drop     key    u32',
        '         value  true|false',
        '',
      ].join('\n'),
    );
  });

  it('names what can never be loaded, and why', () => {
    const { stdout } = netkit(['inspect', objectPath('legacy')]);
    expect(stdout).toMatch(
      /^Cannot be loaded\n.*\nlegacy +the section name 'xdp_legacy'.*\nold_counts +.*SEC\("maps"\)/m,
    );
  });

  it('works without BTF, with bytes for keys and values', () => {
    const document = netkit(['inspect', objectPath('nobtf'), '--json']).json();
    expect(document).toMatchObject({ btf: false, globals: [], types: [], programs: [{ name: 'count' }] });
  });

  it('needs no koffi, no privileges and nothing of the kernel', () => {
    const bare = join(folder, 'bare');
    mkdirSync(bare);
    for (const part of ['bin', 'dist', 'package.json']) {
      cpSync(join(packageRoot(), part), join(bare, part), { recursive: true });
    }
    const object = file('pass.bpf.o', objectBytes('pass'));
    spawnSync('chmod', ['-R', 'a+rX', folder]);
    const nobody = process.geteuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
    const { status, stderr, stdout } = spawnSync(
      process.execPath,
      [join(bare, 'bin/netkit.js'), 'inspect', object, '--json'],
      { encoding: 'utf8', cwd: '/', env: { PATH: '/usr/bin' }, ...nobody },
    );
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expectValid('inspect', JSON.parse(stdout));
  });

  it.each([
    ['there is no such file', () => join(folder, 'missing.o'), 3, 'not-found'],
    ['it is a text', () => file('text.o', 'int main;\n'), 1, 'bad-object'],
    ['it is empty', () => file('empty.o', ''), 1, 'bad-object'],
    ['it is cut short', () => file('cut.o', objectBytes('maps').subarray(0, 900)), 1, 'bad-object'],
    ['it is for machines of the other byte order', () => objectPath('bigendian'), 1, 'bad-object'],
    ['it is a program for this machine', () => process.execPath, 1, 'bad-object'],
    ['it is a folder', () => folder, 1, 'bad-object'],
  ] as const)('fails in one line when %s', (_what, path, status, code) => {
    const text = netkit(['inspect', path()]);
    expect(text).toMatchObject({ status, stdout: '' });
    expect(text.stderr).toMatch(/^netkit: [^\n]+\n(hint: [^\n]+\n)?$/);
    const json = netkit(['inspect', path(), '--json']);
    expect(json).toMatchObject({ status, stdout: '' });
    expectValid('error', json.jsonError());
    expect(json.jsonError()).toMatchObject({ error: { code } });
  });

  it('does not change the file', () => {
    const path = file('same.o', objectBytes('globals'));
    netkit(['inspect', path]);
    expect(new Uint8Array(readFileSync(path))).toEqual(objectBytes('globals'));
  });
});
