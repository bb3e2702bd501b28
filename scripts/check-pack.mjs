// `npm pack`, then a global install of the tarball under a clean prefix, then the installed netkit at work on each Node
// that it supports. As root it loads and unloads a function too.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'netkit-test');
const majors = [20, 22, 24, 26];
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const isRoot = process.getuid() === 0;
const folder = mkdtempSync(join(tmpdir(), 'netkit-pack-'));
const prefix = join(folder, 'prefix');
const bpffs = join(folder, 'bpffs');
let failures = 0;

try {
  const tarball = join(
    folder,
    npm(['pack', '--ignore-scripts', '--json', '--pack-destination', folder], pickName),
  );
  npm(['install', '--global', '--prefix', prefix, '--ignore-scripts', '--loglevel=error', tarball]);
  if (isRoot) {
    mkdirSync(bpffs);
    execFileSync('mount', ['-t', 'bpf', 'netkit-pack', bpffs]);
  }
  check('the files', theFiles);
  check('the dependencies', theDependencies);
  check('the bundles', theBundles);
  check('the declarations', theDeclarations);
  for (const major of majors) {
    const node = nodeOf(major);
    check(`Node ${node.version}`, () => onNode(node));
  }
} finally {
  if (isRoot) {
    spawnSync('umount', [bpffs], { stdio: 'ignore' });
  }
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failures > 0 ? 1 : 0;

function pickName(json) {
  const parsed = JSON.parse(json);
  // npm 11 gives a list, newer ones an object by package name.
  const [entry] = Array.isArray(parsed) ? parsed : Object.values(parsed);
  return entry.filename;
}

function theFiles() {
  const own = installed();
  const names = readdirSync(own, { recursive: true })
    .map(String)
    .filter((name) => !/^node_modules(\/|$)/.test(name));
  const wanted = [
    /^bin\/netkit\.js$/,
    /^dist\/index\.js$/,
    /^dist\/types\/index\.d\.ts$/,
    /^(bpf|dist)\/.*\bfirewall\.bpf\.o$/,
    /^bpf\/firewall\.bpf\.c$/,
    /^bpf\/include\/netkit\/.*\.h$/,
    /^schemas\/.*\.json$/,
    /^man\/.*\.1$/,
    /^LICENSE$/,
    /^LICENSES\/GPL-2\.0-only\.txt$/,
    /^README\.md$/,
  ];
  const missing = wanted.filter((pattern) => !names.some((name) => pattern.test(name)));
  demand(missing.length === 0, `the package lacks ${missing.join(' ')}`);
  const extra = names.filter(
    (name) => /^(src|test|scripts|node_modules|\.)/.test(name) || /\.test\./.test(name),
  );
  demand(extra.length === 0, `the package should not have ${extra.slice(0, 5).join(' ')}`);
}

/** koffi, and its prebuilt binary for this machine, which koffi names as an optional dependency of its own. */
function theDependencies() {
  demand(same(readdirSync(join(prefix, 'lib/node_modules')), ['netkit']), 'more than netkit was installed');
  const modules = join(installed(), 'node_modules');
  const names = readdirSync(modules)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) =>
      name.startsWith('@') ? readdirSync(join(modules, name)).map((part) => `${name}/${part}`) : [name],
    );
  const koffi = JSON.parse(readFileSync(join(modules, 'koffi/package.json'), 'utf8'));
  const platform = Object.keys(koffi.optionalDependencies ?? {});
  const others = names.filter((name) => name !== 'koffi' && !platform.includes(name));
  demand(names.includes('koffi') && others.length === 0, `node_modules holds ${names.join(' ')}`);
}

