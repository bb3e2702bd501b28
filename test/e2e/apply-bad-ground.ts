/** What tests share that have `apply` refuse something while a function runs. */
import { expect } from 'vitest';
import { leavingNothing } from '../support/kernel-state.js';
import { errorOf } from './ground.js';
import { attachedTo, functionOf, type ManifestDocument, ManifestGround } from './manifest-ground.js';
import { expectRefused, type Refusal } from './refusal.js';

/** A manifest with mistakes, of which the one line says this. */
export function badManifest(says: RegExp): Refusal {
  return { status: 1, code: 'bad-manifest', says };
}

/** Makes ground for `work`, with the function `f` applied; afterwards all of it goes, and nothing is left. */
export async function running(
  objects: { readonly object: string; readonly heavier: string },
  work: (g: ManifestGround) => void | Promise<void>,
): Promise<void> {
  using g = new ManifestGround(objects);
  await leavingNothing(async () => {
    const bare = g.ground.hooks();
    g.declares(standing(g));
    g.applies();
    await work(g);
    g.clears();
    expect(g.ground.hooks()).toEqual(bare);
    g.ground.expectOnlyLock();
  });
}

/** What `running` applies. */
export function standing(g: ManifestGround): ManifestDocument[] {
  return [
    functionOf({
      program: { object: g.object, only: ['one'] },
      attach: [attachedTo(g, 'one')],
      maps: { words: { entries: { 1: 10 } } },
    }),
  ];
}

/** The documents that were applied: to be changed. */
export const applied = standing;

/**
 * Refused by apply, and by plan too unless that has another status; before and after, the function runs on with the same
 * programs and maps, and counts.
 */
export async function refused(
  g: ManifestGround,
  refusal: Refusal,
  { plans = refusal.status, more = [] }: { readonly plans?: number; readonly more?: readonly string[] } = {},
): Promise<void> {
  const before = g.identity();
  const args = ['-f', g.file('m.yaml'), ...more];
  const planned = g.ground.netkit('plan', '--json', ...args);
  expect(planned.status, planned.stderr).toBe(plans);
  if (plans === refusal.status)
    expect(errorOf(planned)).toMatchObject({
      code: refusal.code,
      message: expect.stringMatching(refusal.says),
    });
  await expectRefused(g.ground, ['apply', ...args], refusal);
  expect(g.identity(), 'the same programs, maps and links').toEqual(before);
  expect(await g.arriving(), 'it goes on').toEqual({ one: 1 });
}
