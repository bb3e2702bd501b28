import { NetkitError } from '../../base/errors.js';
import { change } from '../../cnf/environment.js';
import { describeTarget } from '../../cnf/hooks/index.js';
import { findFunction, listFunctions } from '../../cnf/inventory.js';
import type { LinkState } from '../../cnf/link-state.js';
import { planRearrange, type RearrangeRequest } from '../../cnf/rearrange-function.js';
import { idOf, splitReference } from '../../cnf/reference.js';
import { planUpdateProgram } from '../../cnf/update-program.js';
import { sayReturn } from '../confirmation.js';
import type { Command, CommandContext } from '../context.js';
import { linkDocument, recordedLinkDocument } from '../describe.js';
import { changeDocument, environmentOf, pinsOf, storeOf } from '../environment.js';
import { proceedOnOption, wholeNumber } from '../hook-options.js';

export const run: Command<'link update'> = async (context, { program: reference, target }, options) => {
  const { priority, proceedOn, program: next, allowGap } = options;
  const isMoved = priority !== undefined || proceedOn !== undefined;
  if (!isMoved && next === undefined) {
    throw new NetkitError('usage', 'nothing is to be changed', {
      hint: 'give --program, --priority or --proceed-on',
    });
  }
  if (isMoved && next !== undefined)
    throw new NetkitError('usage', '--program is given alone: a program, or its place, is changed');
  if (allowGap && next === undefined) throw new NetkitError('usage', '--allow-gap goes with --program');
  const request: RearrangeRequest = {
    ...meant(context, reference, target),
    priority: wholeNumber(priority, '--priority'),
    proceedOn: proceedOnOption(proceedOn),
  };
  let links: readonly LinkState[] = [];
  const outcome = await change(environmentOf(context, options.confirm), (world) => {
    const proposal =
      next === undefined
        ? planRearrange(world, request)
        : planUpdateProgram(world, { ...request, next: programOf(next, request.function), allowGap });
    links = proposal.links;
    return proposal;
  });
  const present = findFunction(pinsOf(context), storeOf(context), request.function)?.links ?? [];
  const document = {
    function: request.function,
    links: links.map((link) => {
      const listed = context.options.dryRun ? undefined : present.find(({ name }) => name === link.name);
      return listed === undefined ? recordedLinkDocument(link, request.function) : linkDocument(listed);
    }),
    returnsAt: outcome.returnsAt ?? null,
    ...changeDocument(context, outcome.actions),
  };
  context.output.done(document, (page) => {
    if (context.options.dryRun) for (const { about } of document.actions) page.line(`would ${about}`);
    else
      for (const link of links)
        page.line(`${request.function}/${link.program} is on ${describeTarget(link)} now`);
    sayReturn(page, outcome.returnsAt, request.function);
  });
};

/** A program of the same function, as `FUNCTION/PROGRAM` or by its name alone. */
function programOf(text: string, functionName: string): string {
  if (!text.includes('/')) return text;
  const { functionName: owner, name = '' } = splitReference(text);
  if (owner === functionName) return name;
  throw new NetkitError('usage', `'${text}' is of another function than ${functionName}`, {
    hint: "a link runs programs of its own function: 'netkit replace' puts another object in its place",
  });
}

function meant(
  context: CommandContext<'link update'>,
  reference: string,
  target: string | undefined,
): Pick<RearrangeRequest, 'function' | 'program' | 'target' | 'netns' | 'link'> {
  const id = idOf(reference);
  if (id === undefined) {
    const { functionName, name } = splitReference(reference);
    return { function: functionName, program: name, target, netns: context.options.netns };
  }
  if (target !== undefined) throw new NetkitError('usage', 'id:N names one link: leave the target out');
  const own = listFunctions(pinsOf(context), storeOf(context))
    .flatMap(({ links }) => links)
    .find(({ info }) => info?.id === id);
  if (own?.function !== undefined && own.state !== undefined)
    return { function: own.function, link: own.state.name };
  throw new NetkitError('not-found', `link ${id} is none of netkit's`, {
    hint: 'netkit changes the places of its own programs only',
  });
}