/** What the bundles import at run time: Node's own modules, koffi, and each other. */
function theBundles() {
  const dist = join(installed(), 'dist');
  const foreign = readdirSync(dist, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.js'))
    .flatMap((name) => {
      const text = readFileSync(join(dist, name), 'utf8');
      return [...text.matchAll(/\b(?:from|import)\s*\(?\s*(["'])([^"'\s]+)\1/g)].map((match) => match[2]);
    })
    .filter((specifier) => !/^(node:|\.{1,2}\/)/.test(specifier) && specifier !== 'koffi');
  // Text of a dependency may look like an import; what npm installed cannot be imported anyway.
  const named = [...new Set(foreign)].filter((name) => name in manifest.devDependencies);
  demand(named.length === 0, `a bundle imports ${named.join(' ')}`);
}

/** A TypeScript program that uses the library as the documentation shows it. */
function theDeclarations() {
  const consumer = join(folder, 'consumer');
  mkdirSync(join(consumer, 'node_modules'), { recursive: true });
  execFileSync('ln', ['-s', installed(), join(consumer, 'node_modules/netkit')]);
  execFileSync('ln', ['-s', join(root, 'node_modules/@types'), join(consumer, 'node_modules/@types')]);
  writeFileSync(
    join(consumer, 'use.mts'),
    `import { load, NetkitError, ObjectSpec } from 'netkit';
import { firewall } from './firewall.types.mjs';
export async function use(): Promise<void> {
  const spec: ObjectSpec = await ObjectSpec.read('x.bpf.o');
  using loaded = load(spec);
  console.log(loaded, NetkitError);
  using typed = load(await ObjectSpec.read('firewall.bpf.o', { types: firewall }));
  typed.map('blocklist_v4').set('10.0.0.0/8', 'drop');
  // @ts-expect-error: no such enumerator
  typed.map('blocklist_v4').set('10.0.0.0/8', 'dorp');
}
`,
  );
  const types = join(consumer, 'firewall.types.mts');
  execFileSync(join(prefix, 'bin/netkit'), ['gen', 'types', firewall(), '-o', types]);
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--types', 'node'];
  const tsc = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules/typescript/bin/tsc'),
      ...options,
      '--lib',
      'es2023,esnext.disposable',
      'use.mts',
    ],
    { cwd: consumer, encoding: 'utf8' },
  );
  demand(tsc.status === 0, tsc.stdout);
}

function onNode(node) {
  const run = (args, status = 0) => {
    const result = spawnSync(join(prefix, 'bin/netkit'), args, {
      encoding: 'utf8',
      cwd: folder,
      env: { PATH: `${node.folder}:/usr/sbin:/usr/bin:/sbin:/bin`, HOME: folder },
    });
    demand(
      result.status === status,
      `netkit ${args.join(' ')}: status ${result.status} ${result.error?.message ?? result.stderr}`,
    );
    demand(
      !/\b(Warning|at Object\.|node:internal)/.test(result.stderr),
      `netkit ${args.join(' ')}: ${result.stderr}`,
    );
    return result.stdout;
  };
  const version = JSON.parse(run(['version', '--json']));
  demand(version.netkit === manifest.version, `version says ${version.netkit}`);
  demand(version.node === node.version, `netkit runs on Node ${version.node}`);
  demand(/attach/.test(run(['--help'])), 'the help does not name attach');
  run(['no-such-command'], 2);

  const object = firewall();
  const spec = JSON.parse(run(['inspect', object, '--json']));
  demand(JSON.stringify(spec).includes('blocklist_v4'), 'inspect does not show blocklist_v4');

  const library = `import('netkit').then((m) => m.ObjectSpec.read(${JSON.stringify(object)})).then((s) => console.log(s.name))`;
  const imported = spawnSync(join(node.folder, 'node'), ['-e', library], {
    cwd: installed(),
    encoding: 'utf8',
  });
  demand(imported.status === 0 && imported.stdout.trim() !== '', `import('netkit'): ${imported.stderr}`);

  if (isRoot) {
    const places = ['--bpffs', bpffs, '--state-dir', join(folder, 'state')];
    run(['load', object, '--name', 'packed', ...places]);
    run(['map', 'update', 'packed/blocklist_v4', '10.0.0.0/8', 'drop', ...places]);
    demand(
      run(['map', 'get', 'packed/blocklist_v4', '10.0.0.0/8', ...places]).includes('drop'),
      'the entry is not there',
    );
    demand(run(['list', '--json', ...places]).includes('packed'), 'list does not name the function');
    run(['unload', 'packed', ...places]);
    // The kernel puts two files of its own into each bpffs.
    const left = readdirSync(bpffs).filter((name) => !/^(maps|progs)\.debug$/.test(name));
    demand(left.length === 0, `bpffs still holds ${left.join(' ')}`);
  }
}

function firewall() {
  const own = installed();
  const found = ['bpf', 'dist'].flatMap((name) =>
    readdirSync(join(own, name), { recursive: true }).map((path) => join(own, name, String(path))),
  );
  const object = found.find((path) => path.endsWith('/firewall.bpf.o'));
  demand(object !== undefined, 'there is no compiled firewall in the package');
  return object;
}

function installed() {
  return realpathSync(join(prefix, 'lib/node_modules/netkit'));
}

/** The newest Node of a major version, from npm, kept outside the checkout. */
function nodeOf(major) {
  const name = `node-linux-${process.arch}`;
  let version;
  try {
    const versions = npm(['view', name, 'versions', '--json'], JSON.parse);
    version = versions
      .filter((text) => text.startsWith(`${major}.`) && !text.includes('-'))
      .sort(byVersion)
      .at(-1);
  } catch (error) {
    // Offline, the one that an earlier run fetched will do.
    version = (existsSync(cache) ? readdirSync(cache) : [])
      .filter((entry) => entry.startsWith(`node-${major}.`))
      .map((entry) => entry.slice('node-'.length))
      .sort(byVersion)
      .at(-1);
    if (version === undefined) {
      throw error;
    }
  }
  const place = join(cache, `node-${version}`);
  if (!existsSync(place)) {
    mkdirSync(cache, { recursive: true });
    const unpacked = mkdtempSync(join(cache, 'part-'));
    const file = npm(['pack', `${name}@${version}`, '--json', '--pack-destination', unpacked], pickName);
    execFileSync('tar', ['-xzf', join(unpacked, file), '-C', unpacked]);
    renameSync(join(unpacked, 'package'), place);
    rmSync(unpacked, { recursive: true, force: true });
  }
  return { version, folder: join(place, 'bin') };
}

function byVersion(a, b) {
  const [left, right] = [a, b].map((text) => text.split('.').map(Number));
  const index = left.findIndex((part, at) => part !== right[at]);
  return index < 0 ? 0 : left[index] - right[index];
}

function npm(args, read = (text) => text) {
  const script = process.env.npm_execpath;
  const [program, before] = script?.endsWith('.js') ? [process.execPath, [script]] : ['npm', []];
  return read(
    execFileSync(program, [...before, ...args], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 1 << 28,
    }),
  );
}

function check(what, action) {
  const started = Date.now();
  try {
    action();
    console.log(`ok    ${what} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failures++;
    console.log(`FAIL  ${what}: ${error.message}`);
  }
}

function demand(condition, text) {
  if (!condition) {
    throw new Error(text);
  }
}

function same(left, right) {
  return JSON.stringify([...left].sort()) === JSON.stringify([...right].sort());
}
