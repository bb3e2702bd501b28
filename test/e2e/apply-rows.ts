/** What is shown of each field of a manifest, and how. */
import { expect } from 'vitest';
import type { Requirements } from '../support/requirements.js';
import type { ManifestDocument, ManifestGround } from './manifest-ground.js';

/** One field that is changed alone. */
export interface FieldRow {
  /** As `manifestFields` has it. */
  readonly field: string;
  /** What tells this row from others of the field. */
  readonly case?: string;
  readonly needs?: Requirements;
  readonly base: (g: ManifestGround) => readonly ManifestDocument[];
  /** Which of the documents; the first when left out. */
  readonly of?: number;
  /** The path that the plan has to name, alone. */
  readonly at: string;
  /** What the field becomes; undefined takes it away. Left out where a file changes, and the manifest does not. */
  readonly to?: (g: ManifestGround) => unknown;
  /** The paths that the plan names in place of that one, where a field cannot change without another. */
  readonly names?: readonly string[];
  /** A file beside the manifest, before and after. */
  readonly file?: { readonly name: string; readonly from: string; readonly to: string };
  /** What somebody else does once the base is there. */
  readonly prepare?: (g: ManifestGround) => void;
  /** Looks at the kernel, not by netkit's eyes. */
  readonly look: (g: ManifestGround) => unknown;
  /** What is seen before and after; `same`: the kernel has nothing to do with it. */
  readonly sees: readonly [unknown, unknown] | 'same';
  /** What runs stays, although something else is seen. */
  readonly keeps?: true;
  /** To look takes its time: the way back is left out. */
  readonly slow?: true;
  /** The kernel cannot change it in place. */
  readonly gap?: boolean;
}

/** Which change of a document the paths of a plan belong to. */
export function namedFields(plan: {
  readonly functions: readonly Named[];
  readonly chains: readonly Named[];
}): string[] {
  return [...plan.functions, ...plan.chains].flatMap(({ name, changes }) =>
    changes.map(({ path }) => `${name}: ${path}`),
  );
}

interface Named {
  readonly name: string;
  readonly changes: readonly { readonly path: string }[];
}

/** A copy of a document with another value at a path such as `spec.attach[0].priority`. */
export function put(document: ManifestDocument, path: string, value: unknown): ManifestDocument {
  const copy = structuredClone(document);
  const steps = [...path.matchAll(/\[("(?:\\.|[^"])*")\]|([\w-]+)/g)].map(([, quoted, word]) =>
    quoted === undefined ? (word ?? '') : String(JSON.parse(quoted)),
  );
  const last = steps.pop() ?? '';
  let at: unknown = copy;
  for (const step of steps) at = Reflect.get(Object(at), step);
  if (value === undefined) Reflect.deleteProperty(Object(at), last);
  else Reflect.set(Object(at), last, value);
  return copy;
}

let standing: string | undefined;

/** Forgets what stands, after which the next row begins anew. */
export function forget(): void {
  standing = undefined;
}

/**
 * Applies the base, changes the field alone, applies that, and goes back: the plan names the field and nothing else, the
 * kernel is seen to follow both ways, and afterwards there is nothing to do. The change itself is made by netkit as it is
 * built; what is before and behind it in this process, which saves most of the time.
 */
export async function prove(g: ManifestGround, row: FieldRow): Promise<void> {
  const base = row.base(g);
  const write = (which: 'from' | 'to') => {
    if (row.file !== undefined) g.writes(row.file.name, row.file[which]);
    g.declares(which === 'from' || row.to === undefined ? base : changed(g, row, base));
  };
  write('from');
  const text = JSON.stringify(base);
  const isNew = standing !== text;
  if (isNew) await g.clearsHere();
  standing = undefined;
  if (isNew || row.file !== undefined) await g.appliesHere('--allow-gap');
  if (isNew) expect(await g.plansHere(), 'nothing is to be done').toMatchObject({ pending: false });
  row.prepare?.(g);
  const before = await row.look(g);
  if (row.sees !== 'same') expect(before, 'before').toEqual(row.sees[0]);
  const identity = g.identity();

  write('to');
  const plan = await g.plansHere();
  const name = base[row.of ?? 0]?.metadata.name ?? '';
  expect(namedFields(plan)).toEqual((row.names ?? [row.at]).map((path) => `${name}: ${path}`));
  expect(plan.pending).toBe(true);
  if (row.gap === true) {
    expect(g.tries().status, 'without --allow-gap').toBe(6);
    expect(await row.look(g), 'untouched').toEqual(before);
  }
  expect(namedFields(g.applies(...(row.gap === true ? ['--allow-gap'] : [])))).toEqual(namedFields(plan));
  expect(await g.plansHere(), 'nothing is to be done').toMatchObject({ pending: false });
  if (row.keeps === true) expect(g.identity(), 'what runs').toEqual(identity);
  expect(await row.look(g), 'after').toEqual(row.sees === 'same' ? before : row.sees[1]);

  write('from');
  await g.appliesHere('--allow-gap');
  row.prepare?.(g);
  if (row.slow !== true) expect(await row.look(g), 'back').toEqual(before);
  standing = text;
}

function changed(
  g: ManifestGround,
  { of = 0, at, to }: FieldRow,
  base: readonly ManifestDocument[],
): ManifestDocument[] {
  return base.map((document, index) => (index === of ? put(document, at, to?.(g)) : document));
}
