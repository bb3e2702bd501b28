import { basename } from 'node:path';
import type { Parsed } from '../parse.js';
import type { Row } from '../table/index.js';

const namesFunction: ReadonlySet<string> = new Set(['function', 'program', 'map', 'link']);

/**
 * For dry runs: functions that earlier lines would have loaded or unloaded. What a later line would do with them cannot
 * be told.
 */
export class Foresight {
  /** The line by function. */
  readonly #changed = new Map<string, number>();

  /** Why a command cannot be looked at; undefined when it can. */
  reasonAgainst(row: Row, parsed: Parsed): string | undefined {
    for (const { name, kind } of row.arguments) {
      const value = parsed.args[name];
      const reason =
        namesFunction.has(kind) && typeof value === 'string' ? this.reasonAgainstReference(value) : undefined;
      if (reason !== undefined) return reason;
    }
    return undefined;
  }

  reasonAgainstReference(reference: string): string | undefined {
    const [name = ''] = reference.split('/', 1);
    const line = this.#changed.get(name);
    return line === undefined ? undefined : `it depends on line ${line}, which was not done`;
  }

  /** Takes note of what a command would have changed. */
  note(line: number, row: Row, { args, values }: Parsed): void {
    const name = row.name === 'load' ? (values.get('name') ?? nameOf(args.object)) : args.function;
    const isChange = row.name === 'load' || row.name === 'unload';
    if (isChange && typeof name === 'string' && !this.#changed.has(name)) this.#changed.set(name, line);
  }
}

function nameOf(object: unknown): string {
  return basename(String(object).replace(/^builtin:/, '')).replace(/(\.bpf)?\.o$/, '');
}
