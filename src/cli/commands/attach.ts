import { NetkitError } from '../../base/errors.js';
import { describeTarget } from '../../cnf/action.js';
import { type AttachProposal, planAttach } from '../../cnf/attach-function.js';
import { change } from '../../cnf/environment.js';
import { findFunction } from '../../cnf/inventory.js';
import { splitReference } from '../../cnf/reference.js';
import type { Command } from '../context.js';
import { linkDocument, recordedLinkDocument } from '../describe.js';
import { changeDocument, environmentOf, pinsOf, storeOf } from '../environment.js';

export const run: Command<'attach'> = async (context, { program: reference, target }, { hook, mode }) => {
  const { functionName, name } = splitReference(reference);
  if (target === undefined) throw new NetkitError('usage', 'attach needs a target: the name of an interface');
  const notes = new Map<string, string>();
  const note = (text: string, link?: string): void => {
    if (link !== undefined) notes.set(link, text);
    context.output.note(text);
  };
  let proposal: AttachProposal | undefined;
  const outcome = await change({ ...environmentOf(context), note }, (world) => {
    proposal = planAttach(world, {
      function: functionName,
      program: name,
      ifname: target,
      hook,
      mode,
      netns: context.options.netns,
    });
    return proposal;
  });
  const planned = outcome.actions.flatMap((action) => (action.kind === 'attach' ? [action.link] : []));
  const present = findFunction(pinsOf(context), storeOf(context), functionName)?.links ?? [];
  const documentOf = (linkName: string) => present.find((link) => link.name === linkName);
  const show = (link: (typeof planned)[number], already: boolean) => {
    const listed = documentOf(link.name);
    return {
      link: listed === undefined ? recordedLinkDocument(link, functionName) : linkDocument(listed),
      already,
      note: notes.get(link.name) ?? null,
    };
  };
  const already = proposal?.already ?? [];
  const document = {
    function: functionName,
    links: [...already.map((link) => show(link, true)), ...planned.map((link) => show(link, false))],
    ...changeDocument(context, outcome.actions),
  };
  context.output.done(document, (page) => {
    if (context.options.dryRun) for (const { about } of document.actions) page.line(`would ${about}`);
    for (const link of already)
      page.line(`${functionName}/${link.program} is attached to ${describeTarget(link)} already`);
    if (context.options.dryRun) return;
    for (const link of planned) {
      page.line(
        `attached ${functionName}/${link.program} to ${describeTarget(outcome.made.get(link.name) ?? link)}`,
      );
    }
  });
};
