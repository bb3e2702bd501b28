/**
 * What an object was compiled from, and whether a compilation would find the same again.
 *
 * Not noticed: a change that keeps size and modification time of a file; an `#ifdef`-like question about a header
 * (`__has_include`) that is answered otherwise since; a header that would now be found in a folder of the compiler's own.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { release, version } from 'node:os';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { clangArguments, compilers } from '../../build/clang.js';
import { defaultCacheDirectory } from '../../build/vmlinux.js';
import { fileError, fileErrorCode } from '../../host/file-errors.js';
import { packageRoot } from '../../host/package-root.js';
import type { BuiltFrom, FileIdentity } from '../declaration.js';

/** A compilation of one source. */
export interface BuildRequest {
  /** An absolute path. */
  readonly source: string;
  /** What paths are relative to, and what is left out of the paths in the object. */
  readonly folder: string;
  readonly includes: readonly string[];
  /** `NAME=VALUE`. */
  readonly defines: readonly string[];
}

/** Variables of the environment that clang reads. */
const compilerVariables = ['CPATH', 'C_INCLUDE_PATH', 'CCC_OVERRIDE_OPTIONS', 'SOURCE_DATE_EPOCH'];
const kernelMark = 'kernel ';
const passedOverMark = 'passed over ';

/** Records a compilation that has just been. @param dependencies all that was read, the source first @throws NetkitError when one of them is gone */
export function recordBuild(request: BuildRequest, dependencies: readonly string[]): BuiltFrom {
  return {
    inputs: dependencies.map(fileIdentity),
    compiler: compilerText() ?? '',
    // Beside clang's arguments, whatever else decides: none of it begins with a hyphen.
    flags: [
      ...givenFlags(request),
      ...(dependencies.some(isKernelHeader) ? [kernelText()] : []),
      ...nearerNames(request, dependencies).map((path) => `${passedOverMark}${path}`),
    ],
  };
}

/** All files that decided about an object: those that were read, and those that were passed over. */
export function decidingFiles({ inputs, flags }: BuiltFrom): string[] {
  const passedOver = flags.filter((flag) => flag.startsWith(passedOverMark));
  return [...inputs.map(({ path }) => path), ...passedOver.map((flag) => flag.slice(passedOverMark.length))];
}

/** Why an object has to be compiled again, for people, or else what to remember of it from now on. */
export type BuildCheck =
  | { readonly changed: string }
  /** The same as before but for times of files that were written again with the same contents. */
  | { readonly changed: null; readonly built: BuiltFrom };

/** Whether a compilation would find what an earlier one found. Reads no file but those whose size or time is another. */
export function checkBuild(built: BuiltFrom, request: BuildRequest): BuildCheck {
  const [source] = built.inputs;
  if (source?.path !== request.source) return { changed: 'it is another source' };
  const kernel = built.flags.find((flag) => flag.startsWith(kernelMark));
  const given = built.flags.filter((flag) => flag !== kernel && !flag.startsWith(passedOverMark));
  if (!sameTexts(given, givenFlags(request))) return { changed: 'the flags of the compiler are others' };
  if (kernel !== undefined && kernel !== kernelText()) return { changed: 'the types of another kernel' };
  const compiler = compilerText();
  // Without a compiler there is nothing that would make another object of the same inputs.
  if (compiler !== undefined && compiler !== built.compiler)
    return { changed: 'the compiler is another one' };
  const inputs: FileIdentity[] = [];
  for (const input of built.inputs) {
    const now = sameFile(input);
    if (now === undefined) return { changed: `'${input.path}' has changed` };
    inputs.push(now);
  }
  const paths = inputs.map(({ path }) => path);
  const known = new Set(decidingFiles(built));
  const nearer = nearerNames(request, paths).find((path) => !known.has(path));
  if (nearer !== undefined) return { changed: `'${nearer}' is new` };
  return { changed: null, built: { ...built, inputs } };
}

