import { describe, expect, it } from 'vitest';
import { csvReport } from '../../../../src/bench/report/csv.js';
import { markdownReport, plain } from '../../../../src/bench/report/markdown.js';
import { bar, terminalView } from '../../../../src/bench/report/terminal.js';
import { renderReport, reportFormat } from '../../../../src/bench/report/write.js';
import { fillBenchPage } from '../../../../src/cli/bench-page.js';
import { Page, plainText } from '../../../../src/cli/page.js';
import { hostile, hostileDocument, sample } from './sample.js';

/** The fields of each line, as RFC 4180 has them. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  for (let at = 0, row: string[] = []; at < text.length; ) {
    const found = /^(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/.exec(text.slice(at));
    if (found === null) throw new Error(`no field at ${at}: ${text.slice(at, at + 40)}`);
    row.push(found[1]?.replaceAll('""', '"') ?? found[2] ?? '');
    at += found[0].length;
    if (found[3] !== ',') {
      rows.push(row);
      row = [];
    }
  }
  return rows;
}

describe('the samples in CSV', () => {
  it('stand in a line each, with the unit of each metric in the head', () => {
    const document = sample('drop');
    const [head = [], ...rows] = parseCsv(csvReport(document));
    expect(head).toEqual([
      ...[
        'scenario',
        'group',
        'variant',
        'role',
        'series',
        'x',
        'block',
        'at [s]',
        'seconds [s]',
        'counts',
        'why not',
      ],
      ...['rate [packets/s]', 'cpu.softirq [share]', 'cpu.system [share]', 'cpu.user [share]'],
    ]);
    expect(rows).toHaveLength(11 * 24);
    expect(new Set(rows.map((row) => row.length))).toEqual(new Set([head.length]));
    const tcx = rows.filter((row) => row[2] === 'tcx').map((row) => Number(row[11]));
    const samples = document.groups[0]?.variants.find(({ name }) => name === 'tcx')?.samples;
    expect(tcx).toEqual(samples?.map(({ values }) => values.rate));
  });

  it('say which do not count, and why', () => {
    const rows = parseCsv(csvReport(sample('drop')));
    const of = (variant: string) => rows.filter((row) => row[2] === variant);
    expect(new Set(of('native').map((row) => row[9]))).toEqual(new Set(['yes']));
    expect(new Set(of('generic').map((row) => row[9]))).toEqual(new Set(['no']));
    expect(
      of('nft')
        .filter((row) => row[9] === 'no')
        .map((row) => [row[6], row[10]]),
    ).toEqual([['3', 'queue: the queue of sink ran over']]);
  });

  it('of names with quotes, commas, line ends or formulas stay in their fields', () => {
    const document = hostileDocument('rules');
    const variant = document.groups[0]?.variants[2];
    if (variant === undefined) throw new Error('no variant');
    variant.name = '=1+2,"x"\r\ny';
    const rows = parseCsv(csvReport(document));
    expect(new Set(rows.map((row) => row.length)).size).toBe(1);
    expect(rows.map((row) => row[2])).toContain(`'=1+2,"x"\r\ny`);
    expect(rows.some((row) => row[0] === hostile)).toBe(true);
  });
});

describe('the report in Markdown', () => {
  it('has the summary, a table for each metric, what has no result, and how it was measured', () => {
    const text = markdownReport(sample('drop'));
    expect(text).toMatch(/^## How many packets a second can be dropped, and where\?\n\n\* Dropping a flood/);
    expect(text).toContain(
      '| Packets dropped | median (M packets/s) | 95 % interval | to the reference | 99 % interval | verdict |',
    );
    expect(text).toMatch(
      /\| XDP, native \| 5\.3\d \| \[5\.\d\d, 5\.\d\d\] \| 2\.0\d × \| \[.*?\] \| faster \| `█{12}` \|/,
    );
    expect(text).toMatch(/\| XDP, generic \| – \| – \| – \| – \| \*\*invalid\*\* \| {2}\|/);
    expect(text).toContain('**No result** for XDP, generic (generator: it sent 2.79 M packets/s');
    expect(text).toMatch(/```sh\nnetkit bench drop --quick --seed 6 --report drop\.html\n```\n$/);
    expect(markdownReport(sample('rules'))).toMatch(/\| iptables rules, 10,000 \| 10,000 \| 0\.0133 \|/);
  });

  it('keeps each row in its cells, and lets nothing that is named be markup, HTML, a link or a mention', () => {
    const text = markdownReport(hostileDocument('drop'));
    const tables = text.split('\n\n').filter((part) => part.startsWith('|'));
    for (const table of tables) {
      const widths = new Set(table.split('\n').map((line) => line.split('|').length));
      expect(widths.size, table.slice(0, 200)).toBe(1);
    }
    const outside = text.replace(/(`{3,})sh\n[\s\S]*?\n\1/g, '').replace(/<\/?sub>/g, '');
    expect(/<|@|[^\\]\]\(|(?!\n)\p{Cc}|\u202e/u.exec(outside)?.[0]).toBeUndefined();
    // The command stays whole in its block.
    expect(/(`{4,})sh\n([\s\S]*?)\n\1\n$/.exec(text)?.[2]).toBe(hostile);
  });

  it.each([
    ['a*b_c', 'a\\*b\\_c'],
    ['<b> & @you', '&lt;b&gt; &amp; &#64;you'],
    ['a|b\nc', 'a&#124;b c'],
    ['&lt;', '&amp;lt;'],
    ['https://a.b', 'https:&#47;&#47;a.b'],
  ])('says %j so that it is shown as it is', (text, written) => {
    expect(plain(text)).toBe(written);
  });
});

describe('the terminal view', () => {
  const shown = (bars: 'blocks' | 'ascii', columns = 120): string => {
    const page = new Page();
    fillBenchPage(page, sample('drop'), { bars, columns });
    return plainText(page.blocks);
  };

  it('has bars as long as the medians, in blocks of eighths or in plain signs', () => {
    expect([0, 0.001, 0.5, 0.53, 1, 2].map((share) => bar(share, 4, 'blocks'))).toEqual([
      '',
      '▏',
      '██',
      '██▏',
      '████',
      '████',
    ]);
    expect([0, 0.001, 0.5, 1].map((share) => bar(share, 4, 'ascii'))).toEqual(['', '#', '##', '####']);
    expect(shown('ascii')).toMatch(/XDP, native +#{28} +5\.31 +\[5\.2\d, 5\.35\] +2\.08 × +faster/);
    expect(shown('blocks')).toMatch(/XDP, native +█{28} +5\.31/);
    expect(shown('ascii')).not.toMatch(/[█▏]/);
  });

  it('has a row for what is invalid, without a figure, and says why below', () => {
    expect(shown('ascii')).toMatch(/XDP, generic +- +- +- +invalid\n/);
    expect(shown('ascii')).toMatch(/XDP, generic is invalid: generator: it sent 2\.79 M packets\/s/);
  });

  it('has the parts of the CPU time in one table', () => {
    expect(shown('ascii')).toMatch(/CPU TIME +softirq % +system % +user %\n/);
    expect(terminalView(sample('drop'), 'ascii').groups[0]?.tables).toHaveLength(2);
  });

  it('gives a terminal nothing to steer it with', () => {
    const page = new Page();
    fillBenchPage(page, hostileDocument('latency'), { bars: 'blocks', columns: 100 });
    expect(plainText(page.blocks)).not.toMatch(/(?!\n)[\p{Cc}\u202a-\u202e]/u);
  });
});

describe('the format of a report', () => {
  it.each([
    ['a.html', 'html'],
    ['B.HTM', 'html'],
    ['c/d.json', 'json'],
    ['e.csv', 'csv'],
    ['f.md', 'markdown'],
  ])('of %s is told by the ending', (path, format) => {
    expect(reportFormat(path)).toBe(format);
  });

  it.each(['report', 'x.pdf', '.html'])('of %s is not known', (path) => {
    expect(() => reportFormat(path)).toThrow(/its ending does not tell what to write/);
  });

  it('in JSON is one line, which gives the same document', async () => {
    const text = await renderReport(sample('rules'), 'json');
    expect(text.indexOf('\n')).toBe(text.length - 1);
    expect(JSON.parse(text)).toEqual(sample('rules'));
  });
});
