import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { mapTypes } from '../../../src/base/kernel-words.js';
import { packageRoot } from '../../../src/host/package-root.js';
import { mapOperations, reasonAgainst } from '../../../src/obj/map-operations.js';
import { expectedRefusal, operations } from '../../support/map-table.js';

const types = mapTypes.filter((type) => type !== 'unspec');

it('docs/maps.md has the table that the kernel test expects of a new kernel', () => {
  const text = readFileSync(join(packageRoot(), 'docs/maps.md'), 'utf8');
  const reasons = [...text.matchAll(/^(\d+)\. (.+)$/gm)].map(([, number, reason]) => [
    Number(number),
    reason,
  ]);
  const cells = new Map(
    [...text.matchAll(/^\| `(\w+)` \| (works \|.+) \|$/gm)].map(([, type, row]) => [type, row?.split(' | ')]),
  );
  expect([...cells.keys()]).toEqual(types);
  for (const type of types) {
    for (const [index, operation] of operations.entries()) {
      const cell = cells.get(type)?.[index];
      const refusal = expectedRefusal(type, operation, () => true);
      const number = Number(/^no \((\d+)\)$/.exec(cell ?? '')?.[1]);
      const shown = cell === 'works' ? undefined : reasons.find(([each]) => each === number)?.[1];
      if (refusal === undefined) expect(cell, `${type} ${operation}`).toBe('works');
      else expect(shown, `${type} ${operation}`).toContain(refusal);
    }
  }
});

it('what is refused by type is refused without asking the kernel', () => {
  for (const type of types) {
    for (const operation of mapOperations) {
      const reason = reasonAgainst(type, operation);
      const refusal = expectedRefusal(type, operation, () => true);
      if (refusal === undefined) expect(reason, `${type} ${operation}`).toBeUndefined();
      else expect(reason, `${type} ${operation}`).toContain(refusal);
    }
  }
});
