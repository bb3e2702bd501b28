import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NetkitError } from '../../../src/base/errors.js';
import { typesModule } from '../../../src/build/types-module.js';
import { packageRoot } from '../../../src/host/package-root.js';
import type { Value } from '../../../src/obj/codec/index.js';
import { ObjectSpec } from '../../../src/obj/spec.js';
import { typeErrors } from '../../support/type-check.js';
import { sourceOf } from '../../support/types-source.js';
import { shape } from '../obj/codec/shapes.js';
import { objectBytes, objectNames, objectSpec } from '../obj/fixtures.js';
import { damaged, damages } from '../obj/mutations.js';

const folder = join(packageRoot(), 'test/types');
const textOf = (name: string): string => readFileSync(join(folder, name), 'utf8');

describe('the module of an object', () => {
  it.each(['maps', 'globals'] as const)('is for %s what stands in test/types', async (name) => {
    await expect(typesModule(objectSpec(name)).text).toMatchFileSnapshot(join(folder, `${name}.types.ts`));
  });

  it('is the same each time, wherever the file is', () => {
    const bytes = objectBytes('maps');
    const one = typesModule(ObjectSpec.parse(bytes, { path: '/a/maps.bpf.o' }));
    expect(typesModule(ObjectSpec.parse(bytes, { path: 'b/maps.bpf.o' }))).toEqual(one);
    expect(one).toMatchObject({ constant: 'maps', type: 'Maps' });
  });

  it.each([
    ['new.bpf.o', 'new_', 'New'],
    ['my-func_2.bpf.o', 'myFunc2', 'MyFunc2'],
    ['5g.o', 't5g', 'T5g'],
    ['_.o', 't', 'T'],
    ['object-types.bpf.o', 'objectTypes', 'ObjectTypes2'],
  ])('of %s exports %s and %s', (path, constant, type) => {
    const made = typesModule(ObjectSpec.parse(objectBytes('pass'), { path }));
    expect(made).toMatchObject({ constant, type });
    expect(made.text).toContain(`export const ${constant}: ObjectTypes<${type}> = {`);
  });

  it('of one without BTF is refused, and says what to do', () => {
    expect(() => typesModule(objectSpec('nobtf'))).toThrow(
      expect.objectContaining({ code: 'bad-object', hint: expect.stringContaining('-g') }),
    );
  });
});

