import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ProgramTests } from '../../../src/cli/program-tests.js';
import { writePcap } from '../../../src/obj/pcap.js';

const folder = mkdtempSync(join(tmpdir(), 'netkit-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

function read(text: string): ProgramTests {
  const path = join(folder, 'tests');
  writeFileSync(path, text);
  return ProgramTests.read(path);
}

const packet = 'ff ff ff ff ff ff 02:00:00:00:00:01 0800';
const xdp = { name: 'fw', type: 'xdp' };

describe('files of tests for programs', () => {
  it('are arrays, or have one test a line, with packets in hexadecimal', () => {
    const test = { packet, verdict: 'pass' };
    expect(read(JSON.stringify([test, test])).count).toBe(2);
    expect(read(`\n${JSON.stringify(test)}\n\n${JSON.stringify(test)}`).count).toBe(2);
    expect(read(JSON.stringify([{ packet: ['ff'.repeat(12), '0800', '45'], verdict: 2 }])).count).toBe(1);
  });

  it('take the packets of a capture that lies beside them', () => {
    const bytes = new Uint8Array(60);
    writeFileSync(
      join(folder, 'three.pcap'),
      writePcap(Array.from({ length: 3 }, () => ({ bytes, timestampNs: 0n }))),
    );
    expect(read('{"pcap": "three.pcap", "verdict": "drop"}').count).toBe(3);
  });

  it.each([
    ['', /has no tests/],
    ['[]', /has no tests/],
    ['[1]', /test 1: no test/],
    ['{"packet": "00"}', /line 1: no test at 'verdict'/],
    ['{"packet": "00", "verdict": "pass", "more": 1}', /line 1: no test/],
    ['{"verdict": "pass"}', /line 1: a test has either "packet" or "pcap"/],
    [`{"packet": "${packet}", "pcap": "x", "verdict": 1}`, /either "packet" or "pcap"/],
    [
      '{"packet": "00", "verdict": "pass", "name": "short"}',
      /line 1 \(short\): "packet": 1 bytes are too short/,
    ],
    ['{"packet": "0", "verdict": "pass"}', /odd number of digits/],
    ['{"pcap": "three.pcap", "verdict": "pass", "output": "00"}', /"output"/],
    ['not json', /line 1: /],
  ])('are refused where they say nothing that makes sense: %s', (text, message) => {
    expect(() => read(text)).toThrow(message);
  });

  it('are refused where they do not fit the programs', () => {
    const test = (more: object): ProgramTests => read(JSON.stringify({ packet, verdict: 'pass', ...more }));
    test({}).check([xdp, { name: 'traced', type: 'tracepoint' }]);
    expect(() => test({}).check([xdp, { ...xdp, name: 'other' }])).toThrow(/which program is meant/);
    expect(() => test({}).check([])).toThrow(/which program is meant/);
    expect(() => test({ program: 'fww' }).check([xdp])).toThrow(/no program 'fww'/);
    expect(() => test({ program: 't' }).check([{ name: 't', type: 'kprobe' }])).toThrow(/runs on no packets/);
    expect(() => test({ verdict: 'shot' }).check([xdp])).toThrow(/'shot' is no verdict of 'fw' \(xdp\)/);
    test({ verdict: 'shot' }).check([{ name: 'fw', type: 'sched_cls' }]);
    test({ verdict: 77 }).check([xdp]);
  });
});