/** A file as it is now. @throws NetkitError `not-found`, `not-permitted` */
export function fileIdentity(path: string): FileIdentity {
  try {
    const { size, mtimeNs } = statSync(path, { bigint: true });
    const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
    return { path, size: Number(size), mtimeNs: String(mtimeNs), sha256 };
  } catch (error) {
    throw fileError(error, 'read', path);
  }
}

/**
 * The file as it is now, when it still has the contents that it had; undefined when it has not, or is gone.
 * @throws NetkitError `not-permitted`
 */
export function sameFile(before: FileIdentity): FileIdentity | undefined {
  try {
    const { size, mtimeNs } = statSync(before.path, { bigint: true });
    if (Number(size) !== before.size) return undefined;
    if (String(mtimeNs) === before.mtimeNs) return before;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(fileErrorCode(error) ?? '')) return undefined;
    throw fileError(error, 'read', before.path);
  }
  const now = fileIdentity(before.path);
  return now.sha256 === before.sha256 ? now : undefined;
}

function givenFlags({ folder, includes, defines }: BuildRequest): string[] {
  const environment = compilerVariables.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [`environment ${name}=${value}`];
  });
  return [...clangArguments({ cwd: folder, includes, defines }), ...environment];
}

function sameTexts(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((text, index) => text === right[index]);
}

/** What tells one installation of the compiler from another without starting it; undefined when there is none. */
function compilerText(): string | undefined {
  const { clang, strip } = compilers();
  if (clang === undefined) return undefined;
  return [clang, strip].flatMap((path) => (path === undefined ? [] : [programText(path)])).join(', ');
}

function programText(path: string): string {
  const { size, mtimeNs } = statSync(path, { bigint: true });
  return `${path} of ${size} bytes and time ${mtimeNs}`;
}

/** Whether a file is the header of the kernel's types that netkit makes: another kernel has another one. */
function isKernelHeader(path: string): boolean {
  return path.startsWith(`${join(defaultCacheDirectory(), 'vmlinux')}/`);
}

function kernelText(): string {
  return `${kernelMark}${release()} ${version()}`;
}

/**
 * Files that might be read in the place of an input, were they not passed over: they have the name by which it may have
 * been included, in another of the folders that are searched before the system's. Normally there is none.
 */
function nearerNames(request: BuildRequest, inputs: readonly string[]): string[] {
  const known = new Set(inputs);
  const own = searchedFolders(request);
  const places = new Set([
    ...inputs.filter((path) => !isOfSystem(path)).map((path) => dirname(path)),
    ...own,
    '/usr/local/include',
  ]);
  const roots = [...places, ...systemFolders()];
  const names = new Set(inputs.slice(1).flatMap((path) => namesOf(path, roots)));
  const folders = new Map<string, boolean>();
  const found: string[] = [];
  for (const place of places) {
    for (const name of names) {
      const path = join(place, name);
      const folder = dirname(path);
      let isThere = folders.get(folder);
      if (isThere === undefined) {
        isThere = existsSync(folder);
        folders.set(folder, isThere);
      }
      if (isThere && !known.has(path) && existsSync(path)) found.push(path);
    }
  }
  return found.sort();
}

/** By what names a header may have been included. */
function namesOf(path: string, roots: readonly string[]): string[] {
  const names = roots.map((root) => relative(root, path)).filter((name) => !/^\.\.(\/|$)/.test(name));
  return names.length > 0 ? names : [basename(path)];
}

function searchedFolders({ folder, includes, defines }: BuildRequest): string[] {
  return clangArguments({ cwd: folder, includes, defines })
    .filter((flag) => flag.startsWith('-I'))
    .map((flag) => resolve(folder, flag.slice(2)));
}

function systemFolders(): string[] {
  const folders = clangArguments({ cwd: '/' }).filter((_, index, all) => all[index - 1] === '-idirafter');
  return [...folders, '/usr/include'].filter(isAbsolute);
}

/** Whether a header came with the system or with netkit. */
export function isOfSystem(path: string): boolean {
  const folders = ['/usr/include', '/usr/lib', '/usr/lib64', join(packageRoot(), 'bpf', 'include')];
  return folders.some((folder) => path.startsWith(`${folder}/`)) || isKernelHeader(path);
}
