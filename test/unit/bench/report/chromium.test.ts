import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { htmlReport } from '../../../../src/bench/report/html/report.js';
import { Chromium, findChromium, type PageOptions } from '../../../support/chromium.js';
import { hostileDocument, sample } from './sample.js';

const program = findChromium();
const reason = program === undefined ? ' [needs chromium]' : '';
if (program === undefined) process.stderr.write('skipped: a report in Chromium: needs chromium\n');

/** Screenshots are left where NETKIT_SCREENSHOTS says, for who wants to look at them. */
const shots = process.env.NETKIT_SCREENSHOTS;

describe.runIf(program !== undefined)(`a report in Chromium, from a file, without a network${reason}`, () => {
  let folder: string;
  let chromium: Chromium;
  const names = ['drop', 'rules', 'latency', 'hostile'] as const;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'netkit-report-'));
    for (const name of names) {
      const html = await htmlReport(name === 'hostile' ? hostileDocument('drop') : sample(name));
      writeFileSync(join(folder, `${name}.html`), html);
    }
    chromium = await Chromium.start(program ?? '');
  }, 60_000);
  afterAll(async () => {
    await chromium?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const open = (name: (typeof names)[number], options: PageOptions) =>
    chromium.open(join(folder, `${name}.html`), options);

  const views = {
    light: { width: 1000, scheme: 'light' },
    dark: { width: 1000, scheme: 'dark' },
    phone: { width: 390, scheme: 'light' },
    small: { width: 320, scheme: 'dark' },
    bare: { width: 1000, scripts: false },
  } as const satisfies Record<string, PageOptions>;

  it.each(names.flatMap((name) => Object.keys(views).map((view) => [name, view] as const)))(
    '%s, %s: no script fails, nothing is asked of the network, and nothing is wider than the page',
    async (name, view) => {
      const options = Object.entries(views).find(([each]) => each === view)?.[1];
      if (options === undefined) throw new Error(view);
      await open(name, options);
      expect(chromium.problems()).toEqual([]);
      expect(chromium.requests().filter((url) => !/^(file|data):/.test(url))).toEqual([]);
      if (view !== 'bare') {
        expect(await chromium.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
        expect(await chromium.evaluate('document.querySelector("button.theme").hidden')).toBe(false);
      }
      if (shots !== undefined) {
        mkdirSync(shots, { recursive: true });
        writeFileSync(join(shots, `${name}-${view}.png`), await chromium.screenshot());
      }
    },
  );

  it('is light or dark as the reader has it, until the switch says otherwise, and remembers that', async () => {
    const ground = 'getComputedStyle(document.body).backgroundColor';
    const dark = 'rgb(18, 21, 26)';
    const light = 'rgb(246, 247, 249)';
    await open('drop', { width: 1000, scheme: 'dark' });
    expect(await chromium.evaluate(ground)).toBe(dark);
    await open('drop', { width: 1000, scheme: 'light' });
    expect(await chromium.evaluate(ground)).toBe(light);
    await chromium.evaluate('document.querySelector("button.theme").click()');
    expect(await chromium.evaluate(ground)).toBe(dark);
    await open('drop', { width: 1000, scheme: 'light' });
    expect(await chromium.evaluate(ground)).toBe(dark);
    await chromium.evaluate('document.querySelector("button.theme").click()');
    expect(await chromium.evaluate(ground)).toBe(light);
    await chromium.evaluate('localStorage.clear()');
    // On paper it is light for everybody.
    await open('drop', { width: 1000, scheme: 'dark', media: 'print' });
    expect(await chromium.evaluate(ground)).toBe('rgb(255, 255, 255)');
  });

  it('has one of its two pictures on a page and the other on a telephone, each with letters that can be read', async () => {
    const letters = `[...document.querySelectorAll('.picture svg text')].filter((text) => text.getClientRects().length > 0)
      .map((text) => text.getBoundingClientRect().height).reduce((least, height) => Math.min(least, height), 99)`;
    for (const [width, shown, hidden] of [
      [1000, 'wide', 'narrow'],
      [390, 'narrow', 'wide'],
    ] as const) {
      await open('latency', { width });
      expect(await chromium.evaluate(`document.querySelector('.${shown}').clientHeight`)).toBeGreaterThan(
        100,
      );
      expect(await chromium.evaluate(`document.querySelector('.${hidden}').clientHeight`)).toBe(0);
      expect(await chromium.evaluate(letters)).toBeGreaterThan(10);
    }
  });

  it('has pictures whose text can be selected', async () => {
    await open('drop', { width: 1000 });
    const text = await chromium.evaluate(`(() => {
      const label = [...document.querySelectorAll('.wide text')].find((each) => each.textContent.includes('Packets dropped'));
      getSelection().selectAllChildren(label);
      return getSelection().toString();
    })()`);
    expect(text).toBe('Packets dropped (M packets/s)');
  });

  it('has pictures in which no label lies on another', async () => {
    for (const name of ['drop', 'rules', 'latency'] as const) {
      for (const width of [1000, 390]) {
        await open(name, { width });
        const clashes =
          await chromium.evaluate(`[...document.querySelectorAll('.picture svg')].flatMap((svg) => {
          const boxes = [...svg.querySelectorAll('text')].map((text) => [text.textContent, text.getBoundingClientRect()])
            .filter(([, box]) => box.width > 0);
          return boxes.flatMap(([one, a], index) => boxes.slice(index + 1)
            .filter(([, b]) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4)
            .map(([other]) => one + ' / ' + other));
        })`);
        expect(clashes, `${name} ${width}`).toEqual([]);
      }
    }
  });

  it('gives its document to who follows the link', async () => {
    await open('drop', { width: 1000 });
    const text = await chromium.evaluate(
      `atob(document.querySelector('a[download]').href.split(',')[1]).length`,
    );
    expect(text).toBeGreaterThan(10_000);
    expect(
      await chromium.evaluate(`JSON.parse(document.getElementById('document').textContent).scenario`),
    ).toBe('drop');
  });

  it('fits on paper', async () => {
    await open('drop', { width: 1000 });
    const pdf = await chromium.pdf();
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    if (shots !== undefined) writeFileSync(join(shots, 'drop.pdf'), pdf);
  });
});
