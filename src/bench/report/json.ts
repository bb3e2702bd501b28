/** A document as a file. */
import type { BenchDocument } from '../document.js';

/** One line of JSON, with its end. The same document gives the same bytes, also when it has been read from such a file. */
export function documentText(document: BenchDocument): string {
  return `${JSON.stringify(document)}\n`;
}
