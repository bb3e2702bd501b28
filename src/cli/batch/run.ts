/** Does the commands of a batch, one after the other. */
import { Readable } from 'node:stream';
import { NetkitError } from '../../base/errors.js';
import type { ChangeSession } from '../../cnf/session.js';
import { commandText } from '../command-text.js';
import type { CommandContext } from '../context.js';
import { pinsOf } from '../environment.js';
import { readGlobals } from '../globals.js';
import type { Io, OutputStream } from '../io.js';
import { locate } from '../locate.js';
import { type Parsed, parse } from '../parse.js';
import type { Row } from '../table/index.js';
import { type EntryCommand, parsedEntryCommand, plainEntryCommand } from './entry-command.js';
import { EntryMemory } from './entry-memory.js';
import { EntryWrites } from './entry-writes.js';
import { Foresight } from './foresight.js';
import { LineOutput } from './line-output.js';
import { type BatchLine, LineReader } from './lines.js';
import { OpenMaps, refuseIrreversible } from './open-maps.js';
import { refuseInAtomic, refuseInBatch, refuseOptions } from './policy.js';
import { type Report, Stopped } from './report.js';

/** They change entries only: references mean what they meant. */
const changesEntries: ReadonlySet<string> = new Set(['map update', 'map delete', 'map push', 'map pop']);

/** A line whose command is known, but not done yet. */
export interface LocatedLine {
  readonly row: Row;
  readonly rest: readonly string[];
  readonly parsed: Parsed;
}

export class BatchRun implements Disposable {
  readonly #context: CommandContext;
  readonly #session: ChangeSession;
  readonly #report: Report;
  readonly #maps: OpenMaps;
  readonly #writes: EntryWrites;
  readonly #foresight: Foresight | undefined;
  readonly #readsStdin: boolean;
  #memory: EntryMemory | undefined;

  /** @param readsStdin whether the batch itself comes from there */
  constructor(context: CommandContext, session: ChangeSession, report: Report, readsStdin: boolean) {
    this.#readsStdin = readsStdin;
    this.#context = context;
    this.#session = session;
    this.#report = report;
    this.#maps = new OpenMaps(context, () => this.#writes.flush());
    const { dryRun } = context.options;
    this.#writes = new EntryWrites(report, { dryRun, memory: () => this.#remembering() });
    this.#foresight = dryRun ? new Foresight() : undefined;
  }

  /** Does what the chunks say. What one chunk says is done before the next one is waited for. @throws Stopped */
  async all(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
    const reader = new LineReader();
    for await (const chunk of chunks) {
      this.#maps.doubt();
      await turnOfEvents();
      await this.#lines(reader.push(chunk));
    }
    await this.#lines(reader.end());
  }

  async #lines(lines: Iterable<BatchLine>): Promise<void> {
    let isFirst = true;
    for (const line of lines) {
      if (isFirst) this.#heedSignal(line);
      isFirst = false;
      if (!this.#quickly(line)) await this.#slowly(line);
    }
    this.#writes.flush();
  }

