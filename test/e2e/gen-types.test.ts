import {
  copyFileSync,
  existsSync,
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
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/host/package-root.js';
import { netkit } from '../support/cli.js';
import { describeWith } from '../support/requirements.js';
import { expectValid } from '../support/schema.js';
import { typeErrors } from '../support/type-check.js';
import { objectPath } from '../unit/obj/fixtures.js';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'netkit-gen-types-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('netkit gen types', () => {
  const maps = objectPath('maps');

  it('writes the module to standard output', () => {
    const { status, stdout, stderr } = netkit(['gen', 'types', maps]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toBe(readFileSync(join(packageRoot(), 'test/types/maps.types.ts'), 'utf8'));
  });

  it('writes it to a file, and says so', () => {
    const path = join(folder, 'maps.types.ts');
    const { status, stdout } = netkit(['gen', 'types', maps, '-o', path]);
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: `${path}: the types of maps.bpf.o, exported as maps\n`,
    });
    expect(readFileSync(path, 'utf8')).toBe(netkit(['gen', 'types', maps]).stdout);
  });

  it('gives valid documents', () => {
    const path = join(folder, 'json.types.ts');
    const written = netkit(['gen', 'types', maps, '-o', path, '--json']).json();
    expectValid('gen types', written);
    const common = { object: maps, constant: 'maps', type: 'Maps', bytes: statSync(path).size };
    expect(written).toMatchObject({ ...common, file: path, module: null });
    const shown = netkit(['gen', 'types', maps, '--json']).json();
    expectValid('gen types', shown);
    expect(shown).toMatchObject({ ...common, file: null, module: readFileSync(path, 'utf8') });
  });

  it.each<[string, (path: string) => void, RegExp, number]>([
    ['an empty file', (path) => writeFileSync(path, ''), /not an ELF|too short|empty|ends/i, 1],
    ['a text', (path) => writeFileSync(path, 'int main;'), /ELF/, 1],
    ['a folder', (path) => mkdirSync(path), /directory/, 1],
    ['an object without BTF', (path) => copyFileSync(objectPath('nobtf'), path), /no BTF/, 1],
    ['an object of the other byte order', (path) => copyFileSync(objectPath('bigendian'), path), /endian/, 1],
    [
      'an object cut in the middle',
      (path) => writeFileSync(path, readFileSync(maps).subarray(0, 3000)),
      /./,
      1,
    ],
    ['a file that is not there', () => undefined, /no such file/, 3],
  ])('refuses %s, and writes nothing', (what, make, said, status) => {
    const path = join(folder, `${what.replaceAll(' ', '-')}.bpf.o`);
    make(path);
    const output = join(folder, 'refused.types.ts');
    const result = netkit(['gen', 'types', path, '-o', output, '--json']);
    expect(result).toMatchObject({ status, stdout: '' });
    expectValid('error', result.jsonError());
    expect(result.stderr).toMatch(said);
    expect(existsSync(output)).toBe(false);
    const plain = netkit(['gen', 'types', path]).stderr.trimEnd().split('\n');
    expect(plain.length, plain.join('\n')).toBeLessThanOrEqual(2);
    expect(plain[0]).toMatch(/^netkit: /);
  });

  it.each([
    ['a folder', () => folder, 2],
    ['a path through a missing folder', () => join(folder, 'missing/v.ts'), 3],
  ] as const)('refuses %s as the output', (_what, path, status) => {
    const result = netkit(['gen', 'types', maps, '-o', path(), '--json']);
    expect(result).toMatchObject({ status, stdout: '' });
    expectValid('error', result.jsonError());
  });

  it('makes what compiles in a project that has the built package', () => {
    const types = join(packageRoot(), 'test/types');
    const files = readdirSync(types).map((name) => [name, readFileSync(join(types, name), 'utf8')]);
    expect(typeErrors(Object.fromEntries(files), 'package')).toEqual([]);
  });
});

const sources = readdirSync(join(packageRoot(), 'bpf')).flatMap((name) =>
  name.endsWith('.bpf.c') ? [name.slice(0, -'.bpf.c'.length)] : [],
);
const missing = sources.filter((name) => !existsSync(join(packageRoot(), `dist/bpf/${name}.bpf.o`)));
const check = () => (missing.length === 0 ? undefined : `a build with clang (there is no ${missing.join()})`);

describeWith({ check }, 'the functions that come with netkit', () => {
  it('have types: those of the firewall stand in test/types', async () => {
    const { stdout } = netkit(['gen', 'types', 'builtin:firewall']);
    await expect(stdout).toMatchFileSnapshot(join(packageRoot(), 'test/types/firewall.types.ts'));
  });

  it.each(sources)('%s: the types compile, and misuse does not', (name) => {
    const path = join(folder, `${name}.types.ts`);
    const made = netkit(['gen', 'types', `builtin:${name}`, '-o', path, '--json']).json();
    const { constant } = Object(made);
    const shown = Object(netkit(['inspect', `builtin:${name}`, '--json']).json());
    const lines = [
      "import { load, ObjectSpec } from 'netkit';",
      `import { ${constant} as types } from './types.js';`,
      "const spec = ObjectSpec.readSync('x.bpf.o', { types });",
      'const object = load(spec);',
      ...wrongly("object.map('no_such_map');", "object.program('no_such_program');"),
      ...wrongly("spec.globals.set('no_such_variable', 1);"),
      ...shown.programs.map((program: { name: string }) => `object.program('${program.name}');`),
      ...shown.globals.flatMap((global: { name: string }) => [
        `spec.globals.set('${global.name}', spec.globals.get('${global.name}'));`,
        ...wrongly(`spec.globals.set('${global.name}', Symbol());`, `spec.globals.set('${global.name}');`),
      ]),
      ...shown.maps.flatMap((map: { name: string; keySize: number }) => [
        `object.map('${map.name}').pin('/x');`,
        ...(map.keySize === 0 ? [] : wrongly(`object.map('${map.name}').get(Symbol());`)),
        ...wrongly(`object.map('${map.name}').set(Symbol(), Symbol());`),
        ...wrongly(`object.map('${map.name}').noSuchOperation();`),
      ]),
    ];
    expect(typeErrors({ 'types.ts': readFileSync(path, 'utf8'), 'use.ts': lines.join('\n') })).toEqual([]);
  });
});

function wrongly(...lines: readonly string[]): string[] {
  return lines.flatMap((line) => ['// @ts-expect-error', line]);
}
