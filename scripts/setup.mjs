// `npm run setup [-- --ci | --vm]`: makes a Debian 12 machine with Node ready. It is safe to run at any time, and quick when
// there is nothing to do. Uses Node alone: on a fresh clone there is no node_modules yet.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ciPackages, packages, vmPackages } from './debian-packages.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);
const stampFile = join(root, '.cache/setup.json');

requireNode();
installPackages();
installModules();
build();
if (process.argv.includes('--vm')) compileRefusals();

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    fail(`netkit needs Node 20.19 or newer; this is ${process.versions.node}`);
  }
}

function installPackages() {
  const wanted = Object.keys({
    ...packages,
    ...(process.argv.includes('--ci') ? ciPackages : {}),
    ...(process.argv.includes('--vm') ? vmPackages : {}),
  });
  const query = spawnSync('dpkg-query', ['-W', '-f', '${Package} ${db:Status-Status}\n', ...wanted], {
    encoding: 'utf8',
  });
  if (query.error !== undefined) {
    say(`this is not a Debian system: see to it that it has ${wanted.join(' ')}`);
    return;
  }
  const installed = new Set(
    query.stdout
      .split('\n')
      .filter((line) => line.endsWith(' installed'))
      .map((line) => line.split(' ')[0]),
  );
  const missing = wanted.filter((name) => !installed.has(name));
  if (missing.length === 0) {
    return;
  }
  const command = `apt-get install --no-install-recommends ${missing.join(' ')}`;
  if (process.getuid?.() !== 0) {
    say(`Debian packages are missing; to install them: sudo ${command}`);
    return;
  }
  timed(`installing the Debian packages ${missing.join(' ')}`, () => {
    apt(['update']);
    apt(['install', '--yes', '--no-install-recommends', '-o', 'Dpkg::Options::=--force-confold', ...missing]);
  });
}

/** Runs apt-get without questions; waits up to five minutes while another apt holds its lock. */
function apt(args) {
  const options = [
    '-q',
    '-o',
    'DPkg::Lock::Timeout=300',
    '-o',
    'Acquire::Retries=3',
    '-o',
    'Dpkg::Use-Pty=0',
  ];
  for (let attempt = 1; ; attempt++) {
    const result = spawnSync('apt-get', [...options, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 1 << 28,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
    });
    if (result.status === 0) {
      return;
    }
    // DPkg::Lock::Timeout does not cover the lock on the package lists.
    if (/Could not get lock|Unable to lock/.test(result.stderr ?? '') && attempt < 100) {
      sleep(3000);
      continue;
    }
    fail(
      `apt-get ${args[0]} failed:\n${result.error?.message ?? `${result.stdout}${result.stderr}`.trimEnd()}`,
    );
  }
}

function installModules() {
  if (modulesFitLock()) {
    return;
  }
  timed('installing node_modules', () => {
    // --include: a NODE_ENV=production would leave the development packages out.
    const args = ['ci', '--ignore-scripts', '--include=dev', '--include=optional', '--loglevel=error'];
    const [program, ...before] = npm();
    run(program, [...before, ...args]);
  });
}

/** Whether node_modules holds what the lockfile names; npm writes its own record of that last. */
function modulesFitLock() {
  let installed;
  try {
    installed = JSON.parse(readFileSync('node_modules/.package-lock.json', 'utf8')).packages;
  } catch {
    return false;
  }
  const locked = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages;
  const wanted = Object.entries(locked).filter(([path]) => path !== '');
  return (
    Object.keys(installed).every((path) => path in locked) &&
    wanted.every(([path, entry]) =>
      installed[path] === undefined
        ? entry.optional && !isForThisMachine(entry)
        : installed[path].integrity === entry.integrity && existsSync(path),
    )
  );
}

/** Whether an optional package is a prebuilt binary for this machine. */
function isForThisMachine({ os, cpu, libc }) {
  return (
    os?.includes('linux') && cpu?.includes(process.arch) && (libc === undefined || libc.includes('glibc'))
  );
}

/** The npm that came with this Node, whatever PATH says. */
function npm() {
  const candidates = [
    process.env.npm_execpath,
    join(dirname(process.execPath), '../lib/node_modules/npm/bin/npm-cli.js'),
    join(dirname(process.execPath), '../share/nodejs/npm/bin/npm-cli.js'),
  ];
  const script = candidates.find((path) => path?.endsWith('npm-cli.js') && existsSync(path));
  return script === undefined ? ['npm'] : [process.execPath, script];
}

function build() {
  const hash = hashOf([
    'src',
    'bin',
    'bpf',
    'scripts/build.mjs',
    'scripts/build-objects.ts',
    'scripts/run.mjs',
    'scripts/pack',
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'tsconfig.build.json',
  ]);
  if (readStamp().build === hash && existsSync('dist/bpf/firewall.bpf.o')) {
    return;
  }
  timed('building', () => run(process.execPath, ['scripts/build.mjs']));
  writeStamp({ build: hash });
}

/** Here it takes ten seconds, once; emulated it takes minutes. */
function compileRefusals() {
  run(process.execPath, ['scripts/run.mjs', 'scripts/refusal-objects.ts']);
}

/** A hash over names and contents: times tell nothing in a fresh clone. */
function hashOf(paths) {
  const hash = createHash('sha256');
  const add = (path) => {
    const content = readFileSync(path);
    hash.update(`${path}\0${content.length}\0`).update(content);
  };
  for (const path of paths.filter((name) => existsSync(name))) {
    const names = filesIn(path);
    // Compiled objects are made by the build.
    names.filter((name) => !name.endsWith('.o')).forEach(add);
  }
  return hash.digest('hex');
}

function filesIn(path) {
  let entries;
  try {
    entries = readdirSync(path, { withFileTypes: true });
  } catch {
    return [path];
  }
  return entries
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => (entry.isDirectory() ? filesIn(join(path, entry.name)) : [join(path, entry.name)]));
}

function readStamp() {
  try {
    return JSON.parse(readFileSync(stampFile, 'utf8'));
  } catch {
    return {};
  }
}

function writeStamp(stamp) {
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, `${JSON.stringify(stamp)}\n`);
}

function run(program, args) {
  const result = spawnSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (result.status !== 0) {
    fail(
      `${program} ${args.join(' ')}: ${result.error?.message ?? result.signal ?? `status ${result.status}`}`,
    );
  }
}

function timed(what, action) {
  say(`${what} …`);
  const started = Date.now();
  action();
  say(`done in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

function sleep(milliseconds) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

function say(text) {
  console.log(`setup: ${text}`);
}

function fail(text) {
  console.error(`setup: ${text}`);
  process.exit(1);
}
