/** From the text of a file to the nodes of its YAML documents, with everything refused that is no plain YAML. */
import { Composer, type Document, isScalar, Lexer, Parser } from 'yaml';

/** Far deeper than any manifest; what is deeper would only exhaust the stack. */
const mostLevels = 100;
/** After some errors, the others follow from those. */
const mostErrors = 20;

/** Something wrong in a text, by its offset. */
export interface TextError {
  readonly offset: number;
  readonly message: string;
}

export interface ParsedText {
  /** Those with contents. */
  readonly documents: readonly Document.Parsed[];
  readonly errors: readonly TextError[];
}

/** Reads all documents of a text. A text with errors gives no documents: what they would hold is guesswork. */
export function parseText(text: string): ParsedText {
  const control = /(?![\t\n\r\u0085])\p{Cc}/u.exec(text);
  if (control !== null) {
    const code = control[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
    return failed([{ offset: control.index, message: `the control character U+${code} stands in it` }]);
  }
  const tokens = tokensOf(text);
  if ('message' in tokens) return failed([tokens]);
  const documents = [...composer().compose(tokens, false, text.length)];
  const errors = [
    ...firstOfEachLine(documents.flatMap(errorsOf), text).slice(0, mostErrors),
    ...documents.flatMap(extrasOf),
  ];
  return errors.length > 0
    ? failed(errors)
    : { documents: documents.filter(({ contents }) => !isEmpty(contents)), errors };
}

type Token = Parameters<Composer['next']>[0];

function composer(): Composer {
  // Its check for unique keys compares each with each; plain-data.ts has its own.
  return new Composer({ uniqueKeys: false, prettyErrors: false, logLevel: 'silent', version: '1.2' });
}

/** Stops at a depth that would make recursive readers overflow, and take long. */
function tokensOf(text: string): Token[] | TextError {
  const parser = new Parser();
  const tokens: Token[] = [];
  for (const lexeme of new Lexer().lex(text)) {
    tokens.push(...parser.next(lexeme));
    if (parser.stack.length > mostLevels + 2)
      return { offset: parser.offset, message: `nested more than ${mostLevels} levels deep` };
  }
  tokens.push(...parser.end());
  return tokens;
}

/** Errors of the syntax, of which those after the first of a line follow from that. */
function errorsOf(document: Document.Parsed): TextError[] {
  return document.errors
    .filter(({ code }) => code !== tagCode)
    .map(({ pos: [offset], message }) => ({ offset, message: `not YAML: ${lowered(message)}` }));
}

/** What is YAML, and has no place in a manifest. */
function extrasOf(document: Document.Parsed): TextError[] {
  const [start] = document.range;
  const { yaml, tags } = document.directives;
  const found = [...document.errors, ...document.warnings]
    .filter(({ code }) => code === tagCode)
    .map(({ pos: [offset], message }) => ({
      offset,
      message: `${lowered(message)}: a manifest has no tags`,
    }));
  if (yaml.explicit === true && yaml.version !== '1.2')
    found.push({ offset: start, message: `a manifest is YAML 1.2, not ${yaml.version}` });
  // One is always there, for `!!`.
  if (Object.keys(tags).length > 1) found.push({ offset: start, message: 'a manifest has no tags' });
  return found;
}

const tagCode = 'TAG_RESOLVE_FAILED';

function lowered(sentence: string): string {
  return sentence.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase());
}

function firstOfEachLine(errors: readonly TextError[], text: string): TextError[] {
  const chosen: TextError[] = [];
  for (const error of errors.toSorted((one, other) => one.offset - other.offset)) {
    const last = chosen.at(-1);
    if (last === undefined || text.slice(last.offset, error.offset).includes('\n')) chosen.push(error);
  }
  return chosen;
}

function isEmpty(contents: Document.Parsed['contents']): boolean {
  return contents === null || (isScalar(contents) && contents.value === null && contents.source === '');
}

function failed(errors: readonly TextError[]): ParsedText {
  return { documents: [], errors };
}
