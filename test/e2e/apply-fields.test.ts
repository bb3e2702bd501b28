// Every field of a manifest, changed alone: the plan names it and nothing else, and after apply the kernel agrees.
import { describe, expect, it } from 'vitest';
import { describeAsRoot, itWith } from '../support/requirements.js';
import { forget, prove } from './apply-rows.js';
import { attachRows } from './apply-rows-attach.js';
import { chainRows, configRows } from './apply-rows-chain.js';
import { kindRows } from './apply-rows-kinds.js';
import { mapRows } from './apply-rows-maps.js';
import { programRows } from './apply-rows-program.js';
import { saidRows } from './apply-rows-said.js';
import { watchRows } from './apply-rows-watch.js';
import { manifestFields } from './manifest-fields.js';
import { manifestGround } from './manifest-setup.js';

const rows = [
  ...programRows,
  ...mapRows,
  ...attachRows,
  ...kindRows,
  ...watchRows,
  ...chainRows,
  ...configRows,
];

describe('the fields of a manifest', () => {
  it('have a row each, and no row is of a field that there is not', () => {
    const proven = new Set([...rows, ...saidRows].map(({ field }) => field));
    expect([...proven].sort()).toEqual(manifestFields().sort());
  });
});

describeAsRoot('apply', () => {
  const ground = manifestGround();

  for (const row of rows) {
    const title = row.case === undefined ? row.field : `${row.field}: ${row.case}`;
    itWith(row.needs ?? {}, title, async () => {
      try {
        await prove(ground(), row);
      } catch (error) {
        forget();
        throw error;
      }
    });
  }

  for (const { field, says, needs = {}, prove: say } of saidRows) {
    itWith(needs, `${field}: ${says}`, async () => {
      forget();
      await say(ground());
    });
  }
});
