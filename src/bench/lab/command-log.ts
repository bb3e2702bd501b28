/** Exactly what was run to set a benchmark up: part of its document, so that anybody can do the same by hand. */
import { runInside } from '../../host/command-inside.js';
import type { Netns } from '../../host/netns.js';

/** A network namespace, and what the document calls it. */
export interface Place {
  readonly netns: Netns;
  readonly title: string;
}

export class CommandLog {
  readonly #lines = new Set<string>();

  /** In order, each once. */
  get lines(): string[] {
    return [...this.#lines];
  }

  /**
   * Runs a program inside a namespace and remembers it.
   * @throws NetkitError `tool-missing`, `tool-failed`
   */
  run(place: Place, file: string, args: readonly string[], input = ''): string {
    this.note(place.title, [file, ...args].join(' '), input);
    return runInside(place.netns, file, args, input);
  }

  /** Remembers what was done without a program, as the command that does the same. */
  note(where: string, command: string, input = ''): void {
    const lines = input === '' ? [] : input.trimEnd().split('\n');
    this.#lines.add([`${where}# ${command}`, ...lines.map((line) => `  ${line}`)].join('\n'));
  }
}
