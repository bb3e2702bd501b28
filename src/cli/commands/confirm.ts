import { NetkitError } from '../../base/errors.js';
import { checkFunctionName } from '../../cnf/names.js';
import { confirmChanges } from '../../cnf/pending/confirming.js';
import { readablePending } from '../../cnf/pending/record.js';
import { pendingDocument, pendingText, returnedDocument, returnedText } from '../confirmation.js';
import type { Command } from '../context.js';
import { changeDocument, environmentOf, storeOf } from '../environment.js';

export const run: Command<'confirm'> = async (context, { function: name }) => {
  if (name !== undefined) checkFunctionName(name);
  const { output, options } = context;
  const { kept, returned, stuck, actions } = await confirmChanges(environmentOf(context), name);
  const [failed] = stuck;
  if (failed?.problem !== undefined && failed.problem !== null && kept.length === 0) {
    throw new NetkitError('conflict', failed.problem, {
      hint: `when the cause is mended, 'netkit recover' takes back the rest`,
      details: { function: failed.plan.function },
    });
  }
  const late = returned.map(returnedDocument);
  const [first] = late;
  if (first !== undefined && kept.length === 0) {
    throw new NetkitError('conflict', late.map(returnedText).join('; '), {
      hint: 'do it again, with more time',
      details: { returned: late },
    });
  }
  output.done(
    { kept: kept.map(pendingDocument), returned: late, ...changeDocument(context, actions) },
    (page) => {
      if (kept.length === 0)
        page.line(`nothing ${name === undefined ? '' : `of '${name}' `}waits to be confirmed`);
      for (const { plan } of kept) page.line(`${options.dryRun ? 'would keep' : 'kept'} '${plan.command}'`);
    },
  );
  // Somebody who mistypes the name must not think that all is well.
  if (name !== undefined && kept.length === 0) for (const text of othersWaiting()) output.warn(text);
  for (const each of late) output.warn(returnedText(each));
  for (const { problem } of stuck) if (problem !== null) output.warn(problem);
  return late.length + stuck.length > 0 ? 5 : 0;

  function othersWaiting(): string[] {
    return readablePending(storeOf(context))
      .filter(({ stage }) => stage === 'waiting')
      .map((change) => pendingText(pendingDocument(change)));
  }
};
