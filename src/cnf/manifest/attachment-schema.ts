/** Where a declared function attaches. */
import * as z from 'zod/mini';
import { hookNames, netfilterProtocols, netfilterStages } from '../../base/hook-names.js';
import { xdpVerdicts } from '../../obj/xdp-dispatcher/actions.js';
import { xdpModes } from '../link-state.js';
import { priorityRange } from '../order.js';
import {
  excludes,
  flag,
  interfacePattern,
  listOf,
  maybe,
  needsOneOf,
  oneOf,
  type Rule,
  reference,
  ruled,
  text,
  whole,
} from './schema-parts.js';

export const hook = oneOf(hookNames, "the name of a hook, such as 'xdp' or 'tcx/ingress'");
export const mode = oneOf(xdpModes, 'one of the modes');
export const verdicts = listOf(oneOf(xdpVerdicts, 'one of the verdicts'), 'a list of verdicts');
export const program = text('the name of a program');
export const netns = text('the name of a network namespace, or its path');

const placeExpected = "'first', 'last', {before: REF} or {after: REF}";
const place = z.union(
  [
    z.enum(['first', 'last'], placeExpected),
    z.strictObject({
      before: reference.check(
        z.meta({ description: 'The program that comes somewhere behind this one, as a reference.' }),
      ),
    }),
    z.strictObject({
      after: reference.check(
        z.meta({ description: 'The program that comes somewhere before this one, as a reference.' }),
      ),
    }),
  ],
  placeExpected,
);

const cookieExpected = 'a number from 0 to 2^64-1, in decimal or with 0x';
const cookie = z.string(cookieExpected).check(
  z.meta({ type: ['string', 'integer'], minimum: 0 }),
  z.regex(/^(\d{1,20}|0[xX][0-9a-fA-F]{1,16})$/, cookieExpected),
  z.refine((digits) => !/^\d{1,20}$/.test(digits) || BigInt(digits) < 2n ** 64n, cookieExpected),
);

const { least, most } = priorityRange;
/** Of all hooks together, and of netfilter: the kernel sorts its programs by a signed number. */
const lowest = -0x80000000;
const highest = 0x7fffffff;
const someRange = `a whole number (on most hooks from ${least} to ${most})`;
const widest = `a whole number from ${lowest} to ${highest}, on most hooks from ${least} to ${most}`;
const anyPriority = z.int(someRange).check(z.gte(lowest, widest), z.lte(highest, widest));

/** Where it is the program that says the hook, its priority is looked at when the program is known. */
const priorityOfHook: Rule = {
  broken: ({ hook: name, family, stage, priority }) => {
    if (name === undefined || name === 'netfilter' || family !== undefined || stage !== undefined)
      return undefined;
    // What is wrong on every hook has been found already.
    if (typeof priority !== 'number' || !z.safeParse(anyPriority, priority).success) return undefined;
    // Chains of XDP programs have the numbers of libxdp's protocol.
    const [from, to] = name === 'xdp' ? [0, highest] : [least, most];
    if (priority >= from && priority <= to) return undefined;
    return { path: ['priority'], message: `a whole number from ${from} to ${to}`, isExpectation: true };
  },
  json: {
    anyOf: [
      { not: { required: ['hook'] } },
      { required: ['family'] },
      { required: ['stage'] },
      { properties: { hook: { const: 'netfilter' } } },
      { properties: { hook: { const: 'xdp' }, priority: { minimum: 0 } } },
      { properties: { priority: { minimum: least, maximum: most } } },
    ],
  },
};

export const attachment = ruled(
  z.strictObject(
    {
      program: maybe(
        program,
        'The program of the object. May be left out when the object has one program for the hook.',
      ),
      hook: maybe(
        hook,
        'The hook to attach to. May be left out when a program is named: then its section decides, as `netkit inspect` shows it.',
      ),
      interfaces: maybe(
        listOf(interfacePattern, 'a list of interfaces').check(
          z.minLength(1, 'a list with at least one interface'),
        ),
        'The interfaces, by name or by pattern (`*`, `?` and `[…]`), for hooks that are on interfaces. Each gets an attachment.',
      ),
      target: maybe(
        text('what to attach to'),
        'What to attach to where that is no interface, as `netkit attach` takes it: the path of a cgroup, `category/event`, `binary:symbol`, a function of the kernel, a map.',
      ),
      netns: maybe(
        netns,
        'The network namespace, by name or path, for hooks that are in one. Left out: the one that netkit runs in.',
      ),
      missing: maybe(
        oneOf(['wait', 'fail'], 'one of'),
        'What to do while an interface is not there: `fail`, or `wait` until it appears. The default is `fail` for names and `wait` for patterns.',
      ),
      mode: maybe(
        mode,
        'For XDP: in the driver (`native`), in the kernel’s general code (`generic`), in the card (`offload`), or native where the driver can and generic elsewhere (`auto`, the default).',
      ),
      priority: maybe(
        anyPriority,
        `The place among other programs on the hook: lower ones run first. From ${least} to ${most}, by default 50; for XDP from 0 to ${highest}, by default what the object says; for netfilter any signed 32-bit number.`,
      ),
      proceedOn: maybe(
        verdicts,
        'For XDP: the verdicts upon which the next program of the interface runs. An empty list stands for none. The default is what the object says, or else `pass`.',
      ),
      direct: maybe(
        flag(),
        'For XDP: attach the program alone, without a dispatcher that lets others run beside it.',
      ),
      place: maybe(
        place,
        'The place among other programs where the hook has an order: `first`, `last`, or before or after another program.',
      ),
      cookie: maybe(
        cookie,
        'For probes and tracepoints: the number that `bpf_get_attach_cookie()` gives the program.',
      ),
      pid: maybe(whole(1, 0x7fffffff), 'For uprobes: only in this process.'),
      family: maybe(oneOf(netfilterProtocols, 'one of the protocols'), 'For netfilter: the protocol.'),
      stage: maybe(
        oneOf(netfilterStages, 'one of the stages'),
        'For netfilter: where on its way a packet is seen.',
      ),
      defrag: maybe(flag(), 'For netfilter: have the kernel put fragments together first.'),
    },
    'an attachment (a mapping)',
  ),
  needsOneOf('program', 'hook'),
  excludes('interfaces', 'target'),
  priorityOfHook,
);
