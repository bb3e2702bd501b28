/** What became of the lines of a batch. */
import { counted } from '../../base/counted.js';
import { NetkitError } from '../../base/errors.js';
import { toJson } from '../../base/json.js';
import { asNetkitError, ToldFailure } from '../failure.js';
import type { GlobalOptions } from '../globals.js';
import type { Io } from '../io.js';
import { LostOutput, lostOutput } from '../lost-output.js';
import { schemaVersion } from '../output.js';
import { cellText } from '../page.js';
import type { BatchLine } from './lines.js';

/** Ends the work on a batch: its first failure has been reported. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
}

/** Ends the command with the status of the line that failed first, whatever that was. */
class BatchFailure extends ToldFailure {
  readonly #status: number;

  constructor(error: NetkitError, status: number) {
    super(error.code, error.message, { hint: error.hint, details: error.details, cause: error.cause });
    this.#status = status;
  }

  override get exitStatus(): number {
    return this.#status;
  }
}

interface Failure {
  /** Undefined for what was no line's fault. */
  readonly line: number | undefined;
  readonly error: NetkitError;
  readonly status: number;
}

export class Report {
  readonly #io: Io;
  readonly #options: GlobalOptions;
  readonly #file: string;
  readonly #continues: boolean;
  #done = 0;
  #failed = 0;
  #skipped = 0;
  #first: Failure | undefined;
  #isBegun = false;
  #isStopped = false;
  #isUndone = false;

  /** @param file how messages name the batch */
  constructor(io: Io, options: GlobalOptions, file: string, continues: boolean) {
    this.#io = io;
    this.#options = options;
    this.#file = file;
    this.#continues = continues;
  }

  /** All of them, in words. */
  summary(): string {
    const looked = counted(this.#done - this.#skipped, 'command');
    if (!this.#options.dryRun) return `${looked} done`;
    return `${looked} looked at${this.#skipped === 0 ? '' : `, ${this.#skipped} not`}`;
  }

  /** Whether a failure ended the batch before its end. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** From here on something is done. */
  begin(): void {
    this.#isBegun = true;
  }

  /** Does a part of the work; what it throws ends the batch. */
  async guard(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Stopped)) this.broke(error);
    }
  }

  /** Ends the batch for a reason that is no line's. */
  broke(thrown: unknown): void {
    const error = this.#errorOf(thrown);
    this.#first ??= { line: undefined, error, status: error.exitStatus };
    this.#isStopped = true;
  }

