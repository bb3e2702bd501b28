import { z } from 'zod';
import { count, maybe, text } from './shapes.js';

const met = z.strictObject({
  hook: text(
    'The hook: xdp, xdp/chain for a member of an XDP chain, tcx/ingress, tc/egress, netfilter/input, …',
  ),
  program: maybe(
    z.strictObject({
      id: count("The kernel's id."),
      name: text("The kernel's name of it."),
      type: text("The kernel's word for its type."),
    }),
    'The program; null for a tc filter without eBPF, and for one that went meanwhile.',
  ),
  linkId: maybe(
    count("The kernel's id of the link."),
    'Null without a link, and where the kernel does not tell.',
  ),
  priority: maybe(z.int(), 'Lower ones run first; null where the hook has no such numbers.'),
  detail: maybe(z.string(), 'The XDP mode, the handle of a tc filter, the cgroup, …'),
  owner: z
    .strictObject({
      function: maybe(
        z.strictObject({
          name: text('The name of the function.'),
          program: text("The program's name in it."),
        }),
        "A function of netkit's.",
      ),
      libxdp: z
        .boolean()
        .meta({ description: 'Whether libxdp keeps it: the dispatcher or a member of a chain.' }),
      pin: maybe(z.string(), 'The pin of another tool that keeps it.'),
      process: maybe(
        z.strictObject({ pid: count('The process id.'), command: text('Its name.') }),
        'A process of another tool that holds it.',
      ),
    })
    .meta({ description: 'Whose it is, as far as that shows.' }),
  runs: maybe(
    count('Runs.'),
    'How often it ran; null while the kernel keeps no statistics, and for members of XDP chains, which it does not count.',
  ),
  runNs: maybe(count('Nanoseconds.'), 'Nanoseconds in all, likewise.'),
});
const way = (about: string) => z.array(met).meta({ description: about });

/** The document of `net`. */
export const netDocument = z.strictObject({
  statistics: z.boolean().meta({ description: 'Whether the kernel counts runs of programs.' }),
  interfaces: z
    .array(
      z.strictObject({
        ifname: text('The interface.'),
        ifindex: count('Its index.'),
        receive: way('What packets meet that it receives, in order.'),
        send: way('What packets meet that it sends, in order.'),
      }),
    )
    .meta({ description: 'The interfaces.' }),
  receive: way('What packets meet behind every interface, in order.'),
  send: way('What packets meet before every interface, in order.'),
});
