import { expect, test } from 'vitest';
import { parseDependencies } from '../../../src/build/dependencies.js';

test.each([
  ['x.o: a.c\n', ['a.c']],
  ['x.o: a.c b.h \\\n  ../c.h\n', ['a.c', 'b.h', '../c.h']],
  ['/tmp/x y/x.o: a.c sub\\ dir/h.h\n', ['a.c', 'sub dir/h.h']],
  ['x.o: a\\#1.c cost$$.h\n', ['a#1.c', 'cost$.h']],
  ['x.o:\n', []],
  ['', []],
  ['x.o: a.c\n\nb.h:\n', ['a.c']],
])('%j names the files %j', (rule, files) => {
  expect(parseDependencies(rule)).toEqual(files);
});
