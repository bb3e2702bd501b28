import { describe, expect, it } from 'vitest';
import { codecOfType, refusal } from './support.js';

describe('types that hold no value', () => {
  it('are refused with the reason', () => {
    expect(
      refusal(() =>
        codecOfType((btf, c) =>
          btf.struct('tail', 4, [
            { name: 'n', type: c.u32, offset: 0 },
            { name: 'data', type: btf.array(c.u8, 0), offset: 4 },
          ]),
        ),
      ),
    ).toBe(
      'struct tail ends in a flexible array (data), which has no size of its own | give its bytes as hex:…',
    );
    expect(refusal(() => codecOfType(() => 0))).toMatch('is not a type with values');
    expect(refusal(() => codecOfType((btf) => btf.fwd('gone')))).toMatch('is not a type with values');
  });

  it('or would never end compiling are refused in time', () => {
    const doubling = (named: boolean) =>
      codecOfType((btf) => {
        let type = btf.struct('leaf', 0, []);
        for (let level = 0; level < 40; level++) {
          const members = named
            ? [
                { name: 'a', type, offset: 0 },
                { name: 'b', type, offset: 0 },
              ]
            : [
                { type, offset: 0 },
                { type, offset: 0 },
              ];
          type = btf.struct(named ? `s${level}` : '', 0, members);
        }
        return type;
      });
    expect(refusal(() => doubling(true), 'bad-object')).toMatch('too many members');
    expect(refusal(() => doubling(false), 'bad-object')).toMatch('too many members');
    const deep = (levels: number) =>
      codecOfType((btf, c) => {
        let type = c.u32;
        for (let level = 0; level < levels; level++)
          type = btf.struct(`s${level}`, 4, [{ name: 'in', type, offset: 0 }]);
        return type;
      });
    expect(deep(30).size).toBe(4);
    expect(refusal(() => deep(200), 'bad-object')).toMatch('nested too deeply');
    expect(refusal(() => codecOfType((btf, c) => btf.array(c.u64, 0x7fffffff)), 'bad-object')).toMatch(
      'bytes',
    );
    expect(
      refusal(
        () => codecOfType((btf, c) => btf.struct('s', 4, [{ name: 'x', type: c.u64, offset: 0 }])),
        'bad-object',
      ),
    ).toMatch('does not fit');
  });
});
