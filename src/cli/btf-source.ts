/** Whose types `btf dump` shows. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { NetkitError } from '../base/errors.js';
import { suggestion } from '../base/suggest.js';
import { functionFolder, pinPath } from '../cnf/layout.js';
import { idOf, openMap, openProgram } from '../cnf/reference.js';
import { btfObject } from '../ebpf/btf-objects.js';
import { kernelBtfBytes, runningBtf } from '../ebpf/kernel-btf.js';
import { fileError } from '../host/file-errors.js';
import { namesIn } from '../host/folders.js';
import { kernelBtfPath } from '../host/kernel.js';
import { isBpffs } from '../host/mounts.js';
import { readBtf } from '../obj/btf/read.js';
import { byteOrder } from '../obj/btf/sections.js';
import type { BtfGraph } from '../obj/btf/types.js';
import { ObjectSpec } from '../obj/spec.js';
import type { CommandContext } from './context.js';
import { objectFile } from './object-file.js';
import { openReference } from './open-reference.js';

/** Types, and where they are from. */
export interface BtfSource {
  readonly btf: BtfGraph;
  /** Id of the first type that is its own: a module's BTF continues the kernel's. */
  readonly first: number;
  /** The kernel's id, for what the kernel keeps. */
  readonly id: number | undefined;
  /** `vmlinux`, the name of a module, or the path of a file. */
  readonly name: string | undefined;
}

/**
 * Finds the types that a reference or a file has.
 * @throws NetkitError `not-found`, `not-permitted`, `bad-object`, `unsupported` without any
 */
export async function openBtf(context: CommandContext, text: string): Promise<BtfSource> {
  if (text === 'vmlinux') return { ...own(kernel()), id: undefined, name: text };
  if (text.startsWith('module:')) return ofModule(text.slice('module:'.length));
  const id = idOf(text);
  if (id !== undefined) return ofId(id);
  if (isFile(text)) return ofFile(text);
  return ofReference(context, text);
}

const own = (btf: BtfGraph): Pick<BtfSource, 'btf' | 'first'> => ({ btf, first: 1 });

function kernel(): BtfGraph {
  const btf = runningBtf();
  if (btf !== undefined) return btf;
  throw new NetkitError('unsupported', `this kernel does not show its types: there is no ${kernelBtfPath}`, {
    hint: 'it was built without CONFIG_DEBUG_INFO_BTF',
  });
}

function ofModule(name: string): BtfSource {
  const folder = dirname(kernelBtfPath);
  const path = join(folder, name);
  if (!/^\w[\w-]*$/.test(name) || !existsSync(path)) {
    throw new NetkitError('not-found', `no module '${name}' with types is loaded`, {
      hint: suggestion(
        name,
        namesIn(folder).filter((each) => each !== 'vmlinux'),
      ),
    });
  }
  return ofFile(path);
}

function ofId(id: number): BtfSource {
  const { name, kernel: isKernel } = btfObject(id);
  if (!isKernel) return { ...own(readBtf(kernelBtfBytes(id))), id, name: undefined };
  if (name === 'vmlinux') return { ...own(kernel()), id, name };
  const base = kernel();
  return { btf: readBtf(kernelBtfBytes(id), base), first: base.count, id, name };
}

/** What has a slash or a dot is no name of a function; an absolute path may be a pin. */
function isFile(text: string): boolean {
  if (text.startsWith('builtin:')) return true;
  if (text.startsWith('/')) return !existsSync(dirname(text)) || !isBpffs(dirname(text));
  return text.includes('.') && !text.startsWith('name:');
}

function ofFile(text: string): BtfSource {
  const path = objectFile(text);
  const bytes = readWhole(path);
  if (isRaw(bytes)) {
    const isSplit = dirname(path) === dirname(kernelBtfPath) && basename(path) !== basename(kernelBtfPath);
    const base = isSplit ? kernel() : undefined;
    return { btf: readBtf(bytes, base), first: base?.count ?? 1, id: undefined, name: path };
  }
  const { btf } = ObjectSpec.parse(bytes, { path, requireBpf: false });
  if (btf === undefined) {
    throw new NetkitError('bad-object', `${path} has no types`, { hint: 'compile it with clang -g' });
  }
  return { ...own(btf), id: undefined, name: path };
}

function readWhole(path: string): Uint8Array {
  try {
    // A device or a pipe may never end.
    if (!statSync(path).isFile()) throw new NetkitError('bad-object', `${path}: not a regular file`);
    return new Uint8Array(readFileSync(path));
  } catch (error) {
    throw fileError(error, 'read', path);
  }
}

function isRaw(bytes: Uint8Array): boolean {
  try {
    byteOrder(bytes, 'BTF');
    return true;
  } catch (error) {
    if (error instanceof NetkitError) return false;
    throw error;
  }
}

/** A program's or a map's; of a function whichever comes first, since all have those of the object. */
async function ofReference(context: CommandContext, text: string): Promise<BtfSource> {
  const id = await openReference(context, text, (reference, bpffs) => btfIdOf(reference, bpffs));
  if (id === 0) throw new NetkitError('unsupported', `'${text}' was loaded without types`);
  return { ...ofId(id), name: undefined };
}

function btfIdOf(reference: string, bpffs: string): number {
  const first = firstOf(reference, bpffs);
  try {
    using program = openProgram(first ?? reference, bpffs);
    return program.info().btfId;
  } catch (error) {
    if (!(error instanceof NetkitError) || (error.code !== 'not-found' && error.code !== 'usage'))
      throw error;
    return orElse(error, () => btfOfMap(first ?? reference, bpffs));
  }
}

function btfOfMap(reference: string, bpffs: string): number {
  using map = openMap(reference, bpffs);
  return map.info.btfId;
}

/** The error that came first names what was asked for; a second one of the same kind says less. */
function orElse<T>(first: NetkitError, look: () => T): T {
  try {
    return look();
  } catch (error) {
    if (error instanceof NetkitError && (error.code === 'not-found' || error.code === 'usage')) throw first;
    throw error;
  }
}

/** The pin of a function's first program, or map, when the reference is a function alone. */
function firstOf(reference: string, bpffs: string): string | undefined {
  if (/[/:]/.test(reference)) return undefined;
  const folder = functionFolder(bpffs, reference);
  for (const kind of ['progs', 'maps'] as const) {
    const [name] = namesIn(join(folder, kind));
    if (name !== undefined) return pinPath(folder, kind, name);
  }
  return undefined;
}
