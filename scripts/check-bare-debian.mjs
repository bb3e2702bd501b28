// `node scripts/check-bare-debian.mjs [--worktree]`, as root: makes a bare Debian 12 root (debootstrap's smallest) that has
// Node and npm beside, clones this repository into it, and runs `npm run demo`, `npm test` and the demo again there,
// without a terminal; of the tests those that a brief run has (brief-tests.mjs). After each run nothing may be left: processes,
// mounts, namespaces, interfaces, eBPF objects, state.
//
// --worktree copies the files as they lie here instead of cloning HEAD.
//
// What comes over the network is kept in ~/.cache/netkit-test. The mirror, the npm registry and the certificates that this
// machine uses are handed in at run time.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const suite = 'bookworm';
const checkout = fileURLToPath(new URL('..', import.meta.url));
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'netkit-test');
/** In the root: what its kernel, which it shares with the machine, had before. */
const knownObjects = 'known-objects.json';

if (process.argv[2] === '--inside') {
  inside();
} else {
  outside();
}

function outside() {
  if (process.getuid() !== 0) {
    stop('needs root, for debootstrap and mounts');
  }
  mkdirSync(cache, { recursive: true });
  const apt = debianSource();
  const base = baseRoot(apt);
  const root = mkdtempSync('/var/tmp/netkit-bare-');
  let status = 1;
  const before = bpfObjects();
  try {
    execFileSync('tar', ['-xf', base, '-C', root, '--numeric-owner']);
    // Made for its maker alone, but the root of a system is everybody's.
    chmodSync(root, 0o755);
    furnish(root, apt);
    writeFileSync(join(root, knownObjects), JSON.stringify(before));
    status = enter(root);
  } finally {
    // The mounts below it lay in a mount namespace that is gone by now.
    rmSync(root, { recursive: true, force: true });
  }
  const left = leftSince(before, bpfObjects);
  if (left.length > 0) {
    stop(`after the bare root is gone, the kernel still has ${left.join(', ')}`);
  }
  if (status !== 0) {
    stop('failed');
  }
  console.log('bare Debian: demo, tests and demo again passed and left nothing');
}

/** The mirror of this machine's own apt, with what it needs to be trusted. */
function debianSource() {
  const folder = '/etc/apt/sources.list.d';
  const files = ['/etc/apt/sources.list', ...readdirSync(folder).map((name) => join(folder, name))];
  for (const text of files.filter((file) => existsSync(file)).map((file) => readFileSync(file, 'utf8'))) {
    for (const paragraph of text.split(/\n\s*\n/)) {
      const mirror =
        /^URIs:\s*(\S+)/m.exec(paragraph)?.[1] ??
        /^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+bookworm\s/m.exec(paragraph)?.[1];
      const isSuite = new RegExp(`^(Suites:.*|deb\\s.*)\\b${suite}(\\s|$)`, 'm').test(paragraph);
      if (mirror !== undefined && isSuite && /\bmain\b/.test(paragraph)) {
        const keyring = /Signed-By:?\s*[=:]?\s*(\/\S+)/i.exec(paragraph)?.[1];
        return { mirror, keyring: keyring ?? '/usr/share/keyrings/debian-archive-keyring.gpg' };
      }
    }
  }
  return stop(`no apt source of this machine offers ${suite}`);
}

