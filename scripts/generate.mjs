// `npm run generate [-- --check]`: writes every generated file anew, or with --check says which are out of date.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const generators = [
  'scripts/gen-uapi.ts',
  'scripts/generate-schemas.ts',
  'scripts/generate-man.ts',
  'scripts/generate-function-docs.ts',
];

for (const generator of generators) {
  const { status } = spawnSync(process.execPath, ['scripts/run.mjs', generator, ...process.argv.slice(2)], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) {
    console.error(`${generator}: status ${status}`);
    process.exitCode = 1;
  }
}
