import { existsSync, statSync } from 'node:fs';
import { mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { NetkitError } from '../base/errors.js';
import { findTool, requireTool, runCommand } from '../host/command.js';
import { fileError } from '../host/file-errors.js';
import { packageRoot } from '../host/package-root.js';
import { parseDependencies } from './dependencies.js';
import type { Diagnostic } from './diagnostics.js';
import { compileError, parseDiagnostics } from './diagnostics.js';

/** What to compile, and how. */
export interface CompileOptions {
  /** C files, each of which becomes an object. */
  readonly sources: readonly string[];
  /**
   * Where to: a file, with a single source, or a directory that exists. Without it, the source's base name with
   * `.bpf.o`, in the current directory.
   */
  readonly output?: string | undefined;
  /** Further directories to look for headers in, before netkit's own and the system's. */
  readonly includes?: readonly string[] | undefined;
  /** `NAME` or `NAME=VALUE`. */
  readonly defines?: readonly string[] | undefined;
  /** Count the system's headers among the dependencies, and the kernel's types. */
  readonly systemHeaders?: boolean | undefined;
  /** Name files in diagnostics by absolute paths, for users who are not in `cwd`. */
  readonly absolutePaths?: boolean | undefined;
  /** The directory that all paths are relative to; the current one when left out. */
  readonly cwd?: string | undefined;
  /** Ends the compiler when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** An object file that was written. */
export interface BuiltObject {
  /** As given. */
  readonly source: string;
  /** Relative to `cwd` where the output was, or by default. */
  readonly object: string;
  /** The source and the headers that it includes, without the system's unless they were asked for: absolute paths. */
  readonly dependencies: readonly string[];
}

/** What a compilation made. */
export interface BuildResult {
  /** In the order of the sources. */
  readonly objects: readonly BuiltObject[];
  readonly warnings: readonly Diagnostic[];
}

/** libbpf's name of an architecture, which its tracing macros ask for, and the directory of its `asm` headers. */
const architectures: Readonly<Record<string, readonly [target: string, triplet: string]>> = {
  x64: ['x86', 'x86_64-linux-gnu'],
  arm64: ['arm64', 'aarch64-linux-gnu'],
  arm: ['arm', 'arm-linux-gnueabihf'],
  s390x: ['s390', 's390x-linux-gnu'],
  ppc64: ['powerpc', 'powerpc64le-linux-gnu'],
  riscv64: ['riscv', 'riscv64-linux-gnu'],
  loong64: ['loongarch', 'loongarch64-linux-gnu'],
};

const stripTool = 'llvm-strip';

/**
 * Compiles C sources to eBPF objects with BTF and line information, and without DWARF where llvm-strip is installed.
 *
 * Instruction set version 3 (32-bit jumps and arithmetic) needs kernel 5.1. The compiler is `clang`, or what the
 * environment variable `NETKIT_CLANG` names. A source that asks for `vmlinux.h` and does not bring its own gets the
 * running kernel's. Objects are replaced whole or, when a build fails, left as they were; sources before the one that
 * failed are built.
 * @throws NetkitError `compile-failed` with the diagnostics in its details, `tool-missing`, `tool-failed`,
 * `not-found`, `not-permitted`, `usage`
 */
export async function compile(options: CompileOptions): Promise<BuildResult> {
  const cwd = resolve(options.cwd ?? '.');
  const targets = outputs(options, cwd);
  const objects: BuiltObject[] = [];
  const warnings: Diagnostic[] = [];
  for (const { source, object } of targets) {
    const built = await compileOne(source, object, { ...options, cwd });
    objects.push({ source, object, dependencies: built.dependencies });
    warnings.push(...built.warnings);
  }
  return { objects, warnings };
}

interface Target {
  readonly source: string;
  readonly object: string;
}

function outputs({ sources, output }: CompileOptions, cwd: string): Target[] {
  if (sources.length === 0) throw new NetkitError('usage', 'there is no source to compile');
  for (const source of sources) checkSource(source, cwd);
  const isFolder = output !== undefined && (output.endsWith('/') || isDirectory(resolve(cwd, output)));
  if (output !== undefined && !isFolder && sources.length > 1) {
    throw new NetkitError(
      'usage',
      `${sources.length} sources make ${sources.length} objects, and '${output}' is one file`,
      {
        hint: 'give an existing directory as the output, or build them one by one',
      },
    );
  }
  const targets = sources.map((source) => {
    const name = `${basename(source).replace(/(\.bpf)?\.c$/, '')}.bpf.o`;
    return { source, object: isFolder ? join(output, name) : (output ?? name) };
  });
  const met = new Map<string, string>();
  for (const { source, object } of targets) {
    const other = met.get(object);
    if (other !== undefined)
      throw new NetkitError('usage', `'${other}' and '${source}' would both become '${object}'`);
    met.set(object, source);
    refuseSpecialFile(object, cwd);
    if (sources.some((one) => resolve(cwd, one) === resolve(cwd, object))) {
      throw new NetkitError('usage', `the output '${object}' is a source`);
    }
  }
  return targets;
}

function checkSource(source: string, cwd: string): void {
  const path = resolve(cwd, source);
  try {
    if (!statSync(path).isFile()) throw new NetkitError('usage', `the source '${source}' is not a file`);
  } catch (error) {
    throw fileError(error, 'read', source);
  }
}

/** An object is put in place in one step, which would replace a device such as /dev/null. */
function refuseSpecialFile(object: string, cwd: string): void {
  const found = statSync(resolve(cwd, object), { throwIfNoEntry: false });
  if (found === undefined || found.isFile()) return;
  throw new NetkitError('usage', `the output '${object}' is neither a file nor a folder`);
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

type Place = CompileOptions & { readonly cwd: string };

interface Built {
  readonly dependencies: string[];
  readonly warnings: Diagnostic[];
}

async function compileOne(source: string, object: string, options: Place): Promise<Built> {
  const target = resolve(options.cwd, object);
  // Beside the target, so that moving it there is one step.
  const folder = await temporaryFolder(dirname(target), object);
  try {
    const temporary = join(folder, basename(target));
    const dependencyFile = join(folder, 'dependencies');
    const outputs = [
      ...['-o', temporary, options.systemHeaders ? '-MD' : '-MMD', '-MF', dependencyFile],
      ...(options.absolutePaths ? ['-fdiagnostics-absolute-paths'] : []),
    ];
    const stderr = await runClang(source, outputs, options);
    await strip(temporary, options.signal);
    const dependencies = parseDependencies(await readFile(dependencyFile, 'utf8')).map((path) =>
      resolve(options.cwd, path),
    );
    await rename(temporary, target).catch((error: unknown) => {
      throw fileError(error, 'write', object);
    });
    return {
      dependencies,
      warnings: parseDiagnostics(stderr).filter(({ severity }) => severity === 'warning'),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function temporaryFolder(parent: string, object: string): Promise<string> {
  try {
    return await mkdtemp(join(parent, '.netkit-build-'));
  } catch (error) {
    throw fileError(error, 'write', object);
  }
}

/** @returns what clang wrote to standard error: warnings */
async function runClang(source: string, outputs: readonly string[], options: Place): Promise<string> {
  const clang = compiler();
  const args = [
    ...clangArguments(options),
    ...outputs,
    '-c',
    fromHere(resolve(options.cwd, source), options.cwd),
  ];
  const run = (extra: readonly string[]) =>
    runCommand(clang, [...extra, ...args], { cwd: options.cwd, signal: options.signal });
  let result = await run([]);
  // Asking clang is the one sure way to know whether, through whatever headers, the source wants the kernel's types.
  if (result.exitCode !== 0 && /'vmlinux\.h' file not found/.test(result.stderr)) {
    const { vmlinuxHeader } = await import('./vmlinux.js');
    result = await run(['-isystem', dirname(vmlinuxHeader())]);
  }
  if (result.exitCode !== 0) throw compileError(source, result.stderr);
  return result.stderr;
}

/** The programs that a compilation starts, by their paths; undefined for what is not installed. */
export function compilers(): { readonly clang: string | undefined; readonly strip: string | undefined } {
  return { clang: findTool(chosenCompiler() ?? 'clang'), strip: findTool(stripTool) };
}

function chosenCompiler(): string | undefined {
  const chosen = process.env['NETKIT_CLANG'];
  return chosen === '' ? undefined : chosen;
}

/** @throws NetkitError `tool-missing`, with the variable or the package to look at */
function compiler(): string {
  const chosen = chosenCompiler();
  if (chosen === undefined) return requireTool('clang');
  const found = findTool(chosen);
  if (found !== undefined) return found;
  throw new NetkitError('tool-missing', `the program '${chosen}' is not installed`, {
    hint: 'NETKIT_CLANG names it',
    details: { tool: chosen },
  });
}

/** Everything but the source and the outputs. */
export function clangArguments(options: Pick<Place, 'cwd' | 'includes' | 'defines'>): string[] {
  const { cwd, includes = [], defines = [] } = options;
  const [target, triplet] = architectures[process.arch] ?? [];
  const headers = join(packageRoot(), 'bpf', 'include');
  const asm = triplet === undefined ? undefined : `/usr/include/${triplet}`;
  return [
    ...['-target', 'bpf', '-mcpu=v3', '-O2', '-g'],
    ...['-Wall', '-Wextra', '-Wno-unused-parameter', '-Werror=implicit-function-declaration'],
    '-fno-color-diagnostics',
    // The same bytes come out wherever the checkout is. What lies outside keeps its path: clang reads the lines of source
    // that go into BTF by it.
    `-fdebug-prefix-map=${cwd}=.`,
    ...(target === undefined ? [] : [`-D__TARGET_ARCH_${target}`]),
    ...defines.map((define) => `-D${define}`),
    ...includes.map((folder) => `-I${folder}`),
    `-I${fromHere(headers, cwd)}`,
    ...(asm !== undefined && existsSync(asm) ? ['-idirafter', asm] : []),
  ];
}

function fromHere(path: string, cwd: string): string {
  return isInside(path, cwd) ? relative(cwd, path) : path;
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '' && way !== '..' && !way.startsWith('../') && !isAbsolute(way);
}

/** Takes out DWARF, which netkit and the kernel have no use for; BTF stays. */
async function strip(object: string, signal: AbortSignal | undefined): Promise<void> {
  if (findTool(stripTool) === undefined) return;
  const { exitCode, stderr } = await runCommand(stripTool, ['-g', object], { signal });
  if (exitCode !== 0) {
    throw new NetkitError('tool-failed', `llvm-strip failed: ${stderr.trim().split('\n').at(-1) ?? ''}`, {
      details: { stderr },
    });
  }
}
