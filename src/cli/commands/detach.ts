import { NetkitError } from '../../base/errors.js';
import { type DetachRequest, planDetach } from '../../cnf/detach-function.js';
import { change, type EnvironmentOptions } from '../../cnf/environment.js';
import { describeTarget } from '../../cnf/hooks/index.js';
import { listFunctions } from '../../cnf/inventory.js';
import type { LinkState } from '../../cnf/link-state.js';
import { foreignLink } from '../../cnf/listed-link.js';
import { idOf, splitReference } from '../../cnf/reference.js';
import { Link } from '../../ebpf/link.js';
import { sayReturn } from '../confirmation.js';
import type { Command, CommandContext } from '../context.js';
import { linkDocument, recordedLinkDocument } from '../describe.js';
import { changeDocument, environmentOf, pinsOf, storeOf } from '../environment.js';

export const run: Command<'detach'> = async (context, { program: reference, target }, { hook, confirm }) => {
  const id = idOf(reference);
  try {
    if (id === undefined) {
      const { functionName, name } = splitReference(reference);
      const request = { function: functionName, program: name, target, hook, netns: context.options.netns };
      await detachOwn(context, request, confirm);
      return;
    }
    if (target !== undefined) throw new NetkitError('usage', 'id:N names one link: leave the target out');
    await detachById(context, id, confirm);
  } catch (error) {
    if (!context.options.ifExists || !(error instanceof NetkitError) || error.code !== 'not-found')
      throw error;
    context.output.done({ links: [], returnsAt: null, ...changeDocument(context, []) }, (page) =>
      page.line('nothing to detach'),
    );
  }
};

async function detachOwn(
  context: CommandContext<'detach'>,
  request: DetachRequest,
  confirm: string | undefined,
): Promise<void> {
  let detached: readonly LinkState[] = [];
  const outcome = await change(environmentOf(context, confirm), (world) => {
    const proposal = planDetach(world, request);
    detached = proposal.detached;
    return proposal;
  });
  const document = {
    links: detached.map((link) => recordedLinkDocument(link, request.function)),
    returnsAt: outcome.returnsAt ?? null,
    ...changeDocument(context, outcome.actions),
  };
  context.output.done(document, (page) => {
    if (context.options.dryRun) for (const { about } of document.actions) page.line(`would ${about}`);
    else
      for (const link of detached)
        page.line(`detached ${request.function}/${link.program} from ${describeTarget(link)}`);
    sayReturn(page, outcome.returnsAt, request.function);
  });
}

/** netkit's own link goes the usual way; any other is detached because it was named. */
async function detachById(
  context: CommandContext<'detach'>,
  id: number,
  confirm: string | undefined,
): Promise<void> {
  const environment: EnvironmentOptions = environmentOf(context, confirm);
  const own = listFunctions(pinsOf(context), storeOf(context))
    .flatMap(({ links }) => links)
    .find(({ info }) => info?.id === id);
  if (own?.function !== undefined && own.state !== undefined) {
    await detachOwn(context, { function: own.function, links: [own.state.name] }, confirm);
    return;
  }
  if (confirm !== undefined)
    throw new NetkitError(
      'usage',
      `link ${id} is none of netkit's: what is detached cannot be attached again`,
      {
        hint: 'leave --confirm out',
      },
    );
  using link = Link.fromId(id);
  const before = linkDocument(foreignLink(link.info()));
  if (environment.dryRun !== true) link.detach();
  const about = `detach link ${id}`;
  context.output.done(
    {
      links: [before],
      returnsAt: null,
      dryRun: context.options.dryRun,
      actions: [{ kind: 'detach', about }],
    },
    (page) =>
      page.line(
        context.options.dryRun
          ? `would ${about}`
          : `detached link ${id} (${before.type}, program ${before.program.name ?? before.program.id ?? 'unknown'})`,
      ),
  );
}
