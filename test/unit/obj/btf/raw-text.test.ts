import { expect, it } from 'vitest';
import { rawKind, rawTypeText } from '../../../../src/obj/btf/raw-text.js';
import { readBtf } from '../../../../src/obj/btf/read.js';
import { everyKind } from './every-kind.js';

it('writes a type of every kind as bpftool does', () => {
  const btf = readBtf(everyKind().bytes());
  const texts = Array.from({ length: btf.count - 1 }, (_, index) => rawTypeText(btf, index + 1));
  expect(texts).toEqual([
    "[1] INT 'int' size=4 bits_offset=0 nr_bits=32 encoding=SIGNED",
    "[2] INT 'char' size=1 bits_offset=0 nr_bits=8 encoding=CHAR",
    "[3] INT '_Bool' size=1 bits_offset=0 nr_bits=8 encoding=BOOL",
    "[4] FLOAT 'double' size=8",
    "[5] CONST '(anon)' type_id=2",
    "[6] PTR '(anon)' type_id=5",
    "[7] ARRAY '(anon)' type_id=1 index_type_id=1 nr_elems=3",
    "[8] STRUCT 'record' size=16 vlen=3\n\t'text' type_id=6 bits_offset=0\n\t'low' type_id=1 bits_offset=64 bitfield_size=3\n\t'high' type_id=1 bits_offset=67 bitfield_size=29",
    "[9] UNION 'either' size=8 vlen=2\n\t'text' type_id=6 bits_offset=0\n\t'(anon)' type_id=1 bits_offset=0",
    "[10] ENUM 'sign' encoding=SIGNED size=4 vlen=2\n\t'minus' val=-1\n\t'plus' val=1",
    "[11] ENUM 'bits' encoding=UNSIGNED size=4 vlen=1\n\t'top' val=2147483648",
    "[12] ENUM64 'wide' encoding=UNSIGNED size=8 vlen=1\n\t'all' val=18446744073709551615ULL",
    "[13] ENUM64 'deep' encoding=SIGNED size=8 vlen=1\n\t'lowest' val=-9223372036854775808LL",
    "[14] FWD 'later' fwd_kind=struct",
    "[15] FWD 'either_later' fwd_kind=union",
    "[16] TYPEDEF 'record_t' type_id=8",
    "[17] VOLATILE '(anon)' type_id=1",
    "[18] RESTRICT '(anon)' type_id=6",
    "[19] FUNC_PROTO '(anon)' ret_type_id=1 vlen=2\n\t'format' type_id=6\n\t'(anon)' type_id=0",
    "[20] FUNC 'print' type_id=19 linkage=extern",
    "[21] VAR 'counter' type_id=1, linkage=static",
    "[22] DATASEC '.bss' size=4 vlen=1\n\ttype_id=21 offset=0 size=4 (VAR 'counter')",
    "[23] DECL_TAG 'kfunc' type_id=20 component_idx=-1",
    "[24] DECL_TAG 'first' type_id=8 component_idx=0",
    "[25] TYPE_TAG 'user' type_id=1",
  ]);
  expect(rawKind(btf.type(0))).toBe('VOID');
});
