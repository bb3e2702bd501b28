import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eagerImports, importsOf, layers, sourceFiles, violation } from './layers.js';

const root = join(import.meta.dirname, '../..');
const names = Object.keys(layers);

/** What the checker says of a planted file. */
async function violations(file: string, source: string): Promise<string[]> {
  const found = await importsOf(file, source);
  return found.map(violation).filter((text) => text !== undefined);
}

describe('the imports of src', () => {
  test('follow the table', async () => {
    const files = sourceFiles(root);
    expect(files.length).toBeGreaterThan(0);
    const broken: string[] = [];
    for (const { path, text } of files) {
      broken.push(...(await violations(path, text)));
    }
    expect(broken).toEqual([]);
  });

  test('of the command line are lazy: starting it loads base and cli alone, and no command', async () => {
    const files = sourceFiles(root);
    // What every command passes through before its own file is loaded.
    const entries = ['src/cli/process.ts', 'src/cli/main.ts', 'src/cli/actions.ts', 'src/cli/parse.ts'];
    const eager = files.filter(({ path }) => entries.includes(path));
    expect(eager.map(({ path }) => path).sort()).toEqual(entries.sort());
    const broken: string[] = [];
    for (const file of eager) {
      for (const [what, who] of await eagerImports(file, files)) {
        if (!/^src\/(base\/|cli\/(?!commands\/))|^commander$/.test(what)) {
          broken.push(`${file.path} loads ${what} (imported by ${who}): import it where it is used`);
        }
      }
    }
    expect(broken).toEqual([]);
  });
});

describe('a planted import', () => {
  test('of a value, a type, a re-export, a type query or at run time is found, with the reason', async () => {
    const forms = [
      `import { x } from '../../sys/x.js';`,
      `import x from '../../sys/x.js';`,
      `import * as x from '../../sys/x.js';`,
      `import '../../sys/x.js';`,
      `import type { X } from '../../sys/x.js';`,
      `import type X from '../../sys/x.js';`,
      `import type * as X from '../../sys/x.js';`,
      `import { type X } from '../../sys/x.js';`,
      `import type {\n  X,\n} from '../../sys/x.js';`,
      `export { x } from '../../sys/x.js';`,
      `export * from '../../sys/x.js';`,
      `export type { X } from '../../sys/x.js';`,
      `export const x = await import('../../sys/x.js');`,
      `export type X = import('../../sys/x.js').X;`,
    ];
    for (const form of forms) {
      expect(await violations('src/obj/btf/read.ts', form), form).toEqual([
        expect.stringContaining('parsing is pure'),
      ]);
    }
  });

  test('of a package is found, and allowed where the table has it', async () => {
    const koffi = `import koffi from 'koffi';`;
    expect(await violations('src/ebpf/map.ts', koffi)).toHaveLength(1);
    expect(await violations('src/sys/call.ts', koffi)).toEqual([]);
    const execa = `import { execa } from 'execa';`;
    expect(await violations('src/host/netns.ts', execa)).toHaveLength(1);
    expect(await violations('src/host/command.ts', execa)).toEqual([]);
    expect(await violations('src/index.ts', `export * from 'yaml';`)).toHaveLength(1);
  });

  test('of zod in the cli is for the schemas, whose types alone may be used elsewhere', async () => {
    const zod = `import { z } from 'zod';`;
    expect(await violations('src/cli/schema/map.ts', zod)).toEqual([]);
    expect(await violations('src/cli/output.ts', zod)).toHaveLength(1);
    expect(await violations('src/cli/output.ts', `import type { z } from 'zod';`)).toEqual([]);
    expect(await violations('src/cli/output.ts', `import { map } from './schema/map.js';`)).toHaveLength(1);
    expect(await violations('src/cli/output.ts', `import type { Map } from './schema/map.js';`)).toEqual([]);
  });

  test('of the wall or the command line by the public API is found', async () => {
    expect(await violations('src/index.ts', `export { call } from './sys/call.js';`)).toHaveLength(1);
    expect(await violations('src/index.ts', `export { main } from './cli/main.js';`)).toHaveLength(1);
    expect(await violations('src/index.ts', `export { load } from './ebpf/object.js';`)).toEqual([]);
  });

  test('that no check could follow is refused', async () => {
    expect(
      await violations('src/cli/main.ts', 'export const load = (path: string) => import(path);'),
    ).toHaveLength(1);
    expect(await violations('src/obj/elf.ts', `import x from '../../test/x.js';`)).toHaveLength(1);
    expect(await violations('src/stray/x.ts', `import x from '../base/x.js';`)).toHaveLength(1);
  });

  test('in an eager part of a command is found through the files between', async () => {
    const files = [
      { path: 'src/cli/commands/map.ts', text: `import { a } from '../between.js'; a();` },
      { path: 'src/cli/between.ts', text: `import { b } from '../ebpf/map.js'; export const a = b;` },
    ];
    const [first] = files;
    if (first === undefined) {
      throw new Error('no file');
    }
    expect([...(await eagerImports(first, files)).keys()]).toContain('src/ebpf/map.ts');
  });
});

