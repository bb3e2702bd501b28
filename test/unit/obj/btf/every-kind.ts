import { BtfBuilder, type BuilderOptions } from '../../../support/btf-builder.js';

/** One type of every kind that BTF has. */
export function everyKind(options: BuilderOptions = {}): BtfBuilder {
  const btf = new BtfBuilder(options);
  const int = btf.int('int', 4, { signed: true });
  const char = btf.int('char', 1, { signed: true, char: true });
  btf.int('_Bool', 1, { bool: true });
  btf.float('double', 8);
  const pointer = btf.ptr(btf.const(char));
  btf.array(int, 3);
  const record = btf.struct('record', 16, [
    { name: 'text', type: pointer, offset: 0 },
    { name: 'low', type: int, bitOffset: 64, bitSize: 3 },
    { name: 'high', type: int, bitOffset: 67, bitSize: 29 },
  ]);
  btf.union('either', 8, [{ name: 'text', type: pointer }, { type: int }]);
  btf.enum('sign', { minus: -1, plus: 1 }, { signed: true });
  btf.enum('bits', { top: 0x8000_0000 });
  btf.enum64('wide', { all: 2n ** 64n - 1n });
  btf.enum64('deep', { lowest: -(2n ** 63n) }, { signed: true });
  btf.fwd('later');
  btf.fwd('either_later', 'union');
  btf.typedef('record_t', record);
  btf.volatile(int);
  btf.restrict(pointer);
  const prototype = btf.prototype(int, [['format', pointer]], true);
  const func = btf.func('print', prototype, 'extern');
  const variable = btf.var('counter', int, 'static');
  btf.datasec('.bss', 4, [{ type: variable, offset: 0, size: 4 }]);
  btf.declTag('kfunc', func);
  btf.declTag('first', record, 0);
  btf.typeTag('user', int);
  return btf;
}
