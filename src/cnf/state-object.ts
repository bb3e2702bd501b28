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

/** Files in the state directory that a function needs: for what runs, and for what a rollback can bring back. */
export function keptFiles(state: FunctionState | null): Set<string> {
  if (state === null) return new Set();
  const { object, declared } = state;
  const generations = declared === undefined ? [] : [declared.present, ...declared.former];
  return new Set([
    ...(object === null ? [] : [object.file]),
    ...generations.flatMap((each) => [
      each.object.file,
      ...Object.values(each.entries).map(({ file }) => file),
    ]),
  ]);
}
