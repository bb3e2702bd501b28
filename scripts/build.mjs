// Builds dist: the command line in two scripts, the library as modules, its type declarations, and the objects of bpf/.
// Everything but koffi is bundled, so that an installed netkit has one dependency.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { pack } from './pack/pack.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
// Built aside and put in place as a whole: a netkit that runs meanwhile finds the old one or the new one.
const dist = join(root, `.dist-${process.pid}`);
process.on('exit', () => rmSync(dist, { recursive: true, force: true }));

const settings = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  external: ['koffi'],
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  logLevel: 'warning',
};
const library = await build({
  ...settings,
  absWorkingDir: root,
  // The second is a process of `netkit bench`.
  entryPoints: { index: 'src/index.ts', 'bench-peer': 'src/bench/lab/requests/peer.ts' },
  outdir: dist,
  chunkNames: 'chunks/[name]-[hash]',
  splitting: true,
  format: 'esm',
  metafile: true,
  // Some dependencies are CommonJS and require modules of Node.
  banner: {
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
});
const commandLine = await pack(root, 'src/cli/process.ts', settings);
for (const [name, text] of Object.entries(commandLine.files)) writeFileSync(join(dist, name), text);

writeFileSync(
  join(dist, 'THIRD-PARTY.txt'),
  licences([...commandLine.inputs, ...Object.keys(library.metafile.inputs)]),
);

const tsc = spawnSync(
  process.execPath,
  [
    join(root, 'node_modules/typescript/bin/tsc'),
    '-p',
    'tsconfig.build.json',
    '--outDir',
    join(dist, 'types'),
  ],
  {
    cwd: root,
    stdio: 'inherit',
  },
);
const objects = spawnSync(
  process.execPath,
  [join(root, 'scripts/run.mjs'), join(root, 'scripts/build-objects.ts'), join(dist, 'bpf')],
  { cwd: root, stdio: 'inherit' },
);
process.exitCode = tsc.status || objects.status || 0;
if (process.exitCode === 0) putInPlace();

function putInPlace() {
  const final = join(root, 'dist');
  const old = `${dist}-old`;
  if (existsSync(final)) renameSync(final, old);
  renameSync(dist, final);
  rmSync(old, { recursive: true, force: true });
}

/** The licences of the packages that are in the bundle, which ask to go with every copy. */
function licences(inputs) {
  const folders = inputs.flatMap((path) => path.match(/^.*node_modules\/(@[^/]+\/)?[^/]+/)?.[0] ?? []);
  const texts = [...new Set(folders)].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    const file = readdirSync(join(root, folder)).find((entry) => /^licen[cs]e/i.test(entry));
    if (file === undefined) throw new Error(`${folder} has no licence file`);
    const notice = readdirSync(join(root, folder)).find((entry) => /^notice/i.test(entry));
    const parts = [file, notice].flatMap((part) =>
      part === undefined ? [] : readFileSync(join(root, folder, part), 'utf8').trim(),
    );
    return `${name} ${version} (${license})\n\n${parts.join('\n\n')}\n`;
  });
  return `The bundles in this folder contain these packages.\n\n${texts.join(`\n${'-'.repeat(72)}\n\n`)}`;
}
