import { openMap } from '../../cnf/reference.js';
import type { Command } from '../context.js';
import { openReference } from '../open-reference.js';
import { mapNameOf } from '../typed-map.js';

export const run: Command<'map freeze'> = async (context, { reference }) => {
  using map = await openReference(context, reference, openMap);
  const { dryRun } = context.options;
  const isFrozen = map.accounting().frozen === true;
  if (!isFrozen && !dryRun) map.freeze();
  const document = {
    map: mapNameOf(map, reference),
    dryRun,
    actions: isFrozen ? [] : [{ kind: 'freeze', about: `make ${reference} read-only for user space` }],
  };
  context.output.done(document, (page) =>
    page.line(
      isFrozen
        ? `${reference} is frozen already`
        : dryRun
          ? `would freeze ${reference}: user space can never write it again`
          : `${reference} is frozen: user space can never write it again`,
    ),
  );
};
