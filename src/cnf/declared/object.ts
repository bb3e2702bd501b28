/** The object of a declared function: a file, one that comes with netkit, or one that is compiled when its source has changed. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { NetkitError } from '../../base/errors.js';
import { compile } from '../../build/clang.js';
import type { Diagnostic } from '../../build/diagnostics.js';
import { fileError } from '../../host/file-errors.js';
import { refuseUntrusted } from '../../host/trusted-file.js';
import { ObjectSpec } from '../../obj/spec.js';
import { builtinObject, builtinPrefix } from '../builtin-object.js';
import type { BuiltFrom, Generation } from '../declaration.js';
import type { DeclaredProgram } from '../manifest/schema.js';
import { type BuildRequest, checkBuild, decidingFiles, isOfSystem, recordBuild } from './build-inputs.js';

export interface ResolveOptions {
  /** What relative paths are relative to. */
  readonly folder: string;
  /** The path of a stored object. */
  readonly stored: (file: string) => string;
  /** The generation whose stored object may do again, if there is one. */
  readonly previous?: Pick<Generation, 'object' | 'builtFrom'> | null | undefined;
  /** Ends the compiler when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** An object to load. */
export interface ResolvedObject {
  /** A new one at each call: globals and sizes may be set. */
  readonly spec: ObjectSpec;
  /** What is recorded as its origin: the absolute path of source or object, or `builtin:NAME`. */
  readonly path: string;
  /** Of the object, in hex. */
  readonly sha256: string;
  /**
   * Null unless it was compiled. With the stored object it may differ from what was recorded in times of files only: to
   * record that saves reading them again, and is no change of the function.
   */
  readonly built: BuiltFrom | null;
  /** Why it was compiled, for people; null when it was not. */
  readonly compiled: string | null;
  /** Warnings of the compiler, if it was started; files are named by absolute paths. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Finds or makes the object of a function. A source is compiled as `netkit build` does it, unless everything is as it
 * was when the previous generation's was compiled. Nothing is stored.
 * @throws NetkitError `compile-failed` with the diagnostics in its details, `tool-missing`, `tool-failed`, `not-found`,
 * `not-permitted` also for files that others can write, `bad-object`, `usage`, `interrupted`
 */
export async function resolveObject(
  program: DeclaredProgram,
  options: ResolveOptions,
): Promise<ResolvedObject> {
  const { folder } = options;
  if ('builtin' in program) {
    return read(builtinObject(program.builtin), `${builtinPrefix}${program.builtin}`);
  }
  if ('object' in program) return objectOf(resolve(folder, program.object));
  return sourceOf(resolve(folder, program.source), program, options);
}

type DeclaredSource = Extract<DeclaredProgram, { source: string }>;

function objectOf(path: string): ResolvedObject {
  if (path.endsWith('.c')) {
    throw new NetkitError('bad-object', `${path} is C source, not an object file`, {
      hint: `declare it as 'source'`,
      details: { path },
    });
  }
  refuseUntrusted(path, 'object');
  return read(path, path);
}

function read(file: string, path: string): ResolvedObject {
  const spec = ObjectSpec.readSync(file);
  return { spec, path, sha256: digest(spec.bytes), built: null, compiled: null, diagnostics: [] };
}

async function sourceOf(
  source: string,
  { includes = [], defines = {} }: DeclaredSource,
  options: ResolveOptions,
): Promise<ResolvedObject> {
  if (!source.endsWith('.c')) {
    throw new NetkitError('usage', `'${source}' is no C source: its name does not end in .c`, {
      hint: source.endsWith('.o') ? `declare it as 'object'` : undefined,
      details: { path: source },
    });
  }
  const folder = resolve(options.folder);
  refuseUntrusted(source, 'source');
  for (const include of includes) checkIncludes(resolve(folder, include));
  const request: BuildRequest = {
    source,
    folder,
    includes,
    defines: Object.entries(defines).map(([name, value]) => `${name}=${value}`),
  };
  const stored = storedObject(request, options);
  if (typeof stored !== 'string') return stored;
  return compiledObject(request, stored, options.signal);
}

/** The compiler passes over what is not there, and the mistake with it. */
function checkIncludes(folder: string): void {
  refuseUntrusted(folder, 'include folder');
  try {
    if (statSync(folder).isDirectory()) return;
  } catch (error) {
    throw fileError(error, 'read', folder);
  }
  throw new NetkitError('usage', `the include folder '${folder}' is not a folder`, {
    details: { path: folder },
  });
}

/** Headers decide like the source that asks for them. The system's are as good as the compiler. */
function refuseUntrustedHeaders(built: BuiltFrom): void {
  for (const { path } of built.inputs) if (!isOfSystem(path)) refuseUntrusted(path, 'header');
}

/** The stored object, if it still is what the source would give, or why it is not. */
function storedObject(request: BuildRequest, { previous, stored }: ResolveOptions): ResolvedObject | string {
  const { source } = request;
  if (previous === undefined || previous === null || previous.builtFrom === null)
    return 'it was not compiled before';
  const check = checkBuild(previous.builtFrom, request);
  if (check.changed !== null) return check.changed;
  refuseUntrustedHeaders(check.built);
  const { sha256, file } = previous.object;
  const bytes = bytesOf(stored(file));
  if (bytes === undefined || digest(bytes) !== sha256) return 'the stored object is gone or damaged';
  return { ...parsed(bytes, source), built: check.built, compiled: null, diagnostics: [] };
}

function bytesOf(path: string): Uint8Array | undefined {
  try {
    return new Uint8Array(readFileSync(path));
  } catch {
    return undefined;
  }
}

/** As often as something that it reads is written meanwhile. */
const mostAttempts = 3;

async function compiledObject(
  request: BuildRequest,
  reason: string,
  signal: AbortSignal | undefined,
): Promise<ResolvedObject> {
  for (let attempt = 1; ; attempt++) {
    const { settled, ...object } = await compileOnce(request, reason, signal);
    if (settled) return object;
    // Unknown what it was compiled from: good for now, and compiled again the next time.
    if (attempt === mostAttempts) return { ...object, built: null };
  }
}

/** @returns with `settled`, whether nothing that was read had been written since the start: then it is known what was read */
async function compileOnce(
  request: BuildRequest,
  reason: string,
  signal: AbortSignal | undefined,
): Promise<ResolvedObject & { readonly settled: boolean }> {
  const { source, folder, includes, defines } = request;
  const own = temporaryFolder();
  try {
    // The clock that files get their times from is slower than that of processes.
    const started = statSync(own, { bigint: true }).ctimeNs;
    const output = join(own, objectName(source));
    const { objects, warnings } = await compile({
      ...{ sources: [source], output, cwd: folder, includes, defines, signal },
      ...{ systemHeaders: true, absolutePaths: true },
    });
    const bytes = new Uint8Array(readFileSync(output));
    const dependencies = objects.flatMap((object) => object.dependencies);
    const inputs = [source, ...dependencies.filter((path) => path !== source)];
    const built = recordBuild(request, inputs);
    refuseUntrustedHeaders(built);
    const settled = decidingFiles(built).every((path) => isOlder(path, started));
    return { ...parsed(bytes, source), built, compiled: reason, diagnostics: warnings, settled };
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

/** Whether the file is there, and was last written, moved or replaced before a time. */
function isOlder(path: string, timeNs: bigint): boolean {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found !== undefined && found.ctimeNs < timeNs;
}

function temporaryFolder(): string {
  try {
    return mkdtempSync(join(tmpdir(), 'netkit-object-'));
  } catch (error) {
    throw fileError(error, 'write', tmpdir());
  }
}

function parsed(bytes: Uint8Array, source: string): Pick<ResolvedObject, 'spec' | 'path' | 'sha256'> {
  // Named as the object that `netkit build` would write: maps in the kernel have their names from it.
  const spec = ObjectSpec.parse(bytes, { path: join(dirname(source), objectName(source)) });
  return { spec, path: source, sha256: digest(bytes) };
}

function objectName(source: string): string {
  return `${basename(source).replace(/(\.bpf)?\.c$/, '')}.bpf.o`;
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
