/** Where and how a function attaches on interfaces. */
import { kernelLacks } from '../support/known-kernels.js';
import { pingCount } from '../support/netns.js';
import type { FieldRow } from './apply-rows.js';
import {
  attachedTo,
  egress,
  functionOf,
  type ManifestDocument,
  type ManifestGround,
} from './manifest-ground.js';

const attach = 'NetworkFunction.spec.attach[]';

const attached =
  (programs: readonly string[], places: (g: ManifestGround) => readonly object[], more: object = {}) =>
  (g: ManifestGround): ManifestDocument[] => [
    functionOf({ program: { object: g.object, only: programs }, attach: places(g), ...more }),
  ];

const on = (program: string, more: object = {}) => attached([program], (g) => [attachedTo(g, program, more)]);
const order = async (g: ManifestGround) => Object.keys(await g.arriving());

/** How often the program ran for one echo request over the loopback interface, and the answer. */
const overLoopback = (which: 'a' | 'b') => (g: ManifestGround) =>
  g.ran(() => {
    pingCount(g.ground.veth[which].netns, '127.0.0.1', 1);
  });

const xdp = (program: string, more: object = {}) => ({ program, hook: 'xdp', ...more });
const onXdp = (...members: readonly { readonly program: string }[]) =>
  attached(
    members.map(({ program }) => program),
    (g) => members.map((member) => attachedTo(g, member.program, member)),
  );

const tcx = { kernelHas: ['tcx'] } as const;
const three = (place: object) =>
  attached(['one', 'two', 'three'], (g) => [
    attachedTo(g, 'one'),
    attachedTo(g, 'three'),
    attachedTo(g, 'two', { place }),
  ]);

export const attachRows: readonly FieldRow[] = [
  {
    field: `${attach}.program`,
    base: attached(['one', 'two'], (g) => [attachedTo(g, 'one')]),
    at: 'spec.attach[0].program',
    to: () => 'two',
    look: (g) => g.arriving(),
    sees: [{ one: 1 }, { two: 1 }],
  },
  {
    field: `${attach}.hook`,
    base: on('one'),
    at: 'spec.attach[0].hook',
    to: () => egress,
    look: async (g) => [await g.arriving(), await g.ran(() => void g.ground.ping(1))],
    sees: [
      [{ one: 1 }, { one: 1 }],
      [{}, { one: 1 }],
    ],
  },
  {
    field: `${attach}.interfaces[]`,
    base: on('one'),
    at: 'spec.attach[0].interfaces',
    to: (g) => [g.ground.ifname, 'lo'],
    look: async (g) => [await g.arriving(), await overLoopback('b')(g)],
    sees: [
      [{ one: 1 }, {}],
      [{ one: 1 }, { one: 2 }],
    ],
  },
  {
    field: `${attach}.interfaces[]`,
    case: 'a pattern in place of a name',
    base: on('one'),
    at: 'spec.attach[0].interfaces',
    to: () => ['nk*b'],
    look: (g) => g.identity(),
    sees: 'same',
  },
  {
    field: `${attach}.netns`,
    base: on('one', { interfaces: ['lo'] }),
    at: 'spec.attach[0].netns',
    to: (g) => g.ground.veth.a.netns.name,
    look: async (g) => [await overLoopback('a')(g), await overLoopback('b')(g)],
    sees: [
      [{}, { one: 2 }],
      [{ one: 2 }, {}],
    ],
  },
  {
    field: `${attach}.missing`,
    base: on('one', { missing: 'fail' }),
    at: 'spec.attach[0].missing',
    to: () => 'wait',
    look: (g) => g.identity(),
    sees: 'same',
  },
  {
    field: `${attach}.mode`,
    base: on('xdp_one', xdp('xdp_one', { mode: 'native' })),
    at: 'spec.attach[0].mode',
    to: () => 'generic',
    look: (g) => g.xdp()?.mode,
    sees: [1, 2],
    gap: true,
  },
  {
    field: `${attach}.mode`,
    case: 'what it is already',
    base: on('xdp_one', xdp('xdp_one', { mode: 'auto' })),
    at: 'spec.attach[0].mode',
    to: () => 'native',
    look: (g) => [g.identity(), g.xdp()],
    sees: 'same',
  },
  {
    field: `${attach}.direct`,
    base: on('xdp_one', xdp('xdp_one')),
    at: 'spec.attach[0].direct',
    to: () => true,
    look: (g) => g.xdp()?.name === 'xdp_one',
    sees: [false, true],
    gap: true,
  },
  {
    field: `${attach}.priority`,
    base: attached(['one', 'two'], (g) => [
      attachedTo(g, 'one', { priority: 10 }),
      attachedTo(g, 'two', { priority: 20 }),
    ]),
    at: 'spec.attach[0].priority',
    to: () => 30,
    look: order,
    sees: [
      ['one', 'two'],
      ['two', 'one'],
    ],
    gap: kernelLacks('tcx') !== undefined,
  },
  {
    field: `${attach}.priority`,
    case: 'in a chain of XDP programs',
    base: onXdp(xdp('xdp_one', { priority: 10 }), xdp('xdp_two', { priority: 20 })),
    at: 'spec.attach[0].priority',
    to: () => 30,
    look: order,
    sees: [
      ['xdp_one', 'xdp_two'],
      ['xdp_two', 'xdp_one'],
    ],
  },
  {
    field: `${attach}.proceedOn[]`,
    base: onXdp(xdp('xdp_one', { priority: 10 }), xdp('xdp_two', { priority: 20 })),
    at: 'spec.attach[0].proceedOn',
    to: () => ['drop', 'tx'],
    look: order,
    sees: [['xdp_one', 'xdp_two'], ['xdp_one']],
  },
  {
    field: `${attach}.place(word)`,
    needs: tcx,
    base: attached(['one', 'two'], (g) => [attachedTo(g, 'one'), attachedTo(g, 'two', { place: 'last' })]),
    at: 'spec.attach[1].place',
    to: () => 'first',
    look: order,
    sees: [
      ['one', 'two'],
      ['two', 'one'],
    ],
  },
  {
    field: `${attach}.place(before).before`,
    needs: tcx,
    base: three({ before: 'f/one' }),
    at: 'spec.attach[2].place.before',
    to: () => 'f/three',
    look: order,
    sees: [
      ['two', 'one', 'three'],
      ['one', 'two', 'three'],
    ],
  },
  {
    field: `${attach}.place(after).after`,
    needs: tcx,
    base: three({ after: 'f/one' }),
    at: 'spec.attach[2].place.after',
    to: () => 'f/three',
    look: order,
    sees: [
      ['one', 'two', 'three'],
      ['one', 'three', 'two'],
    ],
  },
];
