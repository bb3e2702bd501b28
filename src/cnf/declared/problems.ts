/** What is wrong with a document, all of it, each by the path of its field. */
import { NetkitError } from '../../base/errors.js';
import type { Problem as PlacedProblem } from '../../base/problem-line.js';
import { pathText } from '../manifest/path-text.js';
import type { ReadDocument } from '../manifest/read.js';

export interface Problem {
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly hint?: string | undefined;
  /** It is no mistake in the document: something is not there. */
  readonly absent?: true | undefined;
}

/** What a mistake in a document is reported as by what reads values, objects and files of entries. */
const mistakes = new Set(['bad-value', 'not-found', 'unsupported', 'conflict', 'usage', 'bad-object']);

export class Problems {
  readonly found: Problem[] = [];

  add(path: readonly (string | number)[], message: string, hint?: string): void {
    this.found.push({ path, message, hint });
  }

  /** With the places of their fields in the file. */
  placed(read: ReadDocument | undefined): PlacedProblem[] {
    const placed = this.found.map(({ path, message, hint, absent }) => {
      // What is not there is told by itself, with its hint on a line of its own.
      const text = hint === undefined || absent === true ? message : `${message} (${hint})`;
      return (
        read?.problem(path, text) ?? {
          file: null,
          line: 1,
          column: 1,
          path: pathText(path),
          message: text,
          expected: null,
        }
      );
    });
    return placed.sort((one, other) => one.line - other.line || one.column - other.column);
  }

  /** Of something on the machine that is not there: the document itself may be right. */
  absent(path: readonly (string | number)[], message: string, hint?: string): void {
    this.found.push({ path, message, hint, absent: true });
  }

  /** The result, or undefined where something was wrong, which then is among the problems. */
  try<T>(path: readonly (string | number)[], work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.#take(path, error);
      return undefined;
    }
  }

  /** {@link try} for what takes its time. */
  async about<T>(path: readonly (string | number)[], work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.#take(path, error);
      return undefined;
    }
  }

  /** What is no mistake in the document is thrown again. An error may know the path better, and more than one problem. */
  #take(path: readonly (string | number)[], error: unknown): void {
    if (!(error instanceof NetkitError) || !mistakes.has(error.code)) throw error;
    const { problems } = error.details;
    if (Array.isArray(problems) && problems.every(isProblem)) {
      this.found.push(...problems);
      return;
    }
    const known = error.details.path;
    this.found.push({
      path: isPath(known) ? known : path,
      message: error.message,
      hint: error.hint,
    });
  }
}

function isProblem(value: unknown): value is Problem {
  return (
    typeof value === 'object' &&
    value !== null &&
    'path' in value &&
    isPath(value.path) &&
    'message' in value &&
    typeof value.message === 'string'
  );
}

function isPath(value: unknown): value is readonly (string | number)[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((part) => typeof part === 'string' || typeof part === 'number')
  );
}
