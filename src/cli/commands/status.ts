import { declaredStatus } from '../../cnf/declared/status.js';
import { functionKinds } from '../../functions/index.js';
import type { Command } from '../context.js';
import { pinsOf, storeOf } from '../environment.js';
import { statusDocument } from '../status-document.js';
import { fillStatus } from '../status-page.js';

export const run: Command<'status'> = async (context, { name: names }) => {
  const store = storeOf(context);
  const around = { store, bpffs: pinsOf(context), kinds: functionKinds, signal: context.signal };
  const status = await declaredStatus(names, around);
  const document = statusDocument(status);
  context.output.result(document, (page) => fillStatus(page, document));
};
