// Where the benchmark works: namespaces of its own for network and mounts, so that the kernel removes everything with the
// last process, however that ends; a bpf file system and a state directory in a folder on a disk.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const INSIDE = 'NETKIT_BENCH_INSIDE';
/** Not /tmp, which may be memory: netkit syncs what it writes, and that is to be measured. */
const DISK = '/var/tmp';

/** Makes sure that this process is in namespaces of its own: runs the script again in some, and then returns its status. */
export function runInside(script) {
  if (process.env[INSIDE] !== undefined) return undefined;
  const { status, signal, error } = spawnSync(
    'unshare',
    ['--net', '--mount', '--propagation', 'private', process.execPath, script, ...process.argv.slice(2)],
    { stdio: 'inherit', env: { ...process.env, [INSIDE]: '1' } },
  );
  if (error !== undefined) throw new Error(`unshare: ${error.message}`);
  if (signal !== null) throw new Error(`ended by ${signal}`);
  return status;
}

/** The folder, the interface and the object that the rows work on. */
export class Lab {
  constructor() {
    this.folder = mkdtempSync(join(DISK, 'netkit-bench-'));
    process.on('exit', () => this.#remove());
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));
    this.bpffs = join(this.folder, 'bpf');
    mkdirSync(this.bpffs);
    must('mount', ['-t', 'bpf', 'bpf', this.bpffs]);
    this.environment = {
      ...process.env,
      NETKIT_BPFFS: this.bpffs,
      NETKIT_STATE_DIR: join(this.folder, 'state'),
      LC_ALL: 'C',
    };
  }

  /** A veth pair, up at both ends; the name of the one to attach to. */
  veth(name) {
    must('ip', ['link', 'add', name, 'type', 'veth', 'peer', 'name', `${name}-peer`]);
    must('ip', ['link', 'set', name, 'up']);
    must('ip', ['link', 'set', `${name}-peer`, 'up']);
    return name;
  }

  /** Compiles a function of the collection, and gives the object's path. */
  object(name) {
    return this.compile(join(ROOT, 'bpf', `${name}.bpf.c`));
  }

  /** Compiles any program, and gives the object's path. */
  compile(source) {
    const out = join(this.folder, basename(source).replace(/\.c$/, '.o'));
    const flags = ['-target', 'bpf', '-g', '-O2', '-mcpu=v3', `-I${join(ROOT, 'bpf/include')}`];
    const system = `-I/usr/include/${process.arch === 'x64' ? 'x86_64' : 'aarch64'}-linux-gnu`;
    must('clang', [...flags, system, '-c', source, '-o', out]);
    return out;
  }

  /** The command to measure for `netkit …`. */
  netkit(...args) {
    return { file: process.execPath, args: [join(ROOT, 'bin/netkit.js'), ...args], env: this.environment };
  }

  /** The command to measure for another program. */
  tool(file, ...args) {
    return { file, args, env: this.environment };
  }

  /** Bare Node, which every netkit command includes. */
  bareNode() {
    return this.tool(process.execPath, '-e', '0');
  }

  /** Runs a command that only prepares something. */
  prepare({ file, args }) {
    must(file, args, this.environment);
  }

  #remove() {
    spawnSync('umount', ['--lazy', this.bpffs]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function must(file, args, env = process.env) {
  const { status, stderr, error } = spawnSync(file, args, { encoding: 'utf8', env, timeout: 300_000 });
  if (status !== 0) throw new Error(`${file} ${args.join(' ')}: ${error?.message ?? stderr.trim()}`);
}