  /** Takes back what was done, where that was promised. */
  undo(isPromised: boolean, rollback: (reason: unknown) => void): void {
    const first = this.#first;
    if (!isPromised || first === undefined) return;
    try {
      rollback(first.error);
      this.#isUndone = true;
    } catch (error) {
      // Also when the user interrupts meanwhile, it is to be told that something was not taken back.
      const failure = error instanceof NetkitError ? error : asNetkitError(this.#io, error);
      this.#first = { ...first, error: failure };
    }
  }

  /** `file:3` */
  place(line: BatchLine): string {
    return `${this.#file}:${line.line}`;
  }

  /** Whether anything is said of a command that succeeded: else counting is enough. */
  get showsEach(): boolean {
    return this.#options.json || this.#options.dryRun;
  }

  /** Commands were done of which nothing is said. */
  succeededMany(count: number): void {
    this.#done += count;
  }

  /** A command was done. `documentOf` makes what it would print by itself with `--json`. */
  succeeded(line: BatchLine, documentOf: () => object): void {
    this.#done++;
    if (this.#options.json) this.#record(line, 0, this.#json({ schemaVersion, ...documentOf() }), null);
    else if (this.#options.dryRun) this.#say(documentOf());
  }

  /** A command was not looked at, in a dry run. */
  skipped(line: BatchLine, reason: string): void {
    this.#done++;
    this.#skipped++;
    if (this.#options.json) this.#record(line, 0, 'null', null);
    else if (!this.#options.quiet)
      this.#io.stderr.write(`netkit: ${cellText(`${this.place(line)}: not looked at: ${reason}`)}\n`);
  }

  /** A command ended by itself. @param printed the document that it printed; ignored without `--json` */
  ended(line: BatchLine, status: number, printed: string): void {
    // On one line: no text in JSON holds a line end as it is.
    const document = printed.trim().replaceAll('\n', '');
    if (this.#options.json) this.#record(line, status, document === '' ? 'null' : document, null);
    if (status === 0) this.#done++;
    else this.#count(line, new NetkitError('failed', `it ended with status ${status}`), status);
  }

  /** A command failed. @throws Stopped unless the batch goes on */
  failed(line: BatchLine, thrown: unknown): void {
    const error = this.#errorOf(thrown);
    if (this.#options.json) this.#record(line, error.exitStatus, 'null', error);
    this.#count(line, error, error.exitStatus);
  }

  /** What ends the batch because its output is lost says so. */
  #errorOf(thrown: unknown): NetkitError {
    const error = asNetkitError(this.#io, thrown);
    return error.code === 'interrupted' ? (lostOutput(this.#io.signal) ?? error) : error;
  }

  #count(line: BatchLine, error: NetkitError, status: number): void {
    this.#failed++;
    this.#first ??= { line: line.line, error, status };
    if (!this.#continues || error.code === 'interrupted' || error instanceof LostOutput) {
      this.#isStopped = true;
      throw new Stopped();
    }
    if (this.#options.json) return;
    this.#io.stderr.write(`netkit: ${cellText(`${this.place(line)}: ${error.message}`)}\n`);
    if (error.hint !== undefined) this.#io.stderr.write(`hint: ${cellText(error.hint)}\n`);
  }

  /** What the batch ends with, when something failed. @param total how many commands it has, where that is known */
  failure(total: number | undefined): NetkitError | undefined {
    const first = this.#first;
    if (first === undefined) return undefined;
    const { error, line, status } = first;
    const left = this.#isStopped ? this.#left(total) : 0;
    const place = line === undefined ? this.#file : `${this.#file}:${line}`;
    const message = this.#isStopped
      ? error instanceof LostOutput
        ? `${error.message}: ${this.#howMany(total)}`
        : `${place}: ${error.message} (${this.#howFar(left)})`
      : `${this.#file}: ${this.#failed} of ${counted(this.#done + this.#failed, 'command')} failed, the first in line ${line}`;
    const [done, undone] = this.#isUndone ? [0, this.#done] : [this.#done, 0];
    const counts = { done, undone, failed: this.#failed, left: left ?? null };
    const details = { file: this.#file, line: line ?? null, ...counts, ...error.details };
    const hint = this.#isStopped ? error.hint : undefined;
    return new BatchFailure(new NetkitError(error.code, message, { hint, details, cause: error }), status);
  }

  #left(total: number | undefined): number | undefined {
    return total === undefined ? undefined : Math.max(0, total - this.#done - this.#failed);
  }

  #howFar(left: number | undefined): string {
    if (!this.#isBegun) return 'nothing was begun';
    const before = `${counted(this.#done, 'command')} before it`;
    const done = this.#isUndone ? `nothing is changed: ${before} undone` : `${before} done`;
    return left === undefined ? `${done}, the rest not read` : `${done}, ${left} after it not`;
  }

  /** Where it was no line's fault that the batch ended. */
  #howMany(total: number | undefined): string {
    const done = `${counted(this.#done, 'command')} ${this.#isUndone ? 'undone' : 'done'}`;
    const left = total === undefined ? 'the rest not' : `${Math.max(0, total - this.#done)} not`;
    return `${this.#isUndone ? 'nothing is changed: ' : ''}${done}, ${left}`;
  }

  #record(line: BatchLine, status: number, result: string, error: NetkitError | null): void {
    const { code, message, hint = null, details } = error ?? {};
    const problem = error === null ? 'null' : this.#json({ code, message, hint, details });
    this.#io.stdout.write(
      `{"schemaVersion":${schemaVersion},"line":${line.line},"command":${JSON.stringify(line.text.trim())},"status":${status},"result":${result},"error":${problem}}\n`,
    );
  }

  #say(document: object): void {
    if (!('actions' in document) || !Array.isArray(document.actions)) return;
    for (const action of document.actions) {
      const about: unknown = Object(action).about;
      this.#io.stdout.write(`would ${cellText(String(about))}\n`);
    }
  }

  #json(value: object): string {
    return toJson(value, { bigints: this.#options.jsonStrings ? 'string' : 'number' });
  }
}
