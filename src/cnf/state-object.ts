import { NetkitError } from '../base/errors.js';
import type { FunctionState } from './state.js';

/** The file, in the state directory, of the object that a function was loaded from. @throws NetkitError `unsupported` for one that was adopted */
export function storedObjectFile({ name, object }: Pick<FunctionState, 'name' | 'object'>): string {
  if (object !== null) return object.file;
  throw new NetkitError(
    'unsupported',
    `'${name}' was adopted from another tool: there is no object that its programs could be loaded from`,
    {
      hint: `'netkit replace ${name} OBJ' gives it one; XDP programs go on an interface with --direct`,
      details: { function: name },
    },
  );
}
