import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { NetkitError } from '../../../../src/base/errors.js';
import { htmlReport } from '../../../../src/bench/report/html/report.js';
import { readBenchDocument } from '../../../../src/bench/report/read.js';
import { sample, samplePath } from './sample.js';

const text = readFileSync(samplePath('drop'), 'utf8');

/** What is said of a text that is no document. */
function said(of: string): string {
  try {
    readBenchDocument(of, 'x.json');
  } catch (error) {
    if (!(error instanceof NetkitError)) throw error;
    expect(error.code).toBe('failed');
    expect(error.message).toMatch(/^'x\.json' is no document of a benchmark that can be read: [^\n]*$/);
    return error.message.slice(error.message.indexOf(': ') + 2);
  }
  throw new Error('it was read');
}

describe('a document that is read', () => {
  it('may have a byte order mark and line ends, and keeps the order of its members', () => {
    const found = readBenchDocument(`\ufeff${JSON.stringify(JSON.parse(text), null, 2)}\n`, 'x.json');
    expect(JSON.stringify(found)).toBe(text.trim());
  });

  it.each([
    ['', 'it is empty'],
    [' \n', 'it is empty'],
    ['{', 'it is cut off: it ends in line 1, column 1'],
    ['{"a": 1', 'it is cut off: it ends in line 1, column 7'],
    ['{"a":\n "xx', 'it is cut off: it ends in line 2, column 4'],
    ['{"a":\n [1, 2,]}', 'line 2, column 8: expected a value, found "]"'],
    ['hello', 'line 1, column 1: expected a value, found "h"'],
    ['{"a": 1}', 'it is JSON, but no document of a benchmark: there is no schemaVersion'],
    ['[]', 'it is JSON, but no document of a benchmark: there is no schemaVersion'],
    ['{"schemaVersion": 2, "x": 1}', 'at schemaVersion: it is 2, and this netkit reads version 1'],
    [
      '<!doctype html><title>x</title>',
      'it is HTML, but no report of netkit bench, or cut off before its data',
    ],
  ])('and is %j is refused with the place', (broken, message) => {
    expect(said(broken)).toBe(message);
  });

  it('and is cut off anywhere is refused, and nearly always called cut off', () => {
    let told = 0;
    const steps = 40;
    for (let step = 0; step < steps; step++) {
      const message = said(text.slice(0, 1 + Math.floor((step * (text.length - 3)) / steps)));
      if (/^it is cut off: it ends in line 1, column \d+$/.test(message)) told += 1;
    }
    expect(told).toBeGreaterThan(steps * 0.8);
  });

  it('and has something wrong in it is refused with the path to it', () => {
    const document = JSON.parse(text);
    document.groups[0].variants[2].samples[7].at = '12';
    document.further = 1;
    const message = said(JSON.stringify(document));
    expect(message).toMatch(/at groups\[0\]\.variants\[2\]\.samples\[7\]\.at: .*number/);
    expect(message).toMatch(/further/);
    const { further: _, ...mended } = document;
    mended.groups[0].variants[2].samples[7].at = 12;
    expect(readBenchDocument(JSON.stringify(mended), 'x.json').scenario).toBe('drop');
  });

  it('and is a report in HTML that was cut off is refused with the line', async () => {
    const html = await htmlReport(sample('drop'));
    expect(said(html.slice(0, 2000))).toBe(
      'it is HTML, but no report of netkit bench, or cut off before its data',
    );
    const inside = html.indexOf('<script type="application/json"') + 5000;
    const lines = html.slice(0, inside).split('\n').length;
    expect(said(html.slice(0, inside))).toBe(`it is cut off in line ${lines}, inside its data`);
  });
});
