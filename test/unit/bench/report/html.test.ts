import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { htmlReport } from '../../../../src/bench/report/html/report.js';
import { readBenchDocument } from '../../../../src/bench/report/read.js';
import { hostile, hostileDocument, type SampleName, sample } from './sample.js';

const names: readonly SampleName[] = ['drop', 'rules', 'latency'];

/** Text of the page with all that scripts and styles hold left out. */
function visible(html: string): string {
  return html
    .replace(/<(script|style)\b[^>]*>[\s\S]*?<\/\1>/g, '')
    .replace(/<[^>]*>/g, ' ')
    .replaceAll('&#39;', "'")
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
    .replace(/\s+/g, ' ');
}

/** What no report should say, outside of its script and its data. */
function odd(html: string): string | undefined {
  const rest = html.replace(/(<(script|style)\b[^>]*>)[\s\S]*?(<\/\2>)|href="data:[^"]*"/g, '');
  return /NaN|Infinity|undefined|null|\[object/.exec(rest)?.[0];
}

/** Names of elements that are opened and not closed, or the other way round. */
function unbalanced(html: string): string[] {
  const empty = new Set(['meta', 'link', '!doctype', 'br']);
  const open: string[] = [];
  const wrong: string[] = [];
  const bare = html.replace(/(<(script|style)\b[^>]*>)[\s\S]*?(<\/\2>)/g, '$1$3');
  for (const [whole, slash, name = '', , closed] of bare.matchAll(
    /<(\/?)([\w!-]+)((?:\s[^\s"=>]+(?:="[^"]*")?)*)\s*(\/?)>/g,
  )) {
    if (slash === '/') {
      if (open.pop() !== name) wrong.push(whole);
    } else if (closed !== '/' && !empty.has(name.toLowerCase())) open.push(name);
  }
  return [...wrong, ...open];
}

describe('a report in HTML', () => {
  const pages = new Map<SampleName, string>();
  const page = (name: SampleName): string => pages.get(name) ?? '';

  beforeAll(async () => {
    for (const name of names) pages.set(name, await htmlReport(sample(name)));
  });

  it.each(names)(
    'of %s is whole: every element is closed, no id stands twice, no link leads outside',
    (name) => {
      const html = page(name);
      expect(unbalanced(html)).toEqual([]);
      const ids = [...html.matchAll(/<\w+[^>]*\sid="([^"]*)"/g)].map(([, id]) => id);
      expect(new Set(ids).size).toBe(ids.length);
      const targets = [...html.matchAll(/\s(?:href|src|action)="([^"]*)"/g)].map(([, target = '']) => target);
      expect(targets.filter((target) => !/^(#|data:)/.test(target))).toEqual([]);
      for (const target of targets.filter((each) => each.startsWith('#')))
        expect(ids).toContain(target.slice(1));
      expect(/https?:\/\/|@import|url\(/.exec(html)?.[0]).toBeUndefined();
      expect(odd(html)).toBeUndefined();
    },
  );

  it.each(names)('of %s has the document inside, and in a link that saves it', (name) => {
    const html = page(name);
    expect(readBenchDocument(html, 'x.html')).toEqual(sample(name));
    const link = /download="netkit-bench-\w+\.json" href="data:application\/json;base64,([^"]*)"/.exec(
      html,
    )?.[1];
    expect(JSON.parse(Buffer.from(link ?? '', 'base64').toString())).toEqual(sample(name));
  });

  it.each(names)('of %s is the same byte for byte when it is made again, from itself too', async (name) => {
    const html = page(name);
    expect(await htmlReport(readBenchDocument(html, 'x.html'))).toBe(html);
  });

  it('lets no script run but its own', () => {
    const scripts = [...page('drop').matchAll(/<script>([\s\S]*?)<\/script>/g)].map(([, text = '']) => text);
    expect(scripts).toHaveLength(1);
    const hash = createHash('sha256')
      .update(scripts[0] ?? '')
      .digest('base64');
    expect(page('drop')).toContain(`script-src 'sha256-${hash}'`);
    expect(page('drop')).toContain("default-src 'none'");
    expect(/<[^>]*\son\w+=/.exec(page('drop'))?.[0]).toBeUndefined();
  });

  it('says first in words what came of it, and what has no result and why', () => {
    const text = visible(page('drop'));
    const at = (part: string): number => {
      const found = text.indexOf(part);
      expect(found, part).toBeGreaterThan(0);
      return found;
    };
    const order = [
      at('XDP, native does best'),
      at('1 variant without a result'),
      at('XDP, generic : generator: it sent 2.79 M packets/s'),
      at('Packets dropped (M packets/s)'),
      at('Compared with tc (clsact, direct action)'),
      at('How steady it was'),
      at('What the CPU spent its time on (%)'),
      at('All numbers'),
      at('What did not hold'),
      at('What the generators can do'),
      at('What the figures do not say'),
      at('Kernel settings'),
      at('To measure it again'),
    ];
    expect(order).toEqual([...order].sort((one, other) => one - other));
  });

  it('shows an invalid variant with its reason, and none of its figures as a result', () => {
    const row =
      /<tr class="invalid"><th scope="row">XDP, generic[\s\S]*?<\/tr>/.exec(page('drop'))?.[0] ?? '';
    expect(visible(row)).toMatch(/no result: generator: it sent 2\.79 M packets\/s/);
    expect(visible(row)).toMatch(/invalid – – $/);
    const pictures = [...page('drop').matchAll(/aria-label="([^"]*)"/g)].map(([, label]) => label);
    const ladder = pictures.filter((label) => label?.startsWith('Packets dropped: '));
    expect(ladder).toHaveLength(2);
    for (const label of ladder) expect(label).toMatch(/XDP, generic: invalid, generator: it sent/);
  });

  it.each([
    [
      'drop',
      [
        'Packets dropped (M packets/s)',
        'Ratio of packets dropped to the reference (×), logarithmic',
        'Time since the benchmark began (s)',
        'Share of the time (%)',
      ],
    ],
    [
      'rules',
      [
        'Packets dropped (M packets/s), logarithmic',
        'Rules or set members, logarithmic',
        'Time to set up (ms), logarithmic',
      ],
    ],
    ['latency', ['Round trip (µs), logarithmic', 'Load (%)', 'Share of all values (%)']],
  ] as const)('of %s names each axis with its unit, as text in the picture', (name, titles) => {
    const texts = [...page(name).matchAll(/<text\b[^>]*>(?:<title>[^<]*<\/title>)?([^<]*)<\/text>/g)].map(
      ([, text]) => text,
    );
    for (const title of titles) expect(texts, title).toContain(title);
  });

  it.each(names)(
    'of %s has each picture for a page and for a telephone, in colours of the page alone',
    (name) => {
      const html = page(name);
      const count = (kind: string) => html.split(`<div class="picture ${kind}" role="img"`).length - 1;
      expect(count('wide')).toBeGreaterThan(2);
      expect(count('narrow')).toBe(count('wide'));
      const svgs = [...html.matchAll(/<svg viewBox[\s\S]*?<\/svg>/g)].map(([svg]) => svg).join('');
      const paints = new Set(
        [...svgs.matchAll(/\s(?:fill|stroke)="([^"]*)"/g)].map(([, paint = '']) => paint),
      );
      expect([...paints].filter((paint) => !/^(none|var\(--[\w-]+\))$/.test(paint))).toEqual([]);
      const declared = new Set([...html.matchAll(/--([\w-]+):/g)].map(([, variable]) => variable));
      for (const [, variable] of html.matchAll(/var\(--([\w-]+)\)/g)) expect(declared).toContain(variable);
      expect(/ecmeta|class=|\sid=|<style|clip-path|pointer-events/.exec(svgs)?.[0]).toBeUndefined();
    },
  );

  it.each(names)(
    'of %s escapes whatever is named, in text, attributes, pictures and the document',
    async (name) => {
      const document = hostileDocument(name);
      const html = await htmlReport(document);
      expect(unbalanced(html)).toEqual([]);
      expect(html.match(/<script\b/g)).toHaveLength(2);
      expect(html.match(/<\/script>/g)).toHaveLength(2);
      const bare = html.replace(/="[^"]*"/g, '');
      expect(/<b>|<[^>]*\son\w/.exec(bare.replace(/<b>[^<]*<\/b>|<b class>/g, ''))?.[0]).toBeUndefined();
      expect(
        /(?![\n\t])[\p{Cc}\u202a-\u202e]/u.exec(html.replace(/<script[\s\S]*?<\/script>/g, ''))?.[0],
      ).toBeUndefined();
      expect(readBenchDocument(html, 'x.html').title).toBe(hostile);
      expect(visible(html).includes('"></script></style><script>alert(1)</script>')).toBe(true);
    },
  );

  it('of what ended before anything was measured says so', async () => {
    const document = sample('drop');
    const groups = document.groups.map((group) => ({
      ...group,
      variants: group.variants.map((variant) => ({ ...variant, samples: [], checks: [] })),
    }));
    const html = await htmlReport({
      ...{ ...document, groups, noise: [], results: [], ended: 'interrupted' },
      summary: ['Interrupted: nothing was measured.'],
    });
    expect(unbalanced(html)).toEqual([]);
    expect(visible(html)).toContain('Interrupted: this is what was measured until then.');
    expect(visible(html)).toContain('not enough data');
    expect(odd(html)).toBeUndefined();
  });

  it('of many samples draws some of them, says so, and leaves the table of all to the document', async () => {
    const document = structuredClone(sample('drop'));
    for (const variant of document.groups[0]?.variants ?? []) {
      const [first] = variant.samples;
      if (first === undefined) continue;
      for (let block = variant.samples.length; block < 900; block++)
        variant.samples.push({ ...first, block, at: block * 2.4, values: { ...first.values } });
    }
    const html = await htmlReport(document);
    expect(visible(html)).toMatch(/of up to 900 samples each, 80 are drawn/);
    expect(visible(html)).toMatch(/all 9,900 samples are in the document, which is inside this file/);
    const pictures = [...html.matchAll(/<svg viewBox[\s\S]*?<\/svg>/g)].map(([svg]) => svg.length);
    expect(Math.max(...pictures)).toBeLessThan(800_000);
  });
});