/** A tar of the bare root, made once. */
function baseRoot({ mirror, keyring }) {
  const tar = join(cache, `debian-${suite}-minbase.tar`);
  if (!existsSync(tar)) {
    const folder = mkdtempSync('/var/tmp/netkit-base-');
    try {
      timed('debootstrap', () => {
        const options = ['--variant=minbase', ...(existsSync(keyring) ? [`--keyring=${keyring}`] : [])];
        const made = spawnSync('debootstrap', [...options, suite, folder, mirror], {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'pipe'],
          maxBuffer: 1 << 26,
        });
        if (made.status !== 0) {
          stop(`debootstrap: ${made.error?.message ?? `${made.stdout}${made.stderr}`}`);
        }
        execFileSync('tar', ['-cf', `${tar}.part`, '--numeric-owner', '-C', folder, '.']);
      });
      renameSync(`${tar}.part`, tar);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return tar;
}

/** Puts in what the root needs to reach the network from here, Node with its npm, and the repository. */
function furnish(root, { mirror }) {
  writeFileSync(join(root, 'etc/apt/sources.list'), `deb ${mirror} ${suite} main\n`);
  for (const name of readdirSync('/etc/apt/apt.conf.d')) {
    const text = readFileSync(join('/etc/apt/apt.conf.d', name), 'utf8');
    if (/^Acquire::/m.test(text)) {
      writeFileSync(join(root, 'etc/apt/apt.conf.d', name), text);
    }
  }
  for (const name of ['resolv.conf', 'hosts', 'hostname']) {
    cpSync(realpathSync(join('/etc', name)), join(root, 'etc', name));
  }

  const npm = findNpm();
  const local = join(root, 'usr/local');
  cpSync(process.execPath, join(local, 'bin/node'), { dereference: true });
  cpSync(npm, join(local, 'lib/node_modules/npm'), { recursive: true, dereference: true });
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(local, 'bin/npm'));
  symlinkSync('../lib/node_modules/npm/bin/npx-cli.js', join(local, 'bin/npx'));
  const config = [`registry=${npmConfig(npm, 'registry')}`];
  const certificates = npmConfig(npm, 'cafile') ?? process.env.NODE_EXTRA_CA_CERTS;
  if (certificates !== undefined && existsSync(certificates)) {
    cpSync(certificates, join(local, 'share/npm-ca.pem'), { dereference: true });
    config.push('cafile=/usr/local/share/npm-ca.pem');
  }
  for (const key of ['proxy', 'https-proxy', 'noproxy']) {
    const value = npmConfig(npm, key);
    if (value !== undefined) {
      config.push(`${key}=${value}`);
    }
  }
  mkdirSync(join(local, 'etc'), { recursive: true });
  writeFileSync(join(local, 'etc/npmrc'), `${config.join('\n')}\n`);

  const target = join(root, 'netkit');
  if (process.argv.includes('--worktree')) {
    const skip = /^(node_modules|dist|\.git|\.cache|coverage)(\/|$)/;
    cpSync(checkout, target, {
      recursive: true,
      filter: (source) => !skip.test(source.slice(checkout.length)),
    });
  } else {
    // The checkout may belong to another user.
    const trust = { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'safe.directory', GIT_CONFIG_VALUE_0: '*' };
    execFileSync('git', ['clone', '--quiet', '--depth=1', `file://${checkout}`, target], {
      env: { ...process.env, ...trust },
    });
  }
  // Today's inner part, also when HEAD has an older one.
  cpSync(fileURLToPath(import.meta.url), join(root, 'check.mjs'));
}

function findNpm() {
  const script =
    process.env.npm_execpath ?? execFileSync('sh', ['-c', 'command -v npm'], { encoding: 'utf8' }).trim();
  return dirname(dirname(realpathSync(script)));
}

