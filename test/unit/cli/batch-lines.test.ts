import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BatchLine, countCommands, LineReader, longestLine } from '../../../src/cli/batch/lines.js';

function read(chunks: readonly (string | Uint8Array)[]): BatchLine[] {
  const reader = new LineReader();
  const lines = chunks.flatMap((chunk) => {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk);
    const found = [...reader.push(bytes)];
    // A chunk is not kept.
    bytes.fill(0x41);
    return found;
  });
  return [...lines, ...reader.end()];
}

const short = (lines: readonly BatchLine[]) =>
  lines.map(({ line, words, problem }) => [line, problem?.message ?? words.join('|')]);

describe('the commands of a batch', () => {
  it('come with the lines that they begin in; empty lines and comments count and are none', () => {
    const text = '# setup\n\nlist\n  map get "a b" 1 # x\nload a \\\n  --name b\nlist';
    expect(short(read([text]))).toEqual([
      [3, 'list'],
      [4, 'map|get|a b|1'],
      [5, 'load|a|--name|b'],
      [7, 'list'],
    ]);
  });

  it('have their text, with continuations joined', () => {
    expect(read(['map get a 1\r\nload a \\\r\n  --name b']).map(({ text }) => text)).toEqual([
      'map get a 1',
      'load a   --name b',
    ]);
  });

  it('are the same with the line ends of other systems, a byte order mark, and no end in the last line', () => {
    const plain = read(['list\nload a\\\nb\nmap list\n']);
    expect(short(read(['list\r\nload a\\\r\nb\r\nmap list']))).toEqual(short(plain));
    expect(short(read(['\ufefflist\nload a\\\nb\nmap list\\\n']))).toEqual(short(plain));
  });

  it('are the same however the bytes are cut', () => {
    const piece = fc.constantFrom('list', ' ', '\n', '\\', "'a b'", '"', '#', 'ä', '\r\n', '\t', '\0', 'x=€');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), fc.array(fc.nat(40)), (pieces, cuts) => {
        const bytes = Buffer.from(pieces.join(''));
        const at = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
        const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        expect(short(read(chunks))).toEqual(short(read([bytes])));
      }),
    );
  });

  it('that hold a NUL, an open quote or no text are named by their line, and the next ones are read', () => {
    const bytes = Buffer.concat([
      Buffer.from('list\nmap get a \0\nmap "get\n'),
      Buffer.from([0x6d, 0xff, 0xfe, 0x0a]),
      Buffer.from('load a \\\n "\nmap list ä\n'),
    ]);
    expect(short(read([bytes]))).toEqual([
      [1, 'list'],
      [2, 'the line holds a NUL character'],
      [3, 'a double quote has no end on its line'],
      [4, 'the line is not text in UTF-8'],
      [5, 'a double quote has no end on its line'],
      [7, 'map|list|ä'],
    ]);
  });

  it('that are too long are named, and skipped without being kept', () => {
    const chunk = 'x'.repeat(1 << 20);
    const chunks = Array.from({ length: (longestLine >> 20) + 5 }, () => chunk);
    expect(short(read(['list\n', ...chunks, '\nmap list\n']))).toEqual([
      [1, 'list'],
      [2, 'the line is longer than 16 MiB'],
      [3, 'map|list'],
    ]);
    const continued = Array.from({ length: (longestLine >> 20) + 1 }, () => `${chunk}\\\n`);
    const lines = short(read([...continued, '\nlist\n']));
    expect(lines[0]).toEqual([1, 'the line is longer than 16 MiB']);
    expect(lines.at(-1)).toEqual([continued.length + 2, 'list']);
  });

  it('are counted, lines that are none but should be included', async () => {
    expect(await countCommands([Buffer.from('list\n\n# x\nmap "\nlist'), Buffer.from(' a\\\nb\nload')])).toBe(
      4,
    );
  });
});
