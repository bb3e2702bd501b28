/** Compiles TypeScript as a strict project with netkit would. TypeScript 7 has no compiler API to call. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../src/host/package-root.js';

const strict = {
  target: 'ES2022',
  lib: ['ES2023', 'ESNext.Disposable'],
  module: 'nodenext',
  types: ['node'],
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  isolatedModules: true,
  verbatimModuleSyntax: true,
  erasableSyntaxOnly: true,
  noEmit: true,
};

/**
 * What tsc says about these files, by name, one error an element: `a.ts(3,5): error TS2322: …`.
 * @param from what `netkit` is: the checkout's source, of which errors do not count, or the built package with its
 *   declarations, of which they do
 */
export function typeErrors(
  files: Readonly<Record<string, string>>,
  from: 'source' | 'package' = 'source',
): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'netkit-types-'));
  try {
    const root = packageRoot();
    const modules = join(folder, 'node_modules');
    mkdirSync(modules);
    symlinkSync(join(root, 'node_modules/@types'), join(modules, '@types'));
    if (from === 'package') symlinkSync(root, join(modules, 'netkit'));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const paths = from === 'package' ? {} : { netkit: [join(root, 'src/index.ts')] };
    const config = { compilerOptions: { ...strict, paths }, files: Object.keys(files) };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    const lines = tsc(root, folder);
    return from === 'package' ? lines : lines.filter((line) => !line.startsWith('../'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function tsc(root: string, folder: string): string[] {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [join(root, 'node_modules/typescript/bin/tsc'), '--pretty', 'false'],
    { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 28 },
  );
  const lines = stdout.split('\n').filter((line) => /error TS/.test(line));
  const general = lines.filter((line) => !/^[^ ]+\(\d+,\d+\): /.test(line));
  if (status === null || general.length > 0 || (status !== 0 && lines.length === 0)) {
    throw new Error(`tsc did not run: ${general.join('\n')}${stderr}`);
  }
  return lines;
}
