import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NetkitError } from '../../../../src/base/errors.js';
import { shapeOfMap } from '../../../../src/cnf/entries/declarable.js';
import type { DeclaredEntries } from '../../../../src/cnf/entries/declared-entries.js';
import { readFrom } from '../../../../src/cnf/entries/from-file.js';
import { readInline } from '../../../../src/cnf/entries/inline.js';
import { possibleCpus } from '../../../../src/ebpf/possible-cpus.js';
import { entryWriter } from '../../../../src/obj/entries/index.js';
import { declaredSpec, told } from './support.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'netkit-test-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const spec = declaredSpec();

function written(name: string, contents: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, contents);
  return path;
}

async function said(map: string, name: string, contents: string): Promise<string[]> {
  return told(spec, map, await readFrom(spec, map, written(name, contents)));
}

async function refused(work: Promise<unknown>): Promise<NetkitError> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown) => thrown,
  );
  if (error instanceof NetkitError) return error;
  throw error ?? new Error('nothing was thrown');
}

describe('entries of a file', () => {
  it('declare the columns that a CSV file has', async () => {
    expect(
      await said('blocklist', 'a.csv', 'key,value.action\n10.0.0.0/8,DROP\n11.0.0.0/8,"PASS"\n'),
    ).toEqual(['10.0.0.0/8: action=DROP', '11.0.0.0/8: action=PASS']);
    expect(await said('blocklist', 'b.csv', 'value.tag,key,value.action\r\n7,10.0.0.0/8,DROP\r\n')).toEqual([
      '10.0.0.0/8: action=DROP,tag=7',
    ]);
    expect(
      await said(
        'blocklist',
        'c.csv',
        'key,value\n10.0.0.0/8,DROP\n11.0.0.0/8,"action=DROP,tag=7"\n12.0.0.0/8,"{""tag"":1}"\n',
      ),
    ).toEqual(['10.0.0.0/8: action=DROP', '11.0.0.0/8: action=DROP,tag=7', '12.0.0.0/8: tag=1']);
    expect(await said('numbers', 'd.csv', 'key,value\n1,5\n')).toEqual(['1: 5']);
  });

  it('declare the members that JSON names, each entry its own', async () => {
    const full = '{"action":"DROP","tag":1,"packets":2,"bytes":3}';
    const lines = [`{"key":1,"value":${full}}`, '{"key":2,"value":{"tag":4}}', '{"value":"PASS","key":"3"}'];
    const wanted = ['1: action=DROP,tag=1,packets=2,bytes=3', '2: tag=4', '3: action=PASS'];
    expect(await said('rules', 'a.ndjson', lines.join('\n'))).toEqual(wanted);
    expect(await said('rules', 'a.json', `{"map":"x","entries":[${lines.join(',\n')}]}`)).toEqual(wanted);
    // More than one batch, forms mixed.
    const many = Array.from({ length: 10_000 }, (_, index) =>
      lines[index % 3]?.replace(/"key":"?\d"?/, `"key":${index}`),
    );
    const big = declaredSpec();
    big.setMapSize('rules', 10_000);
    const entries = await readFrom(big, 'rules', written('many.ndjson', many.join('\n')));
    expect(entries.count).toBe(10_000);
    expect(told(big, 'rules', entries).slice(8190, 8196)).toEqual(
      [8190, 8191, 8192, 8193, 8194, 8195].map((index) => wanted[index % 3]?.replace(/^\d/, String(index))),
    );
  });

  it('of per-CPU maps are for every CPU, or for each its own', async () => {
    const cpus = possibleCpus();
    const inline = readInline(spec, 'cpu_settings', { 1: '5' });
    const each = Array.from({ length: cpus }, (_, cpu) => `1,${cpu},5\n`).join('');
    const files: Readonly<Record<string, string>> = {
      'cpu.csv': 'key,value\n1,5\n',
      'each.csv': `key,cpu,value\n${each}`,
      'cpu.ndjson': '{"key":1,"value":5}\n',
      'each.ndjson': `{"key":1,"value":[${Array.from({ length: cpus }, () => 5).join(',')}]}\n`,
      'text.ndjson': '{"key":"1","value":"5"}\n',
    };
    for (const [name, contents] of Object.entries(files))
      expect(await readFrom(spec, 'cpu_settings', written(name, contents)), name).toEqual(inline);
    const rows = Array.from({ length: cpus }, (_, cpu) => `1,${cpu},DROP\n`).join('');
    expect(await said('cpu_rules', 'rules.csv', `key,cpu,value.action\n${rows}`)).toEqual(['1: action=DROP']);
    expect(await said('cpu_rules', 'rules.ndjson', '{"key":1,"value":{"tag":3}}')).toEqual(['1: tag=3']);
  });

  it('of a snapshot are all that it has, and not what the values have got since', async () => {
    const shape = shapeOfMap(spec, 'rules');
    const part = { btf: spec.btf, id: spec.map('rules').valueType };
    if (part.btf === undefined || part.id === undefined) throw new Error('no types');
    const writer = entryWriter('snapshot', shape, {
      snapshot: {
        mapType: 'hash',
        name: 'rules',
        maxEntries: 10,
        mapFlags: 0,
        key: { word: 'u32' },
        value: { btf: part.btf, id: part.id },
      },
    });
    const from = readInline(spec, 'rules', { 1: 'hex:010000000707070705000000000000000600000000000000' });
    const path = written(
      's.nkmap',
      Buffer.concat([writer.head(), writer.batch(from), writer.tail()].map((bytes) => Buffer.from(bytes))),
    );
    const entries = await readFrom(spec, 'rules', path);
    expect(told(spec, 'rules', entries)).toEqual(['1: action=DROP,tag=7,packets=5,bytes=6']);
    expect(Buffer.from(entries.masks[0] ?? []).toString('hex')).toBe(
      `${'ff'.repeat(5)}000000${'ff'.repeat(16)}`,
    );
    const other = await refused(readFrom(spec, 'numbers', path));
    expect(other).toMatchObject({ code: 'conflict' });
    expect(other.message).toContain("do not fit into map 'numbers'");
    writeFileSync(path, Buffer.from(written('t.nkmap', '').slice(0, 3)));
    expect(await refused(readFrom(spec, 'rules', path))).toMatchObject({ code: 'bad-value' });
  });

  it('that are wrong are told with their line', async () => {
    const cases: readonly (readonly [
      map: string,
      name: string,
      contents: string,
      says: RegExp,
      code?: string,
    ])[] = [
      [
        'rules',
        'a.csv',
        'key,value.action\n1,DROP\n2,NO\n',
        /a\.csv: line 3, column 3: value\.action: 'NO' is not in enum action/,
      ],
      [
        'rules',
        'b.csv',
        'key,value.action\n1,DROP\n0x1,PASS\n',
        /b\.csv: line 3: the key 1 stands in line 2 already$/,
      ],
      [
        'blocklist',
        'c.ndjson',
        '{"key":"10.0.0.1/8","value":"DROP"}',
        /c\.ndjson: line 1, column 8: key: 10\.0\.0\.1\/8 has host bits/,
      ],
      [
        'settings',
        'd.csv',
        'key,value.action\n1,DROP\n8,DROP\n',
        /d\.csv: line 3: the entry 8: the map's indices go from 0 to 7$/,
      ],
      [
        'devices',
        'e.csv',
        'key,value.ifindex,value.prog\n1,1,5\n',
        /e\.csv: line 2: the entry 1: a program is told by an id/,
      ],
      [
        'blocklist',
        'f.csv',
        'key,value.action\nhex:2100000001000000,DROP\n',
        /line 2: .*a prefix of 33 bits/,
      ],
      ['rules', 'g.csv', 'key,value.acton\n1,DROP\n', /line 1, column 5: a column 'value\.acton'/],
      ['rules', 'h.csv', '', /the file is empty/],
      ['rules', 'i.txt', '', /does not tell a format$/, 'usage'],
      ['events', 'j.csv', '', /takes no entries/, 'unsupported'],
    ];
    for (const [map, name, contents, says, code = 'bad-value'] of cases) {
      const error = await refused(readFrom(spec, map, written(name, contents)));
      expect(error.message, name).toMatch(says);
      expect(error.code, name).toBe(code);
    }
    const small = declaredSpec();
    small.setMapSize('rules', 2);
    const error = await refused(
      readFrom(small, 'rules', written('k.csv', 'key,value\n1,DROP\n2,DROP\n3,DROP\n')),
    );
    expect(error).toMatchObject({ code: 'conflict', details: { line: 4 } });
    expect(error.message).toMatch(/k\.csv: line 4: map 'rules' holds 2 entries, and there are more$/);
  });

  it('come from regular files only, and reading them can be interrupted', async () => {
    mkdirSync(join(folder, 'x.csv'));
    expect(await refused(readFrom(spec, 'rules', join(folder, 'x.csv')))).toMatchObject({ code: 'usage' });
    execFileSync('mkfifo', [join(folder, 'p.csv')]);
    expect(await refused(readFrom(spec, 'rules', join(folder, 'p.csv')))).toMatchObject({ code: 'usage' });
    expect(await refused(readFrom(spec, 'rules', join(folder, 'none.csv')))).toMatchObject({
      code: 'not-found',
    });
    const signal = AbortSignal.abort();
    const path = written('l.csv', 'key,value\n1,DROP\n');
    expect(await refused(readFrom(spec, 'rules', path, { signal }))).toMatchObject({ code: 'interrupted' });
  });

  it('are the same set as in a manifest', async () => {
    const file: DeclaredEntries = await readFrom(
      spec,
      'blocklist',
      written('m.csv', 'key,value.action\n10.0.0.0/8,DROP\n'),
    );
    expect(file).toEqual(readInline(spec, 'blocklist', { '10.0.0.0/8': { action: 'DROP' } }));
  });
});