describe('by the modules in test/types', () => {
  const names = readdirSync(folder);
  const files = Object.fromEntries(names.map((name) => [name, textOf(name)]));

  it('what is right compiles, and every line that is wrong does not', () => {
    expect(names).toEqual(expect.arrayContaining(['firewall.ts', 'maps.ts', 'globals.ts']));
    expect(typeErrors(files)).toEqual([]);
  });

  it('each wrong line is an error of its own, once nothing says that it is expected', () => {
    const expected = /^ *\/\/ @ts-expect-error: .*$/gm;
    const bare = Object.entries(files).map(([name, text]) => [name, text.replaceAll(expected, '')]);
    const wrong = Object.entries(files).flatMap(([name, text]) =>
      text
        .split('\n')
        .flatMap((line, at) => (/^ *\/\/ @ts-expect-error/.test(line) ? [`${name}:${at + 2}`] : [])),
    );
    const found = typeErrors(Object.fromEntries(bare)).map((line) => line.replace(/\((\d+),.*/, ':$1'));
    expect(wrong.length).toBeGreaterThan(50);
    expect([...new Set(found)].sort()).toEqual(wrong.sort());
  });
});

describe('the module compiles', () => {
  it('for each fixture', () => {
    const names = objectNames.filter((name) => !['nobtf', 'bigendian'].includes(name));
    const files = names.flatMap((name) => {
      const { text, constant } = typesModule(objectSpec(name));
      const use =
        `import { ObjectSpec } from 'netkit';\nimport { ${constant} } from './${name}.types.js';\n` +
        `ObjectSpec.readSync('x', { types: ${constant} });\n`;
      return [
        [`${name}.types.ts`, text],
        [`${name}.ts`, use],
      ];
    });
    expect(typeErrors(Object.fromEntries(files))).toEqual([]);
  });

  it('for random types, and takes each value that comes out of them as one that goes in', () => {
    const types = fc.sample(shape, { numRuns: 120, seed: 11 }).filter(({ size }) => size > 0);
    const { source, valueCodecs } = sourceOf(
      Object.fromEntries(types.map(({ build }, index) => [`m${index}`, { value: build }])),
    );
    const { text, type } = typesModule(source);
    const uses = [...valueCodecs].map(([name, codec], index) => {
      const bytes = Uint8Array.from({ length: codec.size }, (_, at) =>
        index % 3 === 0 ? 0 : (at * 37 + index * 101) & 255,
      );
      const value = codec.decode(new DataView(bytes.buffer), 0);
      const of = (part: string): string => `${type}['maps']['${name}']['${part}']`;
      return `export const r${index}: ${of('value')} = ${sourceText(value)};\nexport const w${index}: ${of('valueInput')} = r${index};\n`;
    });
    const use = `import type { ${type} } from './object.js';\n${uses.join('')}`;
    expect(typeErrors({ 'object.ts': text, 'use.ts': use })).toEqual([]);
  });

  it('for names that are no names in TypeScript, or that it has already', () => {
    const odd = fc.oneof(
      fc.constantFrom(
        ...[
          'class',
          'default',
          'a b',
          "it's",
          '*/',
          '/*',
          '`${x}`',
          '\\',
          '\\u{',
          'é',
          '\u202e',
          '1a',
          '$',
          '🦀',
        ],
        ...[
          'constructor',
          'toString',
          'String',
          'Array',
          'Hex',
          'ObjectTypes',
          'never',
          "'",
          '"',
          '//',
          'x'.repeat(5000),
        ],
      ),
      fc
        .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
        .filter((name) => !/[\0\n]|^__proto__$/.test(name)),
    );
    const [first, ...rest] = fc.sample(fc.uniqueArray(odd, { minLength: 12, maxLength: 12 }), {
      numRuns: 40,
      seed: 5,
    });
    const files = [first ?? [], ...rest].map((names, index) => {
      const at = (place: number): string => names[place] ?? '';
      const { source } = sourceOf(
        {
          [at(0)]: {
            key: (btf) => btf.enum(at(1), { [at(2)]: 0, [at(3)]: 1 }),
            value: (btf, c) =>
              btf.struct(at(4), 12, [
                { name: at(5), type: c.u32, offset: 0 },
                { name: at(6), type: btf.typedef(at(7), btf.enum('', { [at(8)]: 1 })), offset: 4 },
                {
                  name: at(9),
                  type: btf.struct(at(1), 4, [{ name: at(2), type: c.u32, offset: 0 }]),
                  offset: 8,
                },
              ]),
          },
          ['__proto__']: { value: (_, c) => c.u64 },
        },
        { name: at(10) },
      );
      const made = typesModule({ ...source, path: `${at(11)}/${at(10)}` });
      expect(made.text).toMatch(/^[\x20-\x7e\n]*$/);
      return [`f${index}.ts`, made.text];
    });
    expect(typeErrors(Object.fromEntries(files))).toEqual([]);
  });

  it('for a damaged object, or that is refused', () => {
    const files: Record<string, string> = {};
    let refused = 0;
    const runs = fc.sample(fc.tuple(fc.constantFrom('maps', 'globals', 'many'), damages), {
      numRuns: 2500,
      seed: 3,
    });
    for (const [name, steps] of runs) {
      const text = textOrRefusal(damaged(objectBytes(name), steps));
      if (text === undefined) refused++;
      else files[`f${createKey(text)}.ts`] = text;
    }
    expect(refused).toBeGreaterThan(100);
    expect(Object.keys(files).length).toBeGreaterThan(50);
    expect(typeErrors(files)).toEqual([]);
  });

  it('for an enum of 20,000 names and a union of 1,000 members', () => {
    const { source } = sourceOf({
      m: {
        key: (btf) =>
          btf.enum('big', Object.fromEntries(Array.from({ length: 20_000 }, (_, at) => [`e${at}`, at]))),
        value: (btf, c) =>
          btf.union(
            'wide',
            4,
            Array.from({ length: 1000 }, (_, at) => ({ name: `u${at}`, type: c.u32, offset: 0 })),
          ),
      },
    });
    const { text } = typesModule(source);
    const use = `import type { Fuzz } from './object.js';\nexport const key: Fuzz['maps']['m']['keyInput'] = 'e19999';\n`;
    expect(typeErrors({ 'object.ts': text, 'use.ts': use })).toEqual([]);
  });
});

describe('of a union one alternative is given', () => {
  const { source } = sourceOf({
    m: {
      value: (btf, c) =>
        btf.struct('rule', 20, [
          { name: 'family', type: c.u32, offset: 0 },
          {
            type: btf.union('', 16, [
              { name: 'addr_v4', type: c.be32, offset: 0 },
              { name: 'addr_v6', type: btf.array(c.u8, 16), offset: 0 },
            ]),
            offset: 4,
          },
        ]),
    },
  });
  const { text } = typesModule(source);
  /** Of these values those that do not compile. */
  const refused = (values: readonly string[]): string[] => {
    const lines = values.map((value, at) => `export const rule${at}: RuleInput = ${value};\n`);
    const use = `import type { RuleInput } from './object.js';\n${lines.join('')}`;
    const errors = typeErrors({ 'object.ts': text, 'use.ts': use });
    return errors.map((error) => values[Number(/^use\.ts\((\d+)/.exec(error)?.[1]) - 2] ?? error);
  };

  it('and compiles, as does none', () => {
    const right = [
      "{ family: 4, addr_v4: '10.0.0.1' }",
      "{ family: 6, addr_v6: '::1' }",
      '{ family: 1 }',
      '4',
      '{}',
    ];
    expect(refused(right)).toEqual([]);
  });

  it('and not both, nor what is neither', () => {
    const wrong = [
      "{ addr_v4: '10.0.0.1', addr_v6: '::1' }",
      "{ addr_v4: '::1' }",
      "{ addr_v6: '10.0.0.1' }",
      "{ family: 4, addr_v5: '' }",
      "'10.0.0.1'",
      'null',
    ];
    expect(refused(wrong)).toEqual(wrong);
  });
});

function textOrRefusal(bytes: Uint8Array): string | undefined {
  try {
    return typesModule(ObjectSpec.parse(bytes, { path: 'damaged.bpf.o' })).text;
  } catch (error) {
    if (error instanceof NetkitError && error.code === 'bad-object') return undefined;
    throw error;
  }
}

/** Equal texts need to be compiled once only. */
function createKey(text: string): string {
  let hash = 0;
  for (let at = 0; at < text.length; at++) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) >>> 0;
  return hash.toString(16);
}

/** A value as it is written in TypeScript. */
function sourceText(value: Value): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[${value.map(sourceText).join(', ')}]`;
  return `{ ${Object.entries(value)
    .map(([name, member]) => `${JSON.stringify(name)}: ${sourceText(member)}`)
    .join(', ')} }`;
}
