import { describe, expect, it } from 'vitest';
import { cHeader } from '../../../../src/obj/btf/c-header.js';
import { readBtf } from '../../../../src/obj/btf/read.js';
import { BtfBuilder } from '../../../support/btf-builder.js';

/** The declarations in a header, without its frame. */
function declarations(build: (btf: BtfBuilder, int: number, char: number) => void): string {
  const btf = new BtfBuilder();
  build(btf, btf.int('int', 4, { signed: true }), btf.int('char', 1, { signed: true }));
  const header = cHeader(readBtf(btf.bytes()), { preserveAccessIndex: false });
  return header.replace(/^#ifndef .*\n#define .*\n\n/, '').replace(/\n#endif .*\n$/, '');
}

describe('cHeader', () => {
  it('guards the header and marks its records for relocation', () => {
    const btf = new BtfBuilder();
    btf.typedef('number', btf.int('int', 4, { signed: true }));
    expect(cHeader(readBtf(btf.bytes()), { comment: ['Made for */ a test.'] })).toBe(
      `/* Made for * / a test. */
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)
#endif

typedef int number;

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif

#endif /* __VMLINUX_H__ */
`,
    );
  });

  it('declares what is contained before what contains it, and announces what is only pointed to', () => {
    const text = declarations((btf, int) => {
      const first = btf.nextId;
      btf.struct('outer', 16, [
        { name: 'inner', type: first + 2, offset: 0 },
        { name: 'other', type: first + 1, offset: 8 },
      ]);
      btf.ptr(first + 3);
      btf.struct('inner', 4, [{ name: 'x', type: int }]);
      btf.struct('other', 8, [{ name: 'back', type: first + 4 }]);
      btf.ptr(first);
    });
    expect(text).toBe(
      `struct inner {
\tint x;
};

struct other;

struct outer {
\tstruct inner inner;
\tstruct other *other;
};

struct other {
\tstruct outer *back;
};
`,
    );
  });

  it('does not announce a struct to itself', () => {
    const text = declarations((btf) => {
      btf.struct('list_head', 8, [{ name: 'next', type: btf.nextId + 1 }]);
      btf.ptr(btf.nextId - 1);
    });
    expect(text).toBe('struct list_head {\n\tstruct list_head *next;\n};\n');
  });

  it('writes unnamed types where they are used', () => {
    const text = declarations((btf, int, char) => {
      const union = btf.union('', 4, [
        { name: 'word', type: int },
        { name: 'bytes', type: btf.array(char, 4) },
      ]);
      const choice = btf.enum('', { A: 0, B: 1 });
      btf.typedef(
        'value_t',
        btf.struct('', 8, [{ type: union }, { name: 'choice', type: choice, offset: 4 }]),
      );
    });
    expect(text).toBe(`typedef struct {
\tunion {
\t\tint word;
\t\tchar bytes[4];
\t};
\tenum {
\t\tA = 0,
\t\tB = 1,
\t} choice;
} value_t;
`);
  });

  it('writes an unnamed member without a tag although its type has one', () => {
    const text = declarations((btf, int) => {
      const tagged = btf.struct('tagged', 4, [{ name: 'x', type: int }]);
      btf.struct('outer', 4, [{ type: tagged }]);
    });
    expect(text).toContain('struct outer {\n\tstruct {\n\t\tint x;\n\t};\n};');
  });

  it('keeps unnamed enums that nothing uses', () => {
    expect(declarations((btf) => btf.enum('', { LIMIT: 64 }))).toBe('enum {\n\tLIMIT = 64,\n};\n');
  });

  it('lets the lowest id keep a name that several types have', () => {
    const text = declarations((btf, int, char) => {
      btf.struct('same', 4, [{ name: 'x', type: int }]);
      btf.struct('same', 1, [{ name: 'x', type: char }]);
      btf.union('same', 4, [{ name: 'x', type: int }]);
      btf.typedef('same', int);
      btf.typedef('same', char);
      btf.enum('first', { same: 0, VALUE: 1 });
      btf.enum('second', { VALUE: 2 });
    });
    expect(text.match(/\b(same|VALUE)\w*/g)).toEqual([
      'same',
      'same___2',
      'same___3',
      'same',
      'same___2',
      'same___3',
      'VALUE',
      'VALUE___2',
    ]);
  });

  it('takes a declaration for the definition of the same name', () => {
    const text = declarations((btf, int) => {
      const pointer = btf.ptr(btf.fwd('late'));
      btf.struct('user', 8, [{ name: 'late', type: pointer }]);
      btf.struct('late', 4, [{ name: 'x', type: int }]);
      btf.ptr(btf.fwd('never'));
    });
    expect(text).toBe(
      `struct late {
\tint x;
};

struct user {
\tstruct late *late;
};

struct never;
`,
    );
  });

  it('makes names and numbers of other languages into C', () => {
    const text = declarations((btf) => {
      const usize = btf.int('usize', 8);
      const long = btf.int('long int', 4, { signed: true });
      btf.struct('core::option::Option<u8>', 16, [
        { name: '0', type: usize, offset: 0 },
        { name: 'int', type: long, offset: 8 },
        { name: 'x; int y', type: long, offset: 12 },
      ]);
    });
    expect(text).toBe(`struct core__option__Option_u8_ {
\tunsigned long long _0;
\tsigned int int_;
\tsigned int x__int_y;
};
`);
  });

  it('writes function pointers, arrays of them, and qualifiers where C wants them', () => {
    const text = declarations((btf, int, char) => {
      const text_t = btf.ptr(btf.const(char));
      const call = btf.ptr(btf.prototype(text_t, [['x', btf.ptr(0)]], true));
      btf.struct('ops', 40, [
        { name: 'call', type: call, offset: 0 },
        { name: 'table', type: btf.array(btf.const(call), 2), offset: 8 },
        { name: 'grid', type: btf.ptr(btf.array(btf.array(int, 3), 2)), offset: 24 },
        { name: 'none', type: btf.ptr(btf.prototype(0, [])), offset: 32 },
      ]);
    });
    expect(text).toBe(`struct ops {
\tconst char *(*call)(void *, ...);
\tconst char *(*const table[2])(void *, ...);
\tint (*grid)[2][3];
\tvoid (*none)(void);
};
`);
  });

  it('fills gaps, packs what is not aligned, and gives up on what overlaps', () => {
    const text = declarations((btf, int, char) => {
      btf.struct('gaps', 16, [
        { name: 'a', type: char, offset: 0 },
        { name: 'b', type: int, offset: 8 },
      ]);
      btf.struct('bits', 8, [
        { name: 'a', type: int, bitOffset: 0, bitSize: 3 },
        { name: 'b', type: int, bitOffset: 5, bitSize: 4 },
        { name: 'c', type: int, bitOffset: 32, bitSize: 1 },
      ]);
      btf.struct('odd', 5, [
        { name: 'a', type: char, offset: 0 },
        { name: 'b', type: int, offset: 1 },
      ]);
      btf.struct('page', 4096, [{ name: 'a', type: int, offset: 0 }]);
      btf.struct('overlap', 4, [
        { name: 'a', type: int, offset: 0 },
        { name: 'b', type: char, offset: 1 },
      ]);
      btf.union('large', 64, [{ name: 'a', type: int }]);
    });
    expect(text).toBe(`struct gaps {
\tchar a;
\tchar: 8;
\tshort: 16;
\tint: 32;
\tint b;
\tint: 32;
};

struct bits {
\tint a: 3;
\tchar: 2;
\tint b: 4;
\tchar: 7;
\tshort: 16;
\tint c: 1;
};

struct odd {
\tchar a;
\tint b;
} __attribute__((packed));

struct page {
\tint a;
\tunsigned char __padding_at_4[4092];
};

struct overlap {
\tunsigned char __opaque[4];
};

union large {
\tint a;
\tunsigned char __size_of_union[64];
};
`);
  });

  it('gives enums their size and the extremes of their range', () => {
    const text = declarations((btf) => {
      btf.enum('byte', { A: 1 }, { size: 1 });
      btf.enum64('wide', { MOST: 2n ** 64n - 1n, SMALL: 1n });
      btf.enum64('deep', { LEAST: -(2n ** 63n), MINUS: -1n }, { signed: true });
      btf.enum('declared', {});
    });
    expect(text).toBe(`enum byte {
\tA = 1,
} __attribute__((mode(QI)));

enum wide {
\tMOST = 18446744073709551615ULL,
\tSMALL = 1,
} __attribute__((mode(DI)));

enum deep {
\tLEAST = (-9223372036854775807LL - 1),
\tMINUS = -1,
} __attribute__((mode(DI)));

enum declared {
\t__no_value_of_enum_declared = 0,
};
`);
  });

  it('steps aside for C23, where true, false and bool are words', () => {
    const text = declarations((btf) => {
      btf.typedef('bool', btf.int('_Bool', 1, { bool: true }));
      btf.enum('', { false: 0, true: 1 });
    });
    const condition = '#if !defined(__STDC_VERSION__) || __STDC_VERSION__ < 202311L\n';
    expect(text).toBe(
      `${condition}typedef _Bool bool;\n#endif\n\n${condition}enum {\n\tfalse = 0,\n\ttrue = 1,\n};\n#endif\n`,
    );
  });

  it.each<[string, (btf: BtfBuilder) => void]>([
    ['a typedef that points to itself', (btf) => btf.ptr(btf.typedef('t', btf.nextId + 1))],
    [
      'a member that points to itself',
      (btf) => {
        const pointer = btf.ptr(btf.nextId);
        btf.struct('s', 8, [{ name: 'x', type: pointer }]);
      },
    ],
    [
      'an unnamed struct that points to itself',
      (btf) => {
        const pointer = btf.ptr(btf.nextId + 1);
        btf.typedef('t', btf.struct('', 8, [{ name: 'x', type: pointer }]));
      },
    ],
    [
      'unnamed structs that multiply',
      (btf) => {
        let id = btf.int('char', 1);
        for (let depth = 0; depth < 40; depth++) {
          const size = 2 ** Math.min(depth, 28);
          id = btf.union('', size, [
            { name: 'a', type: id },
            { name: 'b', type: id },
          ]);
        }
        btf.typedef('t', id);
      },
    ],
  ])('refuses %s', (_, build) => {
    const btf = new BtfBuilder();
    build(btf);
    const graph = readBtf(btf.bytes());
    expect(() => cHeader(graph)).toThrow(
      expect.objectContaining({ name: 'NetkitError', code: 'bad-object' }),
    );
  });
});
