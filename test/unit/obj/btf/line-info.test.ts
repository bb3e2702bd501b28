import { describe, expect, it } from 'vitest';
import { readLineInfo } from '../../../../src/obj/btf/line-info.js';
import { BtfBuilder } from '../../../support/btf-builder.js';
import { btfExt } from '../../../support/btf-ext.js';

const badObject = expect.objectContaining({ name: 'NetkitError', code: 'bad-object' });

function example(littleEndian = true, recordSize = 16): { ext: Uint8Array; btf: Uint8Array } {
  const btf = new BtfBuilder({ littleEndian });
  const text = (value: string): number => btf.string(value);
  const place = (line: number, column: number): number => (line << 10) | column;
  const ext = btfExt({
    littleEndian,
    functions: [{ section: text('xdp'), records: [[0, 3]] }],
    lines: [
      {
        section: text('xdp'),
        records: [
          [0, text('/src/a.c'), text('int xdp(struct xdp_md *ctx)'), place(7, 0)],
          [24, text('/src/a.h'), text('\treturn XDP_PASS;'), place(4_000_000, 1023)],
        ],
      },
      { section: text('.text'), records: [[8, text('/src/a.c'), text(''), place(0, 0)]] },
    ],
    lineRecordSize: recordSize,
  });
  return { ext, btf: btf.bytes() };
}

describe('readLineInfo', () => {
  it.each([
    ['little', true],
    ['big', false],
  ])('reads lines by section from %s-endian objects', (_, littleEndian) => {
    const { ext, btf } = example(littleEndian);
    expect(readLineInfo(ext, btf)).toEqual(
      new Map([
        [
          'xdp',
          [
            { instruction: 0, file: '/src/a.c', line: 7, column: 0, source: 'int xdp(struct xdp_md *ctx)' },
            { instruction: 3, file: '/src/a.h', line: 4_000_000, column: 1023, source: '\treturn XDP_PASS;' },
          ],
        ],
        ['.text', [{ instruction: 1, file: '/src/a.c', line: 0, column: 0, source: '' }]],
      ]),
    );
  });

  it('skips what a later version adds to each record', () => {
    const { ext, btf } = example(true, 24);
    expect(readLineInfo(ext, btf)).toEqual(readLineInfo(example().ext, example().btf));
  });

  it('finds nothing where there is nothing', () => {
    expect(readLineInfo(btfExt({}), example().btf)).toEqual(new Map());
  });

  it.each<[string, Uint8Array]>([
    ['an empty section', new Uint8Array(0)],
    ['a section that is cut off', example().ext.subarray(0, -4)],
    ['records that are too small', btfExt({ lines: [{ section: 0, records: [] }], lineRecordSize: 12 })],
    [
      'records of an odd size',
      btfExt({ lines: [{ section: 0, records: [[0, 0, 0, 0]] }], lineRecordSize: 18 }),
    ],
    ['a section without records', btfExt({ lines: [{ section: 0, records: [] }] })],
    [
      'more records than bytes',
      btfExt({ lines: [{ section: 0, records: [[0, 0, 0, 0]], count: 2 ** 32 - 1 }] }),
    ],
    ['an offset within an instruction', btfExt({ lines: [{ section: 0, records: [[4, 0, 0, 0]] }] })],
    ['a file name that does not exist', btfExt({ lines: [{ section: 0, records: [[0, 9999, 0, 0]] }] })],
    ['a section name that does not exist', btfExt({ lines: [{ section: 9999, records: [[0, 0, 0, 0]] }] })],
  ])('refuses %s', (_, ext) => {
    expect(() => readLineInfo(ext, example().btf)).toThrow(badObject);
  });
});
