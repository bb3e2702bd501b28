/** The program of a function, and its globals. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { packageRoot } from '../../src/host/package-root.js';
import type { FieldRow } from './apply-rows.js';
import { bpftool } from './ground.js';
import { attachedTo, functionOf, type ManifestDocument, type ManifestGround } from './manifest-ground.js';

const root = packageRoot();
/** So that each compilation is of the fixture, with a step of its own. */
const including = (step: number) =>
  `#define STEP ${step}\n#include "${join(root, 'test/fixtures/fields.bpf.c')}"\n`;
const plain = `#include "${join(root, 'test/fixtures/fields.bpf.c')}"\n`;

const stepOf = async (g: ManifestGround) => (await g.arriving()).one;

/** One program on the defended interface, from wherever. */
const from =
  (program: (g: ManifestGround) => object, more: object = {}) =>
  (g: ManifestGround): ManifestDocument[] => [
    functionOf({ program: { ...program(g), only: ['one'] }, attach: [attachedTo(g, 'one')], ...more }),
  ];

const fromSource = (more: object = {}) =>
  from((g) => {
    g.writes('s.bpf.c', plain);
    return { source: 's.bpf.c', ...more };
  });

/** What a tracing program is attached to by the kernel's word. */
function tracedBy(g: ManifestGround): string {
  const [pin = ''] = readdirSync(g.pin('f/links'));
  const shown = bpftool('link', 'show', 'pinned', g.pin('f/links', pin));
  return z.looseObject({ tp_name: z.string() }).parse(shown).tp_name;
}

/** A tracing program that is loaded for an event which only the manifest names. */
const tracing = (kind: 'source' | 'object') => (g: ManifestGround) => {
  g.writes('s.bpf.c', plain);
  const program = kind === 'source' ? { source: 's.bpf.c' } : { object: g.object };
  return [
    functionOf({
      program: { ...program, only: ['event'], targets: { event: 'sys_enter' } },
      attach: [{ program: 'event' }],
    }),
  ];
};

const program = 'NetworkFunction.spec.program';

export const programRows: readonly FieldRow[] = [
  {
    field: `${program}(source).source`,
    base: from((g) => {
      g.writes('a.bpf.c', including(3));
      g.writes('b.bpf.c', including(4));
      return { source: 'a.bpf.c' };
    }),
    at: 'spec.program.source',
    to: () => 'b.bpf.c',
    look: stepOf,
    sees: [3, 4],
  },
  {
    field: `${program}(source).source`,
    case: 'the file itself',
    base: from(() => ({ source: 'c.bpf.c' })),
    file: { name: 'c.bpf.c', from: including(5), to: including(6) },
    at: 'spec.program.source',
    look: stepOf,
    sees: [5, 6],
  },
  {
    field: `${program}(source).includes[]`,
    base: (g) => {
      g.writes('first/step.h', '#define STEP 10\n');
      g.writes('second/step.h', '#define STEP 20\n');
      return fromSource({ includes: ['first'] })(g);
    },
    at: 'spec.program.includes',
    to: () => ['second'],
    look: stepOf,
    sees: [10, 20],
  },
  {
    field: `${program}(source).includes[]`,
    case: 'a header in it',
    base: fromSource({ includes: ['first'] }),
    file: { name: 'first/step.h', from: '#define STEP 10\n', to: '#define STEP 11\n' },
    at: 'spec.program.source',
    look: stepOf,
    sees: [10, 11],
  },
  {
    field: `${program}(source).defines.*`,
    base: fromSource({ defines: { STEP: 30 } }),
    at: 'spec.program.defines.STEP',
    to: () => 40,
    look: stepOf,
    sees: [30, 40],
  },
  {
    field: `${program}(source).only[]`,
    base: fromSource({ defines: { STEP: 30 } }),
    at: 'spec.program.only',
    to: () => ['one', 'two'],
    look: (g) => g.programs(),
    sees: [['one'], ['one', 'two']],
  },
  {
    field: `${program}(source).targets.*`,
    base: tracing('source'),
    at: 'spec.program.targets.event',
    to: () => 'sys_exit',
    look: tracedBy,
    sees: ['sys_enter', 'sys_exit'],
    gap: true,
  },
  {
    field: `${program}(object).object`,
    base: from((g) => ({ object: g.object })),
    at: 'spec.program.object',
    to: (g) => g.heavier,
    look: stepOf,
    sees: [1, 2],
  },
  {
    field: `${program}(object).only[]`,
    base: from((g) => ({ object: g.object })),
    at: 'spec.program.only',
    to: () => ['one', 'two'],
    look: (g) => g.programs(),
    sees: [['one'], ['one', 'two']],
  },
  {
    field: `${program}(object).targets.*`,
    base: tracing('object'),
    at: 'spec.program.targets.event',
    to: () => 'sys_exit',
    look: tracedBy,
    sees: ['sys_enter', 'sys_exit'],
    gap: true,
  },
  {
    field: `${program}(builtin).builtin`,
    case: 'the same object as a file',
    base: () => [functionOf({ program: { builtin: 'firewall' } })],
    at: 'spec.program',
    names: ['spec.program.object', 'spec.program.builtin'],
    to: () => ({ object: join(root, 'dist/bpf/firewall.bpf.o') }),
    look: (g) => g.identity(),
    sees: 'same',
  },
  {
    field: `${program}(builtin).only[]`,
    base: () => [functionOf({ program: { builtin: 'firewall' } })],
    at: 'spec.program.only',
    to: () => ['firewall'],
    look: (g) => g.programs(),
    sees: [['firewall'], ['firewall']],
  },
  {
    field: 'NetworkFunction.spec.globals.*(text)',
    base: from((g) => ({ object: g.object }), { globals: { step: 7 } }),
    at: 'spec.globals.step',
    to: () => 9,
    look: stepOf,
    sees: [7, 9],
  },
  {
    field: 'NetworkFunction.spec.globals.*(list)',
    base: from((g) => ({ object: g.object }), { globals: { table: [1, 2, 3], couple: { a: 1, b: 2 } } }),
    at: 'spec.globals.table',
    to: () => [1, 2, 7],
    look: (g) => readOnly(g).slice(24, 48),
    sees: ['010000000200000003000000', '010000000200000007000000'],
  },
  {
    field: 'NetworkFunction.spec.globals.*(mapping)',
    base: from((g) => ({ object: g.object }), { globals: { table: [1, 2, 3], couple: { a: 1, b: 2 } } }),
    at: 'spec.globals.couple.b',
    to: () => 5,
    look: (g) => readOnly(g).slice(48, 64),
    sees: ['0100000002000000', '0100000005000000'],
  },
];

/** The function's constants: step, verdict, table and couple, one behind the other. */
function readOnly(g: ManifestGround): string {
  return g.entries('f_rodata')['00000000'] ?? '';
}
