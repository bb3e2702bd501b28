import { NetkitError } from '../../base/errors.js';
import { type AttachProposal, type AttachRequest, planAttach } from '../../cnf/attach-function.js';
import { change } from '../../cnf/environment.js';
import { holdAttached } from '../../cnf/hold.js';
import { describeTarget } from '../../cnf/hooks/index.js';
import { findFunction } from '../../cnf/inventory.js';
import type { LinkState } from '../../cnf/link-state.js';
import { splitReference } from '../../cnf/reference.js';
import { sayReturn } from '../confirmation.js';
import type { Command, CommandContext } from '../context.js';
import { linkDocument, recordedLinkDocument } from '../describe.js';
import { changeDocument, environmentOf, pinsOf, storeOf } from '../environment.js';
import { hookOptions } from '../hook-options.js';

export const run: Command<'attach'> = async (context, { program: reference, target }, options) => {
  const { functionName, name } = splitReference(reference);
  const request: AttachRequest = {
    function: functionName,
    program: name,
    target,
    hook: options.hook,
    netns: context.options.netns,
    options: hookOptions(options),
  };
  return options.hold ? hold(context, request) : attach(context, request, options.confirm);
};

async function attach(
  context: CommandContext<'attach'>,
  request: AttachRequest,
  confirm: string | undefined,
): Promise<number> {
  const notes = notesOf(context);
  let proposal: AttachProposal | undefined;
  const aboutPlan: Parameters<LinkNotes['note']>[] = [];
  const outcome = await change({ ...environmentOf(context, confirm), note: notes.note }, (world) => {
    proposal = planAttach({ ...world, note: (...about) => aboutPlan.push(about) }, request);
    return proposal;
  });
  // The way that was taken is told when it has led there.
  for (const about of aboutPlan) notes.note(...about);
  const planned = outcome.actions.flatMap((action) => (action.kind === 'attach' ? [action.link] : []));
  const already = proposal?.already ?? [];
  const changed = changeDocument(context, outcome.actions);
  const document = () => {
    const present = findFunction(pinsOf(context), storeOf(context), request.function)?.links ?? [];
    const show = (link: LinkState, isOld: boolean) => {
      const listed = present.find((each) => each.name === link.name);
      return {
        link: listed === undefined ? recordedLinkDocument(link, request.function) : linkDocument(listed),
        already: isOld,
        note: notes.of(link),
      };
    };
    return {
      function: request.function,
      links: [...already.map((link) => show(link, true)), ...planned.map((link) => show(link, false))],
      returnsAt: outcome.returnsAt ?? null,
      ...changed,
    };
  };
  context.output.done(document, (page) => {
    if (changed.dryRun) for (const { about } of changed.actions) page.line(`would ${about}`);
    for (const link of already)
      page.line(`${request.function}/${link.program} is attached to ${describeTarget(link)} already`);
    if (context.options.dryRun) return;
    for (const link of planned) {
      page.line(
        `attached ${request.function}/${link.program} to ${describeTarget(outcome.made.get(link.name) ?? link)}`,
      );
    }
    sayReturn(page, outcome.returnsAt, request.function);
  });
  return 0;
}

/** Attaches, and detaches when it is stopped. */
async function hold(context: CommandContext<'attach'>, request: AttachRequest): Promise<number> {
  if (context.session !== undefined)
    throw new NetkitError('usage', '--hold stays in the foreground: a batch cannot wait for it');
  const notes = notesOf(context);
  using held = await holdAttached({ ...environmentOf(context), note: notes.note }, request);
  const document = {
    function: request.function,
    links: held.links.map((link) => ({
      link: recordedLinkDocument(link, request.function),
      already: false,
      note: notes.of(link),
    })),
    returnsAt: null,
    dryRun: context.options.dryRun,
    actions: held.links.map((link) => ({
      kind: 'attach',
      about: `attach ${request.function}/${link.program} to ${describeTarget(link)}, until it is stopped`,
    })),
  };
  context.output.done(document, (page) => {
    for (const { about } of document.actions)
      page.line(context.options.dryRun ? `would ${about}` : about.replace(/^attach/, 'attached'));
  });
  if (context.options.dryRun) return 0;
  await aborted(context.signal);
  // As for every command that Ctrl-C ends.
  return 130;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    // A listener alone does not keep a process going.
    const timer = setInterval(() => undefined, 2 ** 30);
    const end = (): void => {
      clearInterval(timer);
      resolve();
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}

interface LinkNotes {
  note(text: string, link?: string): void;
  of(link: LinkState): string | null;
}

function notesOf(context: CommandContext<'attach'>): LinkNotes {
  const texts = new Map<string, string>();
  return {
    note(text, link) {
      const before = link === undefined ? undefined : texts.get(link);
      if (link !== undefined) texts.set(link, before === undefined ? text : `${before}; ${text}`);
      context.output.note(text);
    },
    of: ({ name }) => texts.get(name) ?? null,
  };
}