function npmConfig(npm, key) {
  const value = execFileSync(process.execPath, [join(npm, 'bin/npm-cli.js'), 'config', 'get', key], {
    encoding: 'utf8',
    cwd: '/',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
  return value === 'null' || value === 'undefined' || value === '' ? undefined : value;
}

/**
 * Runs the inner part in the root, in mount and PID namespaces of its own. Its process 1 is a shell in that mount namespace,
 * as on a booted machine: netkit mounts bpffs in the mount namespace of process 1 alone. When it ends, all processes and
 * mounts in there end with it.
 */
function enter(root) {
  const archives = join(cache, 'apt');
  mkdirSync(join(archives, 'partial'), { recursive: true });
  const script = `
    set -e
    mount --bind "$0" "$0"
    mount -t proc proc "$0/proc"
    mount -t sysfs sysfs "$0/sys"
    mount -t cgroup2 cgroup2 "$0/sys/fs/cgroup"
    mount --rbind /dev "$0/dev"
    mount -t tmpfs -o mode=755 tmpfs "$0/run"
    mount --bind "$1" "$0/var/cache/apt/archives"
    exec chroot "$0" /bin/bash -c '/usr/local/bin/node /check.mjs --inside; exit $?'
  `;
  const proxies = Object.entries(process.env).filter(([name]) => /^(https?|no)_proxy$/i.test(name));
  const result = spawnSync(
    'setsid',
    [
      '--wait',
      'unshare',
      '--mount',
      '--propagation=private',
      '--pid',
      '--fork',
      '--kill-child',
      'bash',
      '-c',
      script,
    ].concat([root, archives]),
    {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: {
        ...Object.fromEntries(proxies),
        PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        HOME: '/root',
        // The tests' own count is not the last word here.
        NETKIT_CI_STAGE: '1',
        NETKIT_TEST_BRIEF: '1',
        NO_COLOR: '1',
        ...(existsSync(join(root, 'usr/local/share/npm-ca.pem'))
          ? { NODE_EXTRA_CA_CERTS: '/usr/local/share/npm-ca.pem' }
          : {}),
      },
    },
  );
  return result.status ?? 1;
}

function inside() {
  process.chdir('/netkit');
  // Before set-up there is no bpftool in here that could tell.
  const others = JSON.parse(readFileSync(join('/', knownObjects), 'utf8'));
  let failed = false;
  for (const command of ['npm run demo', 'npm test', 'npm run demo']) {
    const before = [...footprint(), ...others];
    console.log(`$ ${command}`);
    const started = Date.now();
    const { status } = spawnSync('sh', ['-c', command], { stdio: ['ignore', 'inherit', 'inherit'] });
    console.log(`${command}: status ${status}, ${((Date.now() - started) / 1000).toFixed(1)} s\n`);
    const left = leftSince(before, footprint);
    if (left.length > 0) {
      console.log(`${command} left behind:\n${left.map((what) => `  ${what}`).join('\n')}`);
    }
    failed ||= status !== 0 || left.length > 0;
  }
  process.exit(failed ? 1 : 0);
}

/** Everything that a run might leave behind, as lines of text. */
function footprint() {
  // What stays by design: a bpffs that netkit mounted, and the folder that iproute2 makes for named namespaces.
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !/ \/(sys\/fs\/bpf|run\/netns) /.test(line))
    .map((line) => `mount ${line.split(' ')[4]}`);
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((pid) => `process ${pid} ${read(`/proc/${pid}/comm`)}`);
  const interfaces = readdirSync('/sys/class/net').map((name) => `interface ${name}`);
  const files = ['/sys/fs/bpf', '/run', '/tmp', '/var/lib/netkit', '/var/tmp', '/dev/shm'].flatMap(below);
  return [...mounts, ...processes, ...interfaces, ...files, ...bpfObjects()];
}

function below(folder) {
  if (!existsSync(folder)) {
    return [];
  }
  // netkit's lock stays: removing it would let two commands hold it. The kernel puts two files into each bpffs; iproute2 and
  // apt keep theirs in /run, and so do systemd and what starts services, from when their packages are installed.
  const byDesign =
    /^\/(var\/lib\/netkit\/lock|sys\/fs\/bpf\/(maps|progs)\.debug|run\/netns|run\/(lock|log|user|adduser|mount|systemd|sendsigs\.omit\.d|shm)(\/.*)?)$/;
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((path) => !byDesign.test(path))
    .map((path) => `file ${path}`);
}

/** Programs, maps and links in the kernel; on a machine without bpftool, as before set-up, none are known. */
function bpfObjects() {
  return ['prog', 'map', 'link'].flatMap((kind) => {
    const { stdout } = spawnSync('bpftool', ['-j', kind, 'list'], { encoding: 'utf8' });
    const list = stdout ? JSON.parse(stdout) : [];
    // systemd loads its own whenever it starts a service.
    // A program array that is listed just while it is let go is never freed (test/support/kernel-state.ts).
    const others = list.filter(({ name, type }) => !name?.startsWith('sd_') && type !== 'prog_array');
    return others.map(({ id, type, name }) => `${kind} ${id} ${type} ${name ?? ''}`);
  });
}

/** What is there now and was not before; the kernel frees its objects a little later than it is asked to. */
function leftSince(before, look) {
  for (let attempt = 0; ; attempt++) {
    const left = difference(before, look());
    if (left.length === 0 || attempt === 20) {
      return left;
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250);
  }
}

function difference(before, after) {
  const known = new Set(before);
  return after.filter((what) => !known.has(what));
}

function read(path) {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}

function timed(what, action) {
  const started = Date.now();
  action();
  console.log(`${what}: ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

function stop(text) {
  console.error(`check-bare-debian: ${text}`);
  process.exit(1);
}
