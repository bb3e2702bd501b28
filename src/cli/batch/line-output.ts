import { NetkitError } from '../../base/errors.js';
import type { GlobalOptions } from '../globals.js';
import type { Io } from '../io.js';
import { Output } from '../output.js';
import type { Page } from '../page.js';

/** What one command of a batch says: its result, but no word about what it did; remarks with the line's number. */
export class LineOutput extends Output {
  readonly #options: GlobalOptions;
  readonly #place: string;

  constructor(io: Io, options: GlobalOptions, place: string) {
    super(io, options);
    this.#options = options;
    this.#place = place;
  }

  override done(document: object | (() => object), fill: (page: Page) => void): void {
    if (this.#options.json || this.#options.dryRun) super.done(document, fill);
  }

  /** Nobody is asked in a batch. @throws NetkitError `usage` */
  override async ask(question: string): Promise<void> {
    if (this.#options.yes) return;
    throw new NetkitError('usage', `${question}: a batch asks nobody`, { hint: 'add --yes to the command' });
  }

  override note(text: string): void {
    super.note(`${this.#place}: ${text}`);
  }

  override warn(text: string): void {
    super.warn(`${this.#place}: ${text}`);
  }
}
