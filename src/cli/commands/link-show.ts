import { listFunctions } from '../../cnf/inventory.js';
import { standingOrder } from '../../cnf/link-order.js';
import { foreignLink } from '../../cnf/listed-link.js';
import { openLink } from '../../cnf/reference.js';
import { openNetns } from '../../host/netns.js';
import type { Command } from '../context.js';
import { linkDocument } from '../describe.js';
import { pinsOf, storeOf } from '../environment.js';
import { openReference } from '../open-reference.js';

export const run: Command<'link show'> = async (context, { reference }) => {
  const bpffs = pinsOf(context);
  using opened = await openReference(context, reference, openLink);
  const info = opened.info();
  const own = listFunctions(bpffs, storeOf(context))
    .flatMap(({ links }) => links)
    .find((listed) => listed.info?.id === info.id);
  const listed = own ?? { ...foreignLink(info), pin: reference.startsWith('/') ? reference : undefined };
  const link = linkDocument(listed);
  using netns = context.options.netns === undefined ? undefined : openNetns(context.options.netns);
  const order = standingOrder(listed, netns) ?? null;
  context.output.result({ link, order }, (page) =>
    page.fields([
      ['name', link.name],
      ['id', link.id],
      ['type', link.type],
      ['function', link.function],
      [
        'program',
        `${link.program.name ?? 'unknown'}${link.program.id === null ? '' : ` (id ${link.program.id})`}`,
      ],
      ['hook', link.hook],
      ['detail', link.detail],
      ['target', link.target],
      ['interface', link.ifname === null ? link.ifindex : null],
      ['namespace', link.netns === null ? null : (link.netns.name ?? link.netns.inode)],
      ['place', order === null ? null : `${order.place} of ${order.of}`],
      ['priority', order?.priority ?? null],
      ['dead', link.dead ? 'yes: what it was attached to is gone' : null],
      ['pin', link.pin],
    ]),
  );
};
