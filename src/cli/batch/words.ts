/** A command line as words, the way a shell splits it, and without anything that a shell would expand. */
import { NetkitError } from '../../base/errors.js';

/** Characters that stand for themselves outside of quotes, and inside of double ones. */
const bareRun = /[^ \t'"\\#]+/y;
const quotedRun = /[^"\\]+/y;
/** Before these alone a backslash in double quotes means something. */
const escapedInQuotes = '"\\$`';

/** Collects the words of one command, which a backslash at a line's end may carry on to the next line. */
export class WordSplitter {
  readonly #words: string[] = [];
  #word = '';
  #inWord = false;
  #quote = '';

  /**
   * Takes one line, without its line end. @returns true when it ends in a backslash: the next line belongs to it
   * @throws NetkitError `usage` for a quote without an end
   */
  push(line: string): boolean {
    let at = 0;
    while (at < line.length) {
      const character = line[at] ?? '';
      if (this.#quote === "'") at = this.#untilQuote(line, at);
      else if (character === '\\') {
        if (at + 1 === line.length) return true;
        at = this.#escape(line, at);
      } else if (this.#quote !== '') at = this.#inQuotes(line, at);
      else if (character === ' ' || character === '\t') {
        this.#endWord();
        at++;
      } else if (character === '#' && !this.#inWord) break;
      else at = this.#outside(line, at, character);
    }
    if (this.#quote !== '') {
      const which = this.#quote === '"' ? 'double' : 'single';
      throw new NetkitError('usage', `a ${which} quote has no end on its line`);
    }
    return false;
  }

  /** The words, none for a line that is empty or a comment. */
  end(): readonly string[] {
    this.#endWord();
    return this.#words;
  }

  #outside(line: string, at: number, character: string): number {
    this.#inWord = true;
    if (character === "'" || character === '"') {
      this.#quote = character;
      return at + 1;
    }
    if (character === '#') {
      this.#word += character;
      return at + 1;
    }
    return this.#run(bareRun, line, at);
  }

  #inQuotes(line: string, at: number): number {
    if (line[at] !== '"') return this.#run(quotedRun, line, at);
    this.#quote = '';
    return at + 1;
  }

  #untilQuote(line: string, at: number): number {
    const end = line.indexOf("'", at);
    this.#word += line.slice(at, end < 0 ? undefined : end);
    if (end < 0) return line.length;
    this.#quote = '';
    return end + 1;
  }

  #escape(line: string, at: number): number {
    const next = line[at + 1] ?? '';
    this.#inWord = true;
    this.#word += this.#quote === '' || escapedInQuotes.includes(next) ? next : `\\${next}`;
    return at + 2;
  }

  #run(pattern: RegExp, line: string, at: number): number {
    pattern.lastIndex = at;
    const run = pattern.exec(line)?.[0] ?? '';
    this.#word += run;
    return at + run.length;
  }

  #endWord(): void {
    if (this.#inWord) this.#words.push(this.#word);
    this.#word = '';
    this.#inWord = false;
  }
}

/**
 * The words of a line that has nothing but words and spaces, or undefined when it needs a {@link WordSplitter}. Most
 * lines of a long batch are like that, and this is several times faster.
 */
export function plainWords(text: string, start: number, end: number): string[] | undefined {
  const words: string[] = [];
  let wordStart = -1;
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x20) {
      if (wordStart >= 0) words.push(text.slice(wordStart, at));
      wordStart = -1;
      // Tabs and control characters, and the three that quote, and #.
    } else if (code < 0x20 || code === 0x22 || code === 0x27 || code === 0x5c || code === 0x23) {
      return undefined;
    } else if (wordStart < 0) wordStart = at;
  }
  if (wordStart >= 0) words.push(text.slice(wordStart, end));
  return words;
}
