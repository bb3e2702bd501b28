/** Looks through a whole batch before any of it is done, for `--atomic`. */
import { NetkitError } from '../../base/errors.js';
import { openMap } from '../../cnf/reference.js';
import type { CommandContext } from '../context.js';
import { openReference } from '../open-reference.js';
import { plainEntryCommand } from './entry-command.js';
import { type BatchLine, LineReader } from './lines.js';
import { refuseIrreversible } from './open-maps.js';
import { refuseInAtomic, writtenReference } from './policy.js';
import type { Report } from './report.js';
import { locateLine } from './run.js';

export interface Checked {
  /** The whole batch, in memory. */
  readonly chunks: readonly Uint8Array[];
  /** Whether anything is to be changed. */
  readonly changes: boolean;
}

/** Reads everything. The first line that cannot stand in an atomic batch ends it: the report then is stopped. */
export async function precheck(
  context: CommandContext,
  source: AsyncIterable<Uint8Array>,
  report: Report,
): Promise<Checked> {
  const chunks: Uint8Array[] = [];
  const looker = new Looker(context, report);
  const reader = new LineReader();
  await report.guard(async () => {
    for await (const chunk of source) {
      chunks.push(new Uint8Array(chunk));
      await looker.look(reader.push(chunk));
    }
    await looker.look(reader.end());
  });
  return { chunks, changes: looker.changes };
}

class Looker {
  readonly #context: CommandContext;
  readonly #report: Report;
  readonly #references = new Set<string>();
  changes = false;

  constructor(context: CommandContext, report: Report) {
    this.#context = context;
    this.#report = report;
  }

  async look(lines: Iterable<BatchLine>): Promise<void> {
    for (const line of lines) {
      try {
        const reference = this.#written(line);
        if (reference !== undefined && !this.#references.has(reference)) await this.#refuseMap(reference);
      } catch (error) {
        this.#report.failed(line, error);
      }
    }
  }

  /** @returns the reference of the map whose entry the line changes, if it does */
  #written(line: BatchLine): string | undefined {
    if (line.problem !== undefined) throw line.problem;
    const plain = plainEntryCommand(line.words);
    if (plain !== undefined) {
      this.changes = true;
      return plain.reference;
    }
    const { row, parsed } = locateLine(line);
    refuseInAtomic(row, parsed);
    if (row.changes === true) this.changes = true;
    return writtenReference(row, parsed);
  }

  async #refuseMap(reference: string): Promise<void> {
    this.#references.add(reference);
    try {
      using map = await openReference(this.#context, reference, openMap);
      refuseIrreversible(map, reference);
    } catch (error) {
      // One that is not there may come with a line before; any other error belongs to the moment of writing.
      if (error instanceof NetkitError && error.code === 'unsupported') throw error;
    }
  }
}
