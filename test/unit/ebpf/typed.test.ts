import { expect, it } from 'vitest';
import { mapTypes } from '../../../src/base/kernel-words.js';
import { mapOperations, reasonAgainst } from '../../../src/obj/map-operations.js';
import { typeErrors } from '../../support/type-check.js';

const methods: Readonly<Record<(typeof mapOperations)[number], string>> = {
  get: 'get',
  lookup: 'lookup',
  update: 'set',
  delete: 'delete',
  dump: 'entries',
  push: 'push',
  pop: 'pop',
  peek: 'peek',
};

it('typed maps of each type have the operations that there are, and no others', () => {
  // What is in a table of callbacks is known once it is loaded; a bloom filter is asked with mayHave.
  const lines = mapTypes
    .filter((type) => type !== 'struct_ops' && type !== 'unspec')
    .flatMap((type) =>
      mapOperations.map((operation) => {
        const isThere = reasonAgainst(type, operation) === undefined;
        const method = type === 'bloom_filter' && operation === 'lookup' ? 'mayHave' : methods[operation];
        return `export const ${type}_${operation}: Has<'${type}', '${method}'> = ${isThere};`;
      }),
    );
  const use = [
    "import type { BpfMap, MapView } from 'netkit';",
    'interface Map<T extends string> { type: T; key: number; keyInput: number; value: bigint; valueInput: bigint }',
    'type Has<T extends string, M extends string> = M extends keyof MapView<Map<T>> ? true : false;',
    // What a typed map has, the map that it is has too.
    'type Members<T extends string> = T extends string ? keyof MapView<Map<T>> : never;',
    `export const types = ${JSON.stringify(mapTypes)} as const;`,
    'export const more: Exclude<Members<(typeof types)[number]>, keyof BpfMap>[] = [];',
    'export const none: never[] = more;',
    ...lines,
  ].join('\n');
  expect(typeErrors({ 'use.ts': use })).toEqual([]);
});
