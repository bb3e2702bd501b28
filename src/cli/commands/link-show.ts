import { foreignLink, listFunctions } from '../../cnf/inventory.js';
import { openLink } from '../../cnf/reference.js';
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
  const link = linkDocument(
    own ?? { ...foreignLink(info), pin: reference.startsWith('/') ? reference : undefined },
  );
  context.output.result({ link }, (page) =>
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
      ['mode', link.mode],
      ['interface', link.ifname ?? link.ifindex],
      ['namespace', link.netns === null ? null : (link.netns.name ?? link.netns.inode)],
      ['dead', link.dead ? 'yes: what it was attached to is gone' : null],
      ['pin', link.pin],
    ]),
  );
};
