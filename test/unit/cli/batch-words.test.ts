import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainWords, WordSplitter } from '../../../src/cli/batch/words.js';

function split(...lines: string[]): readonly string[] {
  const splitter = new WordSplitter();
  lines.forEach((line, index) => {
    expect(splitter.push(line), `line ${index}`).toBe(index < lines.length - 1);
  });
  return splitter.end();
}

describe('the words of a line', () => {
  it.each([
    ['map get fw/a 1', ['map', 'get', 'fw/a', '1']],
    ['  map\t get  ', ['map', 'get']],
    ['', []],
    ['   ', []],
    ['# a comment', []],
    ['list # fw', ['list']],
    ['list fw#1', ['list', 'fw#1']],
    ["list '#'", ['list', '#']],
    ['update \'{"a": 1}\' x', ['update', '{"a": 1}', 'x']],
    ['update "a b" ""', ['update', 'a b', '']],
    ["a'b c'd", ['ab cd']],
    ['a"b c"d', ['ab cd']],
    ['a\\ b c', ['a b', 'c']],
    ['\\#a \\"', ['#a', '"']],
    ['"\\$HOME \\\\ \\" \\a"', ['$HOME \\ " \\a']],
    ["'\\n $x'", ['\\n $x']],
    ['$HOME * ~ `id` {a,b}', ['$HOME', '*', '~', '`id`', '{a,b}']],
    ['ä "ö ü"', ['ä', 'ö ü']],
  ])('%j are %j', (line, words) => {
    expect(split(line)).toEqual(words);
  });

  it('go on in the next line after a backslash', () => {
    expect(split('load fw.bpf.o \\', '  --name fw \\', '--persist')).toEqual([
      'load',
      'fw.bpf.o',
      '--name',
      'fw',
      '--persist',
    ]);
    expect(split('ab\\', 'cd')).toEqual(['abcd']);
    expect(split('"a \\', 'b"')).toEqual(['a b']);
    expect(split('a \\', '')).toEqual(['a']);
  });

  it.each(['list # \\', "list 'a\\'", 'list \\\\'])('end with their line in %j', (line) => {
    expect(() => split(line)).not.toThrow();
  });

  it.each([
    ["map get 'fw", 'a single quote has no end on its line'],
    ['map get "fw', 'a double quote has no end on its line'],
    ['a "b\\"', 'a double quote has no end on its line'],
  ])('are refused in %j: %s', (line, message) => {
    expect(() => split(line)).toThrow(message);
  });

  it('are those of a shell, for whatever a shell does not expand', () => {
    const part = fc.oneof(
      fc.stringMatching(/^[a-z0-9/.:=,{}-]{1,6}$/),
      fc.stringMatching(/^'[a-z "\\#]{0,6}'$/),
      fc.stringMatching(/^"[a-z '#]{0,6}"$/),
      fc.constantFrom('\\ ', '\\"', "\\'", '\\\\', '\\#', '"\\""', '"\\\\"', '"\\a"'),
    );
    const line = fc.array(fc.oneof(part, fc.constantFrom(' ', '  ', ' # ')), { maxLength: 12 });
    const lines = fc
      .sample(line, 300)
      .map((parts) => `X ${parts.join('')}`.replaceAll('{', '_').replaceAll('~', '_'));
    const script = lines.map((text) => `set -- ${text}\nprintf '%s\\0' "$@"; printf '\\n\\0'`).join('\n');
    const answers = execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\n\0').slice(0, -1);
    expect(answers).toHaveLength(lines.length);
    lines.forEach((text, index) => {
      expect(split(text), text).toEqual(answers[index]?.split('\0').slice(0, -1));
    });
  });
});

describe('words without quotes', () => {
  it('are found the short way too, or left to the long one', () => {
    const characters = fc.constantFrom('a', 'b', 'c', "'", '"', '\\', '#', ' ', '\t', '\0', 'ä', '-');
    const line = fc.array(characters, { maxLength: 12 }).map((all) => all.join(''));
    fc.assert(
      fc.property(line, fc.stringMatching(/^[x ]{0,3}$/), (text, around) => {
        const found = plainWords(`${around}${text}${around}`, around.length, around.length + text.length);
        if (['"', "'", '\\', '#', '\t', '\0'].some((each) => text.includes(each)))
          expect(found).toBeUndefined();
        else expect(found).toEqual(split(text));
      }),
    );
  });
});