describe('the lint rules agree with the table', () => {
  let folder = '';
  let reported = new Set<string>();

  // One file for each pair of layers, and one for each layer and package; Biome sees them all in one run.
  const packages = ['koffi', 'execa', 'yaml', 'zod', 'commander', 'chalk', 'cli-table3', 'ora', 'echarts'];
  const plants: { file: string; source: string }[] = [];
  for (const from of names) {
    for (const to of names) {
      plants.push({ file: `src/${from}/x-${to}.ts`, source: `export { x } from '../${to}/x.js';\n` });
      plants.push({
        file: `src/${from}/deep/x-${to}.ts`,
        source: `export type { X } from '../../${to}/x.js';\n`,
      });
    }
    for (const name of packages) {
      plants.push({ file: `src/${from}/y-${name}.ts`, source: `export { x } from '${name}';\n` });
      plants.push({
        file: `src/${from}/z-${name}.ts`,
        source: `export const x = await import('${name}');\n`,
      });
    }
  }
  for (const name of packages) {
    plants.push({ file: `src/cli/schema/y-${name}.ts`, source: `export { x } from '${name}';\n` });
  }
  for (const name of packages) {
    plants.push({ file: `src/bench/report/y-${name}.ts`, source: `export { x } from '${name}';\n` });
  }
  plants.push({ file: 'src/host/command.ts', source: `export { x } from 'execa';\n` });
  plants.push({ file: 'src/index.ts', source: `export { x } from './sys/x.js';\n` });
  plants.push({ file: 'src/base/a.ts', source: `import { b } from './b.js';\n\nexport const a = b;\n` });
  plants.push({ file: 'src/base/b.ts', source: `import { a } from './a.js';\n\nexport const b = a;\n` });
  plants.push({
    file: 'src/base/floating.ts',
    source: `async function work(): Promise<void> {}\n\nexport function start(): void {\n  work();\n}\n`,
  });

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'netkit-lint-'));
    cpSync(join(root, 'biome.json'), join(folder, 'biome.json'));
    cpSync(join(root, 'package.json'), join(folder, 'package.json'));
    for (const { file, source } of plants) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), source);
    }
    const biome = spawnSync(
      join(root, 'node_modules/.bin/biome'),
      ['lint', '--reporter=json', '--max-diagnostics=none', '.'],
      { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 26 },
    );
    const report = JSON.parse(biome.stdout) as {
      diagnostics: { category: string; location: { path: string } }[];
    };
    reported = new Set(report.diagnostics.map(({ category, location }) => `${category} ${location.path}`));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const restricted = (file: string): boolean => reported.has(`lint/style/noRestrictedImports ${file}`);

  test('on every pair of layers and every package', async () => {
    const differences: string[] = [];
    for (const { file, source } of plants) {
      // The lint rule cannot tell a schema's run-time use of zod from its types; the checker can.
      if (file.startsWith('src/cli/') && file.includes('zod')) {
        continue;
      }
      const [byTable] = await violations(file, source);
      if (restricted(file) !== (byTable !== undefined)) {
        differences.push(
          `${file}: lint ${restricted(file) ? 'refuses' : 'allows'}, the table: ${byTable ?? 'allows'}`,
        );
      }
    }
    expect(differences).toEqual([]);
    expect(plants.filter(({ file }) => restricted(file)).length).toBeGreaterThan(100);
  });

  test('and refuse import cycles and floating promises', () => {
    expect(reported).toContain('lint/suspicious/noImportCycles src/base/a.ts');
    expect(reported).toContain('lint/nursery/noFloatingPromises src/base/floating.ts');
  });

  test('and make `biome ci` fail', () => {
    const source = `import koffi from 'koffi';\n\nexport const library = koffi;\n`;
    expect(() =>
      execFileSync(
        join(root, 'node_modules/.bin/biome'),
        ['lint', '--stdin-file-path=src/obj/planted.ts', '--error-on-warnings'],
        { cwd: root, input: source, stdio: ['pipe', 'ignore', 'ignore'] },
      ),
    ).toThrow();
  });
});
