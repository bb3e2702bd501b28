import { NetkitError } from '../base/errors.js';
import type { BtfGraph } from './btf/types.js';
import type { ElfFile } from './elf.js';
import { symbolBindings } from './elf.js';

/** Something that an object expects from the kernel when it is loaded. */
export interface ExternSpec {
  readonly name: string;
  /** `kconfig`: a setting of the kernel's build, or its version; `ksym`: a kernel variable or function. */
  readonly kind: 'kconfig' | 'ksym';
  /** BTF id of the type. */
  readonly type: number;
  /** May be absent: it then reads as 0. */
  readonly weak: boolean;
  /** Bytes, 0 for a `ksym`. */
  readonly size: number;
}

/** The externs of an object, `kconfig` first. @throws NetkitError `bad-object` */
export function readExterns(elf: ElfFile, btf: BtfGraph | undefined): ExternSpec[] {
  if (btf === undefined) return [];
  const weak = new Set(
    elf.symbols
      .filter(({ section, binding }) => section === 0 && binding === symbolBindings.weak)
      .map(({ name }) => name),
  );
  return [...externsOf(btf, '.kconfig', 'kconfig', weak), ...externsOf(btf, '.ksyms', 'ksym', weak)];
}

/** Bytes of the map that libbpf lays out for the settings: widest alignment first, then largest. */
export function kconfigSize(btf: BtfGraph | undefined, externs: readonly ExternSpec[]): number {
  if (btf === undefined) return 0;
  const settings = externs
    .filter(({ kind }) => kind === 'kconfig')
    // Settings are integers, enums, booleans and strings.
    .map(({ size, type }) => ({
      size,
      alignment: btf.resolve(type).kind === 'array' ? 1 : Math.max(1, size),
    }));
  settings.sort((a, b) => b.alignment - a.alignment || b.size - a.size);
  return settings.reduce((end, { size, alignment }) => Math.ceil(end / alignment) * alignment + size, 0);
}

function externsOf(
  btf: BtfGraph,
  section: string,
  kind: ExternSpec['kind'],
  weak: ReadonlySet<string>,
): ExternSpec[] {
  const found = btf.find(section, 'datasec');
  if (found?.kind !== 'datasec') return [];
  return found.variables.map(({ type: id }) => {
    const type = btf.type(id);
    if (type.kind === 'func') return { name: type.name, kind, type: id, weak: weak.has(type.name), size: 0 };
    if (type.kind !== 'var') {
      throw new NetkitError(
        'bad-object',
        `BTF says that section ${section} holds a ${type.kind} ('${type.name}')`,
      );
    }
    const size = kind === 'kconfig' ? btf.sizeOf(type.type) : 0;
    return { name: type.name, kind, type: type.type, weak: weak.has(type.name), size };
  });
}
