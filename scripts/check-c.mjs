// The C of bpf/ and examples/: compiles each program with every warning an error, and checks the layout with clang-format.
// With --write it lays the files out instead.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);
const folder = mkdtempSync(join(tmpdir(), 'netkit-c-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const files = ['bpf', 'examples'].flatMap((name) => below(name)).filter((path) => /\.[ch]$/.test(path));
const programs = files.filter((path) => path.endsWith('.bpf.c'));
if (programs.length === 0) {
  fail('there is no C program to check');
}
if (process.argv.includes('--write')) {
  run('clang-format', ['-i', ...files]);
} else {
  run('clang-format', ['--dry-run', '--Werror', ...files]);
  for (const program of programs) {
    compile(program);
  }
}

function compile(program) {
  const machine = { x64: 'x86_64', arm64: 'aarch64' }[process.arch] ?? process.arch;
  const architecture = { x64: 'x86', arm64: 'arm64' }[process.arch] ?? process.arch;
  run('clang', [
    '-target',
    'bpf',
    `-D__TARGET_ARCH_${architecture}`,
    '-O2',
    '-g',
    '-Wall',
    '-Wextra',
    '-Wshadow',
    '-Wconversion',
    '-Wno-sign-conversion',
    '-Werror',
    '-Ibpf/include',
    ...(/["<]vmlinux\.h[">]/.test(readFileSync(program, 'utf8')) ? [`-I${vmlinux()}`] : []),
    '-isystem',
    `/usr/include/${machine}-linux-gnu`,
    '-c',
    program,
    '-o',
    join(folder, 'out.o'),
  ]);
}

/** The folder of a vmlinux.h of this kernel, by bpftool, so that this check stands on its own. */
function vmlinux() {
  const header = join(folder, 'vmlinux.h');
  if (!existsSync(header)) {
    const args = ['btf', 'dump', 'file', '/sys/kernel/btf/vmlinux', 'format', 'c'];
    const { stdout, status } = spawnSync('bpftool', args, { encoding: 'utf8', maxBuffer: 1 << 28 });
    if (status !== 0) {
      fail(`bpftool ${args.join(' ')} failed`);
    }
    writeFileSync(header, stdout);
  }
  return folder;
}

function below(path) {
  if (!existsSync(path)) {
    return [];
  }
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function run(program, args) {
  const { status, error } = spawnSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (error !== undefined) {
    fail(`${program}: ${error.message}`);
  }
  if (status !== 0) {
    process.exitCode = 1;
  }
}

function fail(text) {
  console.error(`check-c: ${text}`);
  process.exit(1);
}
