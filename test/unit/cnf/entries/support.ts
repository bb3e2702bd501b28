/** Declared entries for tests, of the maps in test/fixtures/declared.bpf.c. */
import { join } from 'node:path';
import type { NetkitError } from '../../../../src/base/errors.js';
import { shapeOfMap } from '../../../../src/cnf/entries/declarable.js';
import { type DeclaredEntries, maskAt } from '../../../../src/cnf/entries/declared-entries.js';
import { EntryTexts } from '../../../../src/cnf/entries/entry-text.js';
import { ObjectSpec } from '../../../../src/obj/spec.js';

const object = join(import.meta.dirname, '../../../fixtures/objects/declared.bpf.o');

/** A fresh one, whose map sizes can be set. */
export function declaredSpec(): ObjectSpec {
  return ObjectSpec.readSync(object);
}

/** What is declared, as a plan would tell it: `key: action=DROP`. */
export function told(spec: ObjectSpec, map: string, entries: DeclaredEntries): string[] {
  const texts = new EntryTexts(shapeOfMap(spec, map));
  return Array.from({ length: entries.count }, (_, index) => {
    const value = texts.value(entries.values, index * entries.valueStride, maskAt(entries, index));
    return `${texts.key(entries.keys, index * entries.keySize)}: ${value}`;
  });
}

/** What a call is refused with. */
export function refusal(work: () => unknown): NetkitError {
  try {
    work();
  } catch (error) {
    if (error instanceof Error && error.name === 'NetkitError') return error as NetkitError;
    throw error;
  }
  throw new Error('nothing was thrown');
}
