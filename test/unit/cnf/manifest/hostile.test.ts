import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NetkitError } from '../../../../src/base/errors.js';
import { readManifests } from '../../../../src/cnf/manifest/read.js';
import { functionWith, inFolder, problemsOf, read } from './reading.js';

const megabyte = 1 << 20;
const chain =
  'apiVersion: netkit/v1\nkind: Chain\nmetadata:\n  name: edge\nspec: {interface: eth0, hook: xdp, functions: [a]}\n';

/** Ten times ten times ten …, nine levels of aliases. */
const laughs = `${Array.from({ length: 9 }, (_, level) => {
  const inside = level === 0 ? 'lol' : `*a${level - 1}`;
  return `l${level}: &a${level} [${Array.from({ length: 10 }, () => inside).join(', ')}]`;
}).join('\n')}\n`;

async function within(milliseconds: number, work: () => Promise<void>): Promise<void> {
  const start = performance.now();
  await work();
  expect(performance.now() - start).toBeLessThan(milliseconds);
}

describe('a hostile file is refused quickly, with its place and why:', () => {
  it.each([
    ['a megabyte of brackets', '['.repeat(megabyte), '1:103: nested more than 100 levels deep'],
    ['a megabyte of braces', '{a: '.repeat(megabyte / 4), '1:406: nested more than 100 levels deep'],
    ['a megabyte of dashes', '- '.repeat(megabyte / 2), '1:204: nested more than 100 levels deep'],
    ['a megabyte of question marks', '? '.repeat(megabyte / 2), '1:204: nested more than 100 levels deep'],
    [
      'a megabyte in an open quote',
      `"${'a'.repeat(megabyte)}`,
      `1:${megabyte + 2}: not YAML: missing closing "quote`,
    ],
    [
      'a megabyte of a word',
      'a'.repeat(megabyte),
      `1:1: expected a mapping with apiVersion, kind, metadata and spec, not '${'a'.repeat(57)}…'`,
    ],
    ['a NUL', `${chain}\0`, '6:1: the control character U+0000 stands in it'],
    ['an escape character', 'a: \x1b[2J', '1:4: the control character U+001B stands in it'],
    [
      'tabs for indentation',
      chain.replace('  name', '\tname'),
      '4:1: not YAML: tabs are not allowed as indentation',
    ],
    ['bytes that are no UTF-8', Buffer.from('# ü\nkind: \xe9\n', 'latin1'), '1:3: not UTF-8'],
    ['UTF-16', Buffer.from(`\ufeff${chain}`, 'utf16le'), '1:1: not UTF-8'],
    [
      'an object file',
      Buffer.from('\x7fELF\x02\x01\x01\0\0', 'latin1'),
      '1:1: the control character U+007F stands in it',
    ],
    ['nothing', '', '1:1: no document is in it'],
    ['only comments', '# a\n---\n# b\n', '1:1: no document is in it'],
    [
      'an open list',
      'a: [1, 2\nb: 1\n',
      '2:1: not YAML: flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
    ['a billion laughs', `${laughs}${functionWith('  globals: {x: *a8}')}`, '14:'],
    [
      'an alias of itself',
      functionWith('  globals: {a: &a [*a]}'),
      '6:20: spec.globals.a[0][0]: the alias stands for itself',
    ],
    [
      'an alias of nothing',
      functionWith('  globals: {a: *b, b: &b 1}'),
      '6:16: spec.globals.a: there is no anchor of that name before it',
    ],
    [
      'a tag of its own',
      functionWith('  globals: {a: !js/function x}'),
      '6:16: unresolved tag: !js/function: a manifest has no tags',
    ],
    [
      'a binary',
      functionWith('  globals: {a: !!binary aGk=}'),
      '6:25: spec.globals.a: a manifest has no tags',
    ],
    ['names for tags', `%TAG !e! tag:example.com,2000:\n---\n${chain}`, '2:1: a manifest has no tags'],
    ['YAML 1.1, whose 010 is 8', `%YAML 1.1\n---\n${chain}`, '2:1: a manifest is YAML 1.2, not 1.1'],
    [
      'merge keys',
      functionWith('  globals: &g {a: 1}\n  maps: {<<: *g}'),
      '7:10: spec.maps["<<"]: a manifest has no merge keys',
    ],
    [
      'a key that is a list',
      functionWith('  globals: {? [a] : 1}'),
      '6:15: spec.globals: a key must be text, not a list or mapping',
    ],
    [
      'a key twice',
      functionWith('  globals: {a: 1, "a": 2}'),
      '6:19: spec.globals.a: the key is there already, at 6:13',
    ],
    [
      'the key __proto__',
      functionWith('  globals: {__proto__: 1}'),
      '6:13: spec.globals.__proto__: this cannot be a key',
    ],
    [
      'numbers beyond what JavaScript holds',
      functionWith('  config: {a: 18446744073709551616, b: .inf}').replace('object: fw.o', 'builtin: fw'),
      '6:15: spec.config.a: the number 18446744073709551616 would lose digits: put it in quotes',
      '6:40: spec.config.b: the number .inf would lose digits: put it in quotes',
    ],
  ])('%s', async (_, text, ...said) => {
    await within(3000, async () => {
      const lines = await problemsOf(text);
      if (said[0] === '14:') {
        expect(lines).toContainEqual(
          expect.stringContaining('its aliases stand for more than 100000 values'),
        );
        return;
      }
      expect(lines).toEqual(said.map((line) => `fw.yaml:${line}`));
    });
  });

  it('many aliases of each other, nested', async () => {
    const nested = Array.from(
      { length: 5000 },
      (_, at) => `    g${at}: &a${at} [${at === 0 ? '1' : `*a${at - 1}`}]`,
    );
    const lines = await problemsOf(functionWith(`  globals:\n${nested.join('\n')}`));
    expect(lines).toEqual([expect.stringContaining('nested more than 100 levels deep')]);
  });

  it('a file of more than 16 MiB, and one that never ends', async () => {
    expect(await problemsOf(`#${'x'.repeat(17 * megabyte)}`)).toEqual([
      "fw.yaml:1:1: larger than 16 MiB: many entries of a map come from a file ('from: FILE')",
    ]);
    async function* endless() {
      for (;;) yield Buffer.alloc(megabyte, '#');
    }
    await expect(readManifests(['-'], { stdin: endless() })).rejects.toThrow(
      '<stdin>:1:1: larger than 16 MiB',
    );
    await expect(readManifests(['/dev/zero'])).rejects.toThrow('/dev/zero:1:1: larger than 16 MiB');
  });
});

describe('an odd file is read as it is meant:', () => {
  it.each([
    ['with a byte order mark', `\ufeff${chain}`],
    ['with CR LF', chain.replaceAll('\n', '\r\n')],
    ['with comments and empty documents around it', `# a\n---\n# b\n---\n${chain}---\n...\n# c\n`],
    ['as YAML 1.2 by its own words', `%YAML 1.2\n---\n${chain}`],
    ['without a last line feed', chain.trimEnd()],
    ['with the tags that values have anyhow', chain.replace('edge', '!!str edge')],
    [
      'as JSON that is indented by tabs',
      JSON.stringify(
        {
          apiVersion: 'netkit/v1',
          kind: 'Chain',
          metadata: { name: 'edge' },
          spec: { interface: 'eth0', hook: 'xdp', functions: ['a'] },
        },
        null,
        '\t',
      ),
    ],
    [
      'with anchors and aliases',
      chain.replace('name: edge', 'name: &n edge\n  labels: {of: *n}').replace('[a]', '[*n]'),
    ],
  ])('%s', async (_, text) => {
    expect(await read(text)).toMatchObject([
      { kind: 'Chain', metadata: { name: 'edge' }, spec: { interface: 'eth0' } },
    ]);
  });

  it('places in a file with a byte order mark and CR LF are those that an editor shows', async () => {
    const text = `\ufeff${chain.replace('eth0', 'eth/0').replaceAll('\n', '\r\n')}`;
    expect(await problemsOf(text)).toEqual([expect.stringMatching(/^fw\.yaml:5:19: spec\.interface: /)]);
  });

  it('escapes of JSON, also halves of a character', async () => {
    const text = chain.replace('name: edge', 'name: edge\n  labels: {"a\\/b": "\\ud83d\\ude00"}');
    expect((await read(text))[0]?.metadata.labels).toEqual({ 'a/b': '😀' });
  });

  it('ten thousand entries, each form in well under a second after the first', async () => {
    const keys = Array.from({ length: 10_000 }, (_, at) => `10.${at >> 8}.${at & 255}.0/24`);
    const forms = [
      keys.map((key, at) => `      ${key}: {action: drop, count: ${at}}`).join('\n'),
      keys.map((key, at) => `      - {key: ${key}, value: ${at}}`).join('\n'),
    ];
    for (const form of forms) {
      const text = functionWith(`  maps:\n    m:\n     entries:\n${form}`);
      expect(await read(text)).toHaveLength(1);
      await within(2000, async () => expect(await problemsOf(text)).toEqual([]));
      const last = form
        .split('\n')
        .at(-1)
        ?.replace(/10\.39\.15\.0/, '11.0.0.0');
      expect(await problemsOf(`${text.trimEnd()}\n${last}\n`)).toEqual([
        expect.stringMatching(/spec\.maps\.m\.entries: expected at most 10000 entries: .*, not 10001$/),
      ]);
    }
  });

  it('ten thousand mistakes, of which a thousand are listed and all are counted', async () => {
    const text = functionWith(
      `  maps: {m: {entries: {${Array.from({ length: 10_000 }, (_, at) => `${at}: `).join(',')}}}}`,
    );
    await within(10_000, async () => {
      const lines = await problemsOf(text);
      expect(lines).toHaveLength(1001);
      expect(lines.at(-1)).toBe('… and 9000 more');
    });
  });
});

describe('a path that is no file', () => {
  it('below a file, of a folder that is a loop, or of a folder called *.yaml, says what it is', async () => {
    await inFolder(async (folder) => {
      const path = (name: string) => join(folder, name);
      writeFileSync(path('a.yaml'), chain);
      symlinkSync('loop', path('loop'));
      mkdirSync(path('empty.yaml'));
      const codes = await Promise.all(
        ['a.yaml/b', 'loop', 'empty.yaml'].map((name) =>
          readManifests([path(name)]).then(
            () => 'read',
            (error: unknown) => (error instanceof NetkitError ? `${error.code}: ${error.message}` : error),
          ),
        ),
      );
      expect(codes).toEqual([
        `not-found: cannot read '${folder}/a.yaml/b': a part of the path is not a directory`,
        `usage: cannot read '${folder}/loop': its symbolic links form a loop`,
        `not-found: there is no manifest in '${folder}/empty.yaml'`,
      ]);
    });
  });
});
