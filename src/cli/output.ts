import { NetkitError } from '../base/errors.js';
import { toJson } from '../base/json.js';
import type { GlobalOptions } from './globals.js';
import type { Io } from './io.js';
import { lostOutput } from './lost-output.js';
import { blockText, cellText, Page, plainText } from './page.js';

/** The number in every JSON document, raised when a release changes a document incompatibly. */
export const schemaVersion = 1;

/** Between two numbers that a terminal shows of a count. */
const refreshMs = 200;

/**
 * Where a command says things: its result on standard output, everything else on standard error.
 *
 * `Document` is the command's JSON document, without `schemaVersion`, which is added here. With `--json` only documents
 * are written, and the function that fills the page is not called.
 */
export class Output<Document extends object = object> {
  readonly #io: Io;
  readonly #options: GlobalOptions;
  /** Writes wait for their turn: on a terminal the styles are imported first. */
  #tail: Promise<void> = Promise.resolve();

  constructor(io: Io, options: GlobalOptions) {
    this.#io = io;
    this.#options = options;
  }

  /** What was asked for. */
  result(document: Document, fill: (page: Page) => void): void {
    if (this.#options.json) this.#json(document);
    else this.#show(fill);
  }

  /**
   * A word about what was done; with `--quiet` nothing, unless as JSON.
   * @param document may be a function, called for JSON alone: to look once more at what was made takes some milliseconds
   */
  done(document: Document | (() => Document), fill: (page: Page) => void): void {
    if (this.#options.json) this.#json(typeof document === 'function' ? document() : document);
    else if (!this.#options.quiet) this.#show(fill);
  }

  /** One of many results, as they come: with `--json` one document a line. */
  record(document: Document, fill: (page: Page) => void): void {
    if (this.#options.json) this.#json(document, false);
    else this.#show(fill);
  }

  /**
   * A piece of a result that is too large for one document or page, such as the entries of a map. Waits until the bytes
   * may be used for something else, so that a slow reader slows the command down.
   * @returns false when nobody reads standard output any more: what is left need not be made
   * @throws NetkitError `interrupted`
   */
  async bytes(chunk: Uint8Array): Promise<boolean> {
    await this.flush();
    const { stdout, signal } = this.#io;
    return new Promise((resolve, reject) => {
      // A reader that does not read is not waited for any longer.
      const stop = () => {
        if (lostOutput(signal) === undefined) reject(new NetkitError('interrupted', 'interrupted'));
        else resolve(false);
      };
      signal.addEventListener('abort', stop, { once: true });
      stdout.write(chunk, (error) => {
        signal.removeEventListener('abort', stop);
        resolve(error === undefined || error === null);
      });
      if (signal.aborted) stop();
    });
  }

  /** A remark that the user may want to know; nothing is wrong. */
  note(text: string): void {
    if (this.#says('info')) this.#aside(text);
  }

  /** A remark for who sits before a terminal and would wonder that nothing comes. */
  remark(text: string): void {
    if (this.#io.stdout.isTTY === true && !this.#options.json) this.note(text);
  }

  /** Something is not as it should be, and the command goes on. */
  warn(text: string): void {
    if (this.#says('warn')) this.#aside(`warning: ${text}`);
  }

  /** For `--log-level debug`. */
  debug(text: string): void {
    if (this.#options.logLevel === 'debug') this.#aside(`debug: ${text}`);
  }

  /** Lines on standard error that belong to what went wrong, such as a compiler's diagnostics. Not with `--json`. */
  explain(text: string): void {
    if (!this.#options.json) this.#io.stderr.write(blockText(text.endsWith('\n') ? text : `${text}\n`));
  }

  /**
   * Waits for `work`, which counts what it has done. When that takes longer than a second and standard error is a
   * terminal, it shows how much that is and how fast it goes.
   */
  async counting<T>(
    what: string,
    noun: string,
    work: (add: (amount: number) => void) => Promise<T>,
  ): Promise<T> {
    const started = performance.now();
    let count = 0;
    const text = (): string => {
      const perSecond = Math.round((count * 1000) / Math.max(1, performance.now() - started));
      return `${what}: ${grouped(count)} ${noun}, ${grouped(perSecond)} a second`;
    };
    const add = (amount: number): void => {
      count += amount;
    };
    return this.#spinning(text, () => work(add));
  }

  /**
   * Waits for `work`. When that takes longer than a second and standard error is a terminal, it shows `what` meanwhile.
   * Work that never returns to the event loop shows nothing.
   */
  progress<T>(what: string, work: () => Promise<T>): Promise<T> {
    return this.#spinning(() => what, work);
  }

  /** Waits for `work`, which says again and again what it is at. Shown as {@link Output.progress} does. */
  following<T>(work: (say: (what: string) => void) => Promise<T>): Promise<T> {
    let text = '';
    const say = (what: string): void => {
      text = what;
    };
    return this.#spinning(
      () => text,
      () => work(say),
    );
  }

  async #spinning<T>(text: () => string, work: () => Promise<T>): Promise<T> {
    const { isTTY, columns } = this.#io.stderr;
    // A terminal that does not know its width would never be done with erasing the line.
    if (!isTTY || columns === 0 || this.#options.json || !this.#says('info')) return work();
    let stop: (() => void) | undefined;
    let over = false;
    const timer = setTimeout(async () => {
      const { default: ora } = await import('ora');
      if (over) return;
      const spinner = ora({ text: cellText(text()), stream: process.stderr, discardStdin: false }).start();
      const refresh = setInterval(() => {
        spinner.text = cellText(text());
      }, refreshMs);
      stop = () => {
        clearInterval(refresh);
        spinner.stop();
      };
    }, 1000);
    try {
      return await work();
    } finally {
      over = true;
      clearTimeout(timer);
      stop?.();
    }
  }

  /**
   * Asks before something that cannot be taken back; returns when the answer is yes. Throws 'usage' where nobody can
   * answer and `--yes` is not given, and 'failed' when the answer is no.
   */
  async ask(question: string): Promise<void> {
    if (this.#options.yes) return;
    const { stdin, stderr, signal } = this.#io;
    if (!stdin.isTTY || !stderr.isTTY) {
      throw new NetkitError('usage', `${question}: there is no terminal to ask on`, { hint: 'use --yes' });
    }
    await this.flush();
    const { createInterface } = await import('node:readline');
    const lines = createInterface({ input: stdin, terminal: false });
    stderr.write(`${cellText(question)}? [y/N] `);
    try {
      const answer = await new Promise<string>((resolve, reject) => {
        lines.once('line', resolve);
        lines.once('close', () => resolve(''));
        const interrupted = () => reject(new NetkitError('interrupted', 'interrupted'));
        if (signal.aborted) interrupted();
        signal.addEventListener('abort', interrupted, { once: true });
      });
      if (!/^y(es)?$/i.test(answer.trim()))
        throw new NetkitError('failed', 'not confirmed: nothing was changed');
    } finally {
      lines.close();
    }
  }

  /** Resolves when everything said so far is written. */
  flush(): Promise<void> {
    return this.#tail;
  }

  #says(level: 'warn' | 'info'): boolean {
    const { quiet, logLevel } = this.#options;
    if (quiet || logLevel === 'error') return false;
    return level === 'warn' || logLevel !== 'warn';
  }

  #aside(text: string): void {
    this.#io.stderr.write(`netkit: ${cellText(text)}\n`);
  }

  #json(document: Document, pretty = this.#io.stdout.isTTY === true): void {
    const bigints = this.#options.jsonStrings ? 'string' : 'number';
    const text = toJson({ schemaVersion, ...document }, pretty ? { indent: 2, bigints } : { bigints });
    this.#write(() => `${text}\n`);
  }

  #show(fill: (page: Page) => void): void {
    const page = new Page();
    fill(page);
    const { isTTY, columns } = this.#io.stdout;
    if (!isTTY) {
      this.#write(() => plainText(page.blocks));
      return;
    }
    this.#write(async () => {
      // A terminal that does not know its width says 0.
      const blocks = columns ? (await import('./fit.js')).fitted(page.blocks, columns) : page.blocks;
      return this.#options.color ? (await import('./styled.js')).styledText(blocks) : plainText(blocks);
    });
  }

  #write(text: () => string | Promise<string>): void {
    this.#tail = this.#tail.then(async () => {
      this.#io.stdout.write(await text());
    });
  }
}

/** `1,234,567` */
function grouped(amount: number): string {
  return String(amount).replace(/\B(?=(\d{3})+$)/g, ',');
}
