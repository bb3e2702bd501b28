import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { documents } from '../../src/cli/schema/documents.js';
import { packageRoot } from '../../src/host/package-root.js';
import { makeBpffs, type TestBpffs } from '../support/bpffs.js';
import { netkit } from '../support/cli.js';
import { expectUnchanged, type KernelState, snapshotKernelState } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { documentOf, errorOf, fixture } from './ground.js';

describeAsRoot(
  'netkit prog dump',
  () => {
    let before: KernelState;
    let bpffs: TestBpffs;

    beforeAll(() => {
      before = snapshotKernelState();
      bpffs = makeBpffs();
      const { status, stderr } = dump0('load', fixture('subprograms'), '--name', 'subs', '--only', 'calls');
      if (status !== 0) throw new Error(stderr);
    });
    afterAll(async () => {
      bpffs[Symbol.dispose]();
      await expectUnchanged(before);
    });

    const dump0 = (...args: string[]) => netkit(args, { env: bpffs.env });
    const dump = (...args: string[]) => dump0('prog', 'dump', ...args);
    const read = (...args: string[]) => {
      const result = dump(...args, '--json');
      expect(`${result.status} ${result.stderr}`).toBe('0 ');
      return documentOf(documents['prog dump'], result);
    };

    it('shows a loaded program function by function, with source lines and names', () => {
      const { status, stdout, stderr } = dump('subs');
      expect(`${status} ${stderr}`).toBe('0 ');
      expect(stdout).toMatch(
        /^int calls\(struct xdp_md \*ctx\):\n; return \(c\(ctx->rx_queue_index\) .*:28\n {3}0: r1 = /,
      );
      expect(stdout).toMatch(/\n\nstatic int d\(int x\):\n/);
      expect(stdout).toMatch(/: call c <\d+>\n/);
      expect(dump('subs', '--no-source').stdout).not.toMatch(/^;/m);
      expect(dump('subs', '--opcodes').stdout).toMatch(/^ +8: 95 00 00 00 00 00 00 00 {2}exit$/m);
    });

    it('gives the same as JSON, by id too', () => {
      const document = read('subs');
      expect(document).toMatchObject({ code: 'translated', object: null, graph: null, file: null });
      expect(document.functions.map(({ name }) => name)).toEqual(['calls', 'c', 'd', 'a', 'b']);
      expect(read(`id:${document.program.id}`)).toEqual(document);
      const instructions = document.functions.flatMap((each) => each.instructions);
      for (const [index, { at }] of instructions.entries()) expect(at).toBe(index);
    });

    it('shows a program that is not loaded, which is the only one of its object or is named', () => {
      const file = fixture('pass');
      const pass = read('--object', file);
      expect(pass).toMatchObject({ code: 'compiled', object: file, program: { id: null } });
      expect(pass.functions[0]?.instructions.map(({ text }) => text)).toEqual(['w0 = 2', 'exit']);
      expect(
        read('--object', fixture('subprograms'), 'calls_back').functions.map(({ name }) => name),
      ).toEqual(['calls_back', 'callback', 'b', 'd', 'a', 'c']);
      const none = dump('--object', fixture('subprograms'), '--json');
      expect(none.status).toBe(2);
      expect(errorOf(none)).toMatchObject({ code: 'usage', hint: 'say which: calls, calls_back' });
      expect(errorOf(dump('--object', file, 'nothing', '--json')).code).toBe('not-found');
    });

    it('needs no rights for that', () => {
      const bare = spawnSync(
        'setpriv',
        [
          ...[
            '--bounding-set=-all',
            '--inh-caps=-all',
            process.execPath,
            join(packageRoot(), 'bin/netkit.js'),
          ],
          ...['prog', 'dump', '--object', fixture('pass')],
        ],
        { encoding: 'utf8' },
      );
      expect(`${bare.status} ${bare.stderr}`).toBe('0 ');
      expect(bare.stdout).toContain('exit');
    });

    it('draws the control flow', () => {
      const dot = dump('subs', '--visual', 'dot');
      expect(dot.stdout).toMatch(/^digraph "calls" \{\n/);
      expect(dot.stdout).toContain('subgraph cluster_4 {');
      const file = join(bpffs.folder, 'calls.svg');
      const drawn = read('subs', '--visual', 'svg', '-o', file);
      expect(drawn).toMatchObject({ graph: { format: 'svg', text: null }, file });
      expect(readFileSync(file, 'utf8')).toMatch(/^<svg .*<\/svg>\n$/s);
      expect(read('subs', '--visual', 'dot').graph?.text).toBe(dot.stdout);
    });

    it('shows native code with the names of what it calls', () => {
      const result = dump('subs', '--native', '--json');
      if (result.status === 6) {
        expect(errorOf(result).message).toMatch(/interprets/);
        return;
      }
      const document = documentOf(documents['prog dump'], result);
      expect(document.code).toBe('native');
      expect(document.functions.map(({ name }) => name)).toEqual(['calls', 'c', 'd', 'a', 'b']);
      const texts = document.functions.flatMap(({ instructions }) => instructions.map(({ text }) => text));
      if (process.arch === 'x64') {
        expect(texts).toEqual(expect.arrayContaining([expect.stringMatching(/^callq? 0x[0-9a-f]+ <d>$/)]));
        expect(texts).toEqual(expect.arrayContaining([expect.stringMatching(/^retq?$|<.*return_thunk>$/)]));
      }
      expect(texts.filter((text) => text.includes('unknown'))).toEqual([]);
      const lines = document.functions.flatMap(({ instructions }) =>
        instructions.flatMap(({ source }) => source ?? []),
      );
      expect(lines.map(({ line }) => line)).toEqual(expect.arrayContaining([28, 15, 7, 23, 11]));
      expect(dump('subs', '--native').stdout).toMatch(/^int calls\(struct xdp_md \*ctx\) at 0xffff/m);
    });

    it.each([
      ['no program', [], 2, 'usage'],
      ['a program that is not there', ['nothing'], 3, 'not-found'],
      ['an object that is not there', ['--object', '/nothing/x.bpf.o'], 3, 'not-found'],
      ['native code of an object', ['--object', 'builtin:firewall', '--native'], 2, 'usage'],
      ['a graph of native code', ['subs', '--native', '--visual', 'svg'], 2, 'usage'],
    ] as const)('refuses %s', (_what, args, status, code) => {
      const result = dump(...args, '--json');
      expect(result).toMatchObject({ status, stdout: '' });
      expect(errorOf(result).code).toBe(code);
    });

    it('says which right is missing with status 4', () => {
      const pin = join(bpffs.root.path, 'netkit/subs/progs/calls');
      const bare = spawnSync(
        'setpriv',
        [
          ...[
            '--bounding-set=-all',
            '--inh-caps=-all',
            process.execPath,
            join(packageRoot(), 'bin/netkit.js'),
          ],
          ...['prog', 'dump', pin],
        ],
        { encoding: 'utf8', env: { ...process.env, ...bpffs.env } },
      );
      expect(bare.status).toBe(4);
      expect(bare.stderr).toMatch(/\nhint: run as root/);
    });
  },
  { tools: ['setpriv', 'llvm-mc', 'llvm-objdump'] },
);
