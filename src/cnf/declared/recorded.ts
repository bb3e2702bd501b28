/** What is recorded of generations and chains: their documents, and the objects that they were loaded from. */
import { NetkitError } from '../../base/errors.js';
import { ObjectSpec } from '../../obj/spec.js';
import type { ChainState } from '../chain-state.js';
import type { Generation } from '../declaration.js';
import {
  type ChainDocument,
  chainDocument,
  type FunctionDocument,
  functionDocument,
} from '../manifest/schema.js';
import type { StateStore } from '../store.js';
import type { ResolvedObject } from './object.js';

/** @throws NetkitError `bad-state` when it is gone or damaged */
export function objectOfGeneration(
  { object, number, builtFrom }: Generation,
  store: StateStore,
): ResolvedObject {
  try {
    const spec = ObjectSpec.readSync(store.objectPath(object.file));
    return {
      spec,
      path: object.path,
      sha256: object.sha256,
      built: builtFrom,
      compiled: null,
      diagnostics: [],
    };
  } catch (error) {
    if (!(error instanceof NetkitError)) throw error;
    throw new NetkitError(
      'bad-state',
      `the object of generation ${number} cannot be read: ${error.message}`,
      {
        cause: error,
      },
    );
  }
}

/** @throws NetkitError `bad-state` when it is none */
export function documentOf(name: string, { document, number }: Generation): FunctionDocument {
  const read = functionDocument.safeParse(document);
  if (read.success) return read.data;
  throw damaged(`generation ${number} of '${name}'`, read.error.issues[0]);
}

/** @throws NetkitError `bad-state` when it is none */
export function chainDocumentOf({ name, document }: ChainState): ChainDocument {
  const read = chainDocument.safeParse(document);
  if (read.success) return read.data;
  throw damaged(`the chain '${name}'`, read.error.issues[0]);
}

function damaged(
  what: string,
  issue: { readonly path: readonly PropertyKey[]; readonly message: string } | undefined,
): NetkitError {
  const where = issue === undefined ? '' : ` at '${issue.path.map(String).join('.')}': ${issue.message}`;
  return new NetkitError('bad-state', `what is recorded of ${what} is damaged${where}`, {
    hint: "'netkit apply -f FILE' with its manifest writes it anew, when 'netkit unload' has removed it",
  });
}
