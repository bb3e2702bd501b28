import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { documents } from '../../src/cli/schema/documents.js';
import { packageRoot } from '../../src/host/package-root.js';
import { rawTypeText } from '../../src/obj/btf/raw-text.js';
import { readBtf } from '../../src/obj/btf/read.js';
import type { BtfGraph, BtfType } from '../../src/obj/btf/types.js';
import { ObjectSpec } from '../../src/obj/spec.js';
import { makeBpffs, type TestBpffs } from '../support/bpffs.js';
import { type CliResult, netkit } from '../support/cli.js';
import { expectUnchanged, type KernelState, snapshotKernelState } from '../support/kernel-state.js';
import { run } from '../support/netns.js';
import { describeAsRoot } from '../support/requirements.js';
import { documentOf, errorOf, fixture } from './ground.js';

const vmlinux = '/sys/kernel/btf/vmlinux';
const firewall = join(packageRoot(), 'dist/bpf/firewall.bpf.o');

/** Old versions of bpftool call a type CHAR or BOOL only sometimes; versions differ in nothing else. */
const theirs = (text: string) => text.trimEnd().split('\n');

describeAsRoot(
  'netkit btf',
  () => {
    let before: KernelState;
    let bpffs: TestBpffs;
    let folder: string;

    beforeAll(() => {
      before = snapshotKernelState();
      bpffs = makeBpffs();
      folder = mkdtempSync(join(tmpdir(), 'netkit-btf-'));
      const { status, stderr } = netkit(['load', firewall, '--name', 'fw'], { env: bpffs.env });
      if (status !== 0) throw new Error(stderr);
    });
    afterAll(async () => {
      rmSync(folder, { recursive: true });
      bpffs[Symbol.dispose]();
      await expectUnchanged(before);
    });

    const btf = (...args: string[]): CliResult => netkit(['btf', ...args], { env: bpffs.env });
    const dump = (...args: string[]) => {
      const result = btf('dump', ...args);
      expect(`${result.status} ${result.stderr}`).toBe('0 ');
      return result.stdout;
    };

    it.each(['maps', 'globals', 'subprograms', 'tcx', 'many', 'ulong'])(
      'dump --raw of %s.bpf.o is what bpftool prints',
      (name) => {
        const file = fixture(name);
        expect(dump(file, '--raw').trimEnd().split('\n')).toEqual(
          theirs(run('bpftool', ['btf', 'dump', 'file', file, 'format', 'raw'])),
        );
      },
    );

    it("dump --raw of the kernel's own types is what bpftool prints", () => {
      const own = dump('vmlinux', '--raw');
      // Debian's bpftool may be older than what a younger kernel has.
      const other = execFileSync('bpftool', ['btf', 'dump', 'file', vmlinux, 'format', 'raw'], {
        encoding: 'utf8',
        maxBuffer: 256 << 20,
      });
      expect(own === other, firstDifference(own, other)).toBe(true);
    });

    it.each([
      ['maps', fixture('maps')],
      ['globals', fixture('globals')],
      ['firewall', firewall],
    ])('dump of %s compiles, to the types that it is made from, as does that of bpftool', (_name, file) => {
      const original = ObjectSpec.readSync(file).btf;
      if (original === undefined) throw new Error('no types');
      const own = compiled(dump(file), original, folder);
      const other = compiled(run('bpftool', ['btf', 'dump', 'file', file, 'format', 'c']), original, folder);
      const wanted = layouts(original);
      expect(wanted.size).toBeGreaterThan(0);
      expect(layouts(own)).toEqual(wanted);
      expect(layouts(other)).toEqual(wanted);
    });

    it('dump finds the types of a function, its programs and maps, and pins', () => {
      const raw = dump(firewall, '--raw');
      const spec = ObjectSpec.readSync(firewall);
      const [program] = spec.programs;
      const references = [
        'fw',
        `fw/${program?.name}`,
        'fw/stats',
        join(bpffs.root.path, 'netkit/fw/maps/stats'),
        join(bpffs.root.path, `netkit/fw/progs/${program?.name}`),
      ];
      // What the kernel has went through libbpf, which leaves some out that it does not know.
      const names = (text: string) => text.match(/STRUCT '\w+'/g)?.sort();
      for (const reference of references)
        expect(names(dump(reference, '--raw')), reference).toEqual(names(raw));
    });

    it('dump finds types by id, and list says whose they are', () => {
      const { btf: all } = documentOf(documents['btf list'], btf('list', '--json'));
      const kernel = all.find(({ name }) => name === 'vmlinux');
      expect(kernel?.kernel ?? !existsSync(vmlinux)).toBe(true);
      const { programs, maps } = documentOf(documents.list, netkit(['list', '--json'], { env: bpffs.env }))
        .functions[0] ?? {
        programs: [],
        maps: [],
      };
      const [program] = programs;
      const own = all.find(({ programIds }) => programIds.includes(program?.id ?? -1));
      expect(own).toMatchObject({ name: null, kernel: false });
      const stats = maps.find(({ name }) => name === 'stats');
      expect(own?.mapIds).toContain(stats?.id);
      const document = documentOf(documents['btf dump'], btf('dump', `id:${own?.id}`, '--raw', '--json'));
      expect(document).toMatchObject({ id: own?.id, name: null, header: null, file: null });
      expect(document.types?.length).toBe(document.count);
      expect(btf('list').stdout).toMatch(/^ *ID +NAME +BYTES +PROGRAMS +MAPS\n/);
    });

    it('dump --type shows types of that name, and in C what they need', () => {
      const c = dump('vmlinux', '--type', 'struct ethhdr');
      expect(c).toMatch(/struct ethhdr \{\n\tunsigned char h_dest\[6\];\n/);
      expect(c).toMatch(/typedef __u16 __be16;/);
      expect(c).not.toContain('struct sk_buff {');
      const raw = dump('vmlinux', '--raw', '--type', 'ethhdr', '--type', 'struct iphdr');
      expect(raw.match(/^\[\d+\] \w+ '\w+'/gm)?.map((line) => line.replace(/^\[\d+\] /, ''))).toEqual([
        "STRUCT 'ethhdr'",
        "STRUCT 'iphdr'",
      ]);
    });

    it("dump of a module's types has those of its own, in C with what they need of the kernel's", () => {
      const modules = run('ls', ['/sys/kernel/btf'])
        .trim()
        .split('\n')
        .filter((name) => name !== 'vmlinux');
      for (const name of modules.slice(0, 2)) {
        const own = dump(`module:${name}`, '--raw');
        const other = run('bpftool', [
          '-B',
          vmlinux,
          'btf',
          'dump',
          'file',
          `/sys/kernel/btf/${name}`,
          'format',
          'raw',
        ]);
        expect(own === other, firstDifference(own, other)).toBe(true);
        const base = readBtf(readFileSync(vmlinux));
        const split = readBtf(readFileSync(`/sys/kernel/btf/${name}`), base);
        const struct = Array.from({ length: split.count - base.count }, (_, index) =>
          split.type(base.count + index),
        ).find((type) => type.kind === 'struct' && type.name !== '');
        if (struct !== undefined) expect(dump(`module:${name}`)).toContain(`struct ${struct.name} {`);
      }
      const none = btf('dump', 'module:nothing', '--json');
      expect(none.status).toBe(3);
      expect(errorOf(none).code).toBe('not-found');
    });

    it('writes a file when asked to', () => {
      const file = join(folder, 'types.h');
      const document = documentOf(documents['btf dump'], btf('dump', fixture('maps'), '-o', file, '--json'));
      expect(document).toMatchObject({ header: null, types: null, file });
      expect(readFileSync(file, 'utf8')).toBe(dump(fixture('maps')));
    });

    it.each([
      ['a file that is not there', ['/nothing/x.o'], 3, 'not-found'],
      ['a function that is not loaded', ['nothing'], 3, 'not-found'],
      ['an id that is not there', ['id:2000000000'], 3, 'not-found'],
      ['an object without types', [fixture('nobtf')], 1, 'bad-object'],
      ['what is no object', [join(packageRoot(), 'package.json')], 1, 'bad-object'],
      ['a type that is not there', [fixture('maps'), '--type', 'nothing_at_all'], 3, 'not-found'],
      ['a type that C has no declaration for', [fixture('maps'), '--type', 'int'], 2, 'bad-value'],
      ['both forms at once', [fixture('maps'), '--raw', '--c'], 2, 'usage'],
    ] as const)('dump refuses %s', (_what, args, status, code) => {
      const result = btf('dump', ...args, '--json');
      expect({ status: result.status, stdout: result.stdout }).toEqual({ status, stdout: '' });
      expect(errorOf(result).code).toBe(code);
    });
  },
  { tools: ['clang'], check: () => (existsSync(vmlinux) ? undefined : 'a kernel with BTF') },
);

function firstDifference(own: string, other: string): string {
  const [a, b] = [own.split('\n'), other.split('\n')];
  const at = a.findIndex((line, index) => line !== b[index]);
  return at < 0 ? `${a.length} and ${b.length} lines` : `line ${at + 1}: '${a[at]}', bpftool '${b[at]}'`;
}

/** Compiles a header, keeping every struct, union and enum of `like` in the object. */
function compiled(header: string, like: BtfGraph, folder: string): BtfGraph {
  const kept = [...layouts(like).keys()].map((name, index) => `${name} *kept_${index};`);
  const source = join(folder, 'types.c');
  const object = join(folder, 'types.o');
  writeFileSync(source, `${header}\n${kept.join('\n')}\n`);
  execFileSync('clang', ['-target', 'bpf', '-g', '-O2', '-c', source, '-o', object]);
  const { btf } = ObjectSpec.parse(readFileSync(object), { requireBpf: false });
  if (btf === undefined) throw new Error('no types');
  return btf;
}

/** Size, members, their places and types of everything with a name and members. */
function layouts(btf: BtfGraph): Map<string, string> {
  const found = new Map<string, string>();
  for (let id = 1; id < btf.count; id++) {
    const type = btf.type(id);
    const text = layoutOf(btf, type);
    if (text !== undefined) found.set(`${type.kind} ${type.name}`, text);
  }
  return found;
}

function layoutOf(btf: BtfGraph, type: BtfType): string | undefined {
  if (type.name === '') return undefined;
  if (type.kind === 'enum') return rawTypeText(btf, type.id).replace(/^\[\d+\] /, '');
  if (type.kind !== 'struct' && type.kind !== 'union') return undefined;
  const members = type.members.map(
    ({ name, type: id, bitOffset, bitSize }) => `${name}: ${btf.nameOf(id)} at ${bitOffset} of ${bitSize}`,
  );
  return `${type.size} ${members.join('; ')}`;
}
