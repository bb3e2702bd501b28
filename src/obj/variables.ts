import { NetkitError } from '../base/errors.js';
import type { BtfGraph, BtfSection } from './btf/types.js';
import type { ElfFile, ElfSection, ElfSymbol } from './elf.js';
import { symbolTypes } from './elf.js';

/** A variable of the C source, with its place in the object file. */
export interface PlacedVariable {
  readonly name: string;
  /** BTF id of the variable's type (not of the `var` itself). */
  readonly type: number;
  /** Bytes from the start of its section. */
  readonly offset: number;
  /** Bytes; at least what its type takes, more when it ends in an array of open length. */
  readonly size: number;
  /** Visible to other objects, so libbpf takes its place from the symbol table. */
  readonly exported: boolean;
}

/**
 * The variables of a section, in the order of their places. clang leaves the places of exported variables out of the
 * BTF and expects the loader to fill them in from the symbol table, so both are needed.
 * @throws NetkitError `bad-object` when a variable has no symbol, or does not fit its section
 */
export function placedVariables(elf: ElfFile, btf: BtfGraph, section: ElfSection): PlacedVariable[] {
  const found = btf.find(section.name, 'datasec');
  if (found?.kind !== 'datasec') return [];
  const symbols = symbolsOf(elf, section);
  return found.variables
    .flatMap(({ type: id, offset, size }) => {
      const variable = btf.type(id);
      if (variable.kind !== 'var') {
        throw bad(`BTF says that section ${section.name} holds a ${variable.kind} ('${variable.name}')`);
      }
      if (variable.linkage === 'extern') return [];
      const least = btf.sizeOf(variable.type);
      if (least > size) {
        throw bad(
          `the variable '${variable.name}' is said to take ${size} bytes, but its type takes ${least}`,
        );
      }
      const exported = variable.linkage === 'global';
      const symbol = symbols.get(variable.name);
      if (exported && symbol === undefined) {
        throw bad(
          `the variable '${variable.name}' of section ${section.name} is in the BTF but not in the symbol table`,
        );
      }
      const place = exported && symbol !== undefined ? symbol.value : offset;
      if (place + size > section.size) {
        throw bad(
          `the variable '${variable.name}' ends at byte ${place + size} of section ${section.name}, which has ${section.size}`,
        );
      }
      return [{ name: variable.name, type: variable.type, offset: place, size, exported }];
    })
    .sort((a, b) => a.offset - b.offset);
}

/** The `datasec` type of a section, where the object has one. */
export function sectionType(btf: BtfGraph | undefined, name: string): BtfSection | undefined {
  const found = btf?.find(name, 'datasec');
  return found?.kind === 'datasec' ? found : undefined;
}

function symbolsOf(elf: ElfFile, section: ElfSection): Map<string, ElfSymbol> {
  const found = new Map<string, ElfSymbol>();
  for (const symbol of elf.symbolsIn(section)) {
    if (symbol.type === symbolTypes.object) found.set(symbol.name, symbol);
  }
  return found;
}

function bad(message: string): NetkitError {
  return new NetkitError('bad-object', message);
}
