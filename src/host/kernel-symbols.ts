/** Names and addresses of the running kernel's functions and variables. */
import { readFileSync } from 'node:fs';
import { fileErrorCode } from './file-errors.js';

const kallsyms = '/proc/kallsyms';

/**
 * The text of /proc/kallsyms, searched as it is: making a table of a hundred thousand lines would take longer than the
 * few questions that are asked.
 */
export class KernelSymbols {
  readonly #text: string;

  /** @param text `address type name [module]` a line, as the kernel writes it */
  constructor(text: string) {
    this.#text = `\n${text}`;
  }

  /** The running kernel's; without any where the file cannot be read. */
  static read(): KernelSymbols {
    try {
      return new KernelSymbols(readFileSync(kallsyms, 'latin1'));
    } catch (error) {
      if (fileErrorCode(error) === undefined) throw error;
      return new KernelSymbols('');
    }
  }

  /** The address of a symbol; undefined when there is none, or the kernel hides addresses (`kernel.kptr_restrict`). */
  address(name: string): bigint | undefined {
    const at = new RegExp(`\\n([0-9a-f]{16}) \\S ${name.replaceAll(/[^\w]/g, '\\$&')}(?=[\\t\\n]|$)`).exec(
      this.#text,
    );
    const address = BigInt(`0x${at?.[1] ?? '0'}`);
    return address === 0n ? undefined : address;
  }

  /** The first symbol at just this address. */
  at(address: bigint): string | undefined {
    if (address === 0n) return undefined;
    const start = this.#text.indexOf(`\n${address.toString(16).padStart(16, '0')} `);
    if (start < 0) return undefined;
    return /^\n\S+ \S (\S+)/.exec(this.#text.slice(start, start + 600))?.[1];
  }
}
