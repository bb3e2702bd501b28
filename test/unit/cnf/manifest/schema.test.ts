import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { manifestExamples } from '../../../../src/cli/schema/manifest-examples.js';
import { manifestFields } from '../../../../src/cli/schema/manifest-fields.js';
import { manifestSchema } from '../../../../src/cli/schema/manifest-schema.js';
import { documents } from './documents.js';
import { functionWith, problemsOf, read } from './reading.js';

// The fragments that say what holds between fields name no types: they stand beside those that do.
const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, strictTypes: false, strictRequired: false });
const validate = ajv.compile(manifestSchema());

describe('a valid document', () => {
  it('written as YAML, in blocks or flowing, or as JSON, is read as it was', async () => {
    const forms = [
      (each: unknown) => stringify(each, { aliasDuplicateObjects: false }),
      (each: unknown) =>
        stringify(each, { collectionStyle: 'flow', lineWidth: 0, aliasDuplicateObjects: false }),
      (each: unknown) => JSON.stringify(each, null, 2),
      (each: unknown) => JSON.stringify(each),
    ];
    await fc.assert(
      fc.asyncProperty(documents, fc.nat(forms.length - 1), async (document, at) => {
        const text = forms[at]?.(document) ?? '';
        expect(await problemsOf(text)).toEqual([]);
        expect(await read(text)).toEqual([document]);
      }),
      { numRuns: 1500 },
    );
  });

  it('is valid by the JSON Schema too', () => {
    fc.assert(
      fc.property(documents, (document) => {
        expect(validate(document) || ajv.errorsText(validate.errors)).toBe(true);
      }),
      { numRuns: 1500 },
    );
  });
});

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
type Place = (string | number)[];

function* placesIn(json: Json, path: Place = []): Generator<Place> {
  yield path;
  if (typeof json !== 'object' || json === null) return;
  for (const [step, inner] of Array.isArray(json) ? json.entries() : Object.entries(json))
    yield* placesIn(inner, [...path, step]);
}

/** The document with something else at a place; without what is there when that is undefined. */
function changed(json: Json, [step, ...rest]: Place, to: Json | undefined): Json | undefined {
  if (step === undefined || typeof json !== 'object' || json === null) return to;
  const inner = changed(Object(json)[step], rest, to);
  if (Array.isArray(json))
    return json.flatMap((each, index) => (index !== step ? [each] : inner === undefined ? [] : [inner]));
  const others = Object.entries(json).map(([name, each]) => [name, name === step ? inner : each] as const);
  return Object.fromEntries(others.flatMap(([name, each]) => (each === undefined ? [] : [[name, each]])));
}

const odd: (Json | undefined)[] = [
  undefined,
  null,
  true,
  false,
  0,
  1,
  -1,
  1.5,
  70_000,
  5e9,
  '',
  'x',
  'xdp',
  'netfilter',
  '5s',
  '0s',
  'veth*',
  [],
  ['x'],
  [{}],
  {},
  { x: 1 },
  { x: [null] },
  { key: 1, value: 2 },
  { before: 'x' },
];
const fields = [
  'apiVersion',
  'kind',
  'labels',
  'program',
  'source',
  'object',
  'builtin',
  'config',
  'maps',
  'attach',
  'hook',
  'interfaces',
  'target',
  'family',
  'priority',
  'entries',
  'from',
  'exact',
  'keep',
  'probe',
  'command',
  'map',
  'op',
  'settle',
  'functions',
  'mode',
  'whatever',
];

/** What JSON Schema cannot say: the same function once by name and once by a mapping. */
const beyond = /this function is in the chain already/;

describe('the JSON Schema and netkit', () => {
  it('agree on every document that is changed at one place', async () => {
    const verdicts = { valid: 0, invalid: 0 };
    await fc.assert(
      fc.asyncProperty(
        documents,
        fc.nat(),
        fc.nat(odd.length - 1),
        fc.option(fc.constantFrom(...fields), { freq: 2 }),
        async (document, at, which, added) => {
          const original: Json = JSON.parse(JSON.stringify(document));
          const places = [...placesIn(original)];
          const place = places[at % places.length] ?? [];
          const mutant = changed(original, added === null ? place : [...place], odd[which]);
          const text = JSON.stringify(
            added === null ? (mutant ?? null) : withField(original, place, added, odd[which] ?? 'x'),
          );
          const said = await problemsOf(text, 'fw.json');
          const isValid = validate(JSON.parse(text));
          if (said.length > 0 && said.every((line) => beyond.test(line))) return;
          verdicts[isValid ? 'valid' : 'invalid'] += 1;
          expect(said.length === 0, `${text}\n${said.join('\n')}\n${ajv.errorsText(validate.errors)}`).toBe(
            isValid,
          );
        },
      ),
      { numRuns: 4000 },
    );
    // The changes hit both sides, or nothing was compared.
    expect(verdicts.valid).toBeGreaterThan(300);
    expect(verdicts.invalid).toBeGreaterThan(1000);
  });

  it('has a description for every field', () => {
    const bare: string[] = [];
    const visit = (schema: unknown, path: string): void => {
      if (typeof schema !== 'object' || schema === null) return;
      for (const [name, inner] of Object.entries(schema)) {
        if (name !== 'properties' || /allOf|not|if|else/.test(path)) {
          visit(inner, `${path}/${name}`);
          continue;
        }
        for (const [field, described] of Object.entries(Object(inner))) {
          if (!/^[A-Z].*[.]$/s.test(String(Object(described).description))) bare.push(`${path}/${field}`);
          visit(described, `${path}/${field}`);
        }
      }
    };
    visit(manifestSchema(), '');
    expect(bare).toEqual([]);
  });

  it('both take the cookies there are, and no other', async () => {
    const verdict = async (cookie: string) => {
      const text = functionWith(`  attach: [{hook: kprobe, target: x, cookie: ${cookie}}]`);
      return (await problemsOf(text)).length === 0;
    };
    expect(await Promise.all(['0', '0x0', '18446744073709551615', '"7"'].map(verdict))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(
      await Promise.all(
        ['-1', '1.5', 'true', '18446744073709551616', '0x10000000000000000', '""'].map(verdict),
      ),
    ).toEqual(Array.from({ length: 6 }, () => false));
  });
});

function withField(json: Json, place: Place, name: string, value: Json): Json {
  const at = place.reduce<Json | undefined>((inner, step) => Object(inner)[step], json);
  if (typeof at !== 'object' || at === null || Array.isArray(at)) return json;
  return changed(json, place, { ...at, [name]: value }) ?? null;
}

describe('the examples of the fields', () => {
  const all = [...manifestFields('NetworkFunction'), ...manifestFields('Chain')];

  it('are there for each field, and for nothing else', () => {
    expect(Object.keys(manifestExamples).sort()).toEqual([...new Set(all.map(({ path }) => path))].sort());
  });

  it.each(all.filter(({ path }) => path !== 'spec'))('of $path fits the field', ({ path, schema }) => {
    const { $defs } = manifestSchema();
    const fits = ajv.compile({ ...schema, $defs });
    const example: unknown = parse(manifestExamples[path] ?? '');
    // The one field that has another value in each kind of document.
    if (path === 'kind') return expect(['NetworkFunction', 'Chain']).toContain(example);
    expect(fits(example) || ajv.errorsText(fits.errors)).toBe(true);
  });
});