  /** An entry for a map that is open. @returns false for everything else */
  #quickly(line: BatchLine): boolean {
    const command = this.#foresight === undefined ? plainEntryCommand(line.words) : undefined;
    if (command === undefined) return false;
    const target = this.#maps.get(command.reference, command.kind);
    if (target === undefined) return false;
    try {
      this.#writes.take(line, command, target);
    } catch (error) {
      if (error instanceof Stopped) throw error;
      this.#report.failed(line, error);
    }
    return true;
  }

  async #slowly(line: BatchLine): Promise<void> {
    try {
      if (line.problem !== undefined) throw line.problem;
      const plain = plainEntryCommand(line.words);
      if (plain !== undefined && (await this.#entry(line, plain))) return;
      const located = locateLine(line);
      const entry = parsedEntryCommand(located.row.name, located.parsed);
      if (entry !== undefined && (await this.#entry(line, entry))) return;
      this.#writes.flush();
      await turnOfEvents();
      this.#heedSignal(line);
      await this.#command(line, located);
    } catch (error) {
      if (error instanceof Stopped) throw error;
      this.#writes.flush();
      this.#report.failed(line, error);
    } finally {
      this.#session.letReturnsIn();
    }
  }

  /** @returns false when its map is one of those that only the command itself can write */
  async #entry(line: BatchLine, command: EntryCommand): Promise<boolean> {
    const reason = this.#foresight?.reasonAgainstReference(command.reference);
    if (reason !== undefined) {
      this.#report.skipped(line, reason);
      return true;
    }
    const target = await this.#maps.open(command.reference, command.kind, command.types);
    if (target === undefined) return false;
    this.#writes.take(line, command, target);
    return true;
  }

  async #command(line: BatchLine, { row, rest, parsed }: LocatedLine): Promise<void> {
    const reason = this.#foresight?.reasonAgainst(row, parsed);
    if (reason !== undefined) {
      this.#report.skipped(line, reason);
      return;
    }
    if (this.#session.transaction !== undefined) {
      refuseInAtomic(row, parsed);
      // Its map is not one whose entries can be put back.
      if (changesEntries.has(row.name)) await this.#refuseMap(String(parsed.args.reference));
    }
    const printed = new Kept();
    const { options, command, ...around } = this.#context;
    const { io: outer } = this.#context;
    const io = ioOfLine(outer, options.json ? printed : outer.stdout, this.#readsStdin);
    const own = readGlobals(parsed.values, io);
    const lineOptions = {
      ...options,
      netns: own.netns ?? options.netns,
      yes: own.yes || options.yes,
      dryRun: own.dryRun || (row.changes === true && options.dryRun),
      ifExists: own.ifExists,
    };
    const status = await this.#context.perform(
      {
        ...around,
        io,
        options: lineOptions,
        command: commandText(row, rest),
        output: new LineOutput(io, lineOptions, this.#report.place(line)),
        session: this.#session,
      },
      row,
      parsed,
    );
    if (row.changes === true && !changesEntries.has(row.name)) this.#maps.forget();
    this.#foresight?.note(line.line, row, parsed);
    this.#report.ended(line, status, printed.text);
  }

  async #refuseMap(reference: string): Promise<never> {
    const { openReference } = await import('../open-reference.js');
    const { openMap } = await import('../../cnf/reference.js');
    using map = await openReference(this.#context, reference, openMap);
    refuseIrreversible(map, reference);
    throw new NetkitError('unsupported', `--atomic cannot take back what is written to ${reference}`);
  }

  #remembering(): EntryMemory | undefined {
    const { transaction } = this.#session;
    if (transaction === undefined) return undefined;
    this.#memory ??= new EntryMemory(transaction, pinsOf(this.#context));
    return this.#memory;
  }

  #heedSignal(line: BatchLine): void {
    if (this.#context.signal.aborted)
      this.#report.failed(line, new NetkitError('interrupted', 'interrupted'));
  }

  [Symbol.dispose](): void {
    this.#maps[Symbol.dispose]();
  }
}

/** Signals arrive only when the event loop gets its turn. */
function turnOfEvents(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Standard output of one command, for its line of `--json`. */
class Kept implements OutputStream {
  readonly #chunks: Buffer[] = [];

  write(chunk: string | Uint8Array, done?: () => void): void {
    // A copy: whoever wrote it uses its memory again.
    this.#chunks.push(Buffer.from(chunk));
    done?.();
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString();
  }
}

/** What a command has around it. Looking at standard input opens it: left to the command, unless the batch is in it. */
function ioOfLine(io: Io, stdout: OutputStream, readsStdin: boolean): Io {
  const { stderr, env, signal } = io;
  return {
    get stdin() {
      return readsStdin ? takenInput() : io.stdin;
    },
    stdout,
    stderr,
    env,
    signal,
  };
}

function takenInput(): Readable {
  return new Readable({
    read() {
      this.destroy(new NetkitError('usage', 'standard input is the batch itself: give the command a file'));
    },
  });
}

/** The command of a line, and its options. @throws NetkitError `usage` when it is none, or none for a batch */
export function locateLine({ words }: BatchLine): LocatedLine {
  const argv = words[0] === 'netkit' ? words.slice(1) : words;
  const request = locate(argv);
  switch (request.kind) {
    case 'command': {
      const { row, rest } = request;
      refuseInBatch(row);
      const parsed = parse(row, rest);
      refuseOptions(row, rest, parsed);
      return { row, rest, parsed };
    }
    case 'version':
      throw new NetkitError('usage', '--version is a command by itself: it cannot stand in a batch', {
        hint: "'version' can",
      });
    case 'help':
      throw new NetkitError('usage', 'help is for people: it cannot stand in a batch', {
        hint: `netkit ${request.path} --help`.replace('  ', ' '),
      });
    case 'incomplete':
      throw new NetkitError(
        'usage',
        `netkit${request.path === '' ? '' : ` ${request.path}`}: a command is missing`,
        {
          hint: `netkit ${request.path} --help lists them`.replace('  ', ' '),
        },
      );
  }
}
