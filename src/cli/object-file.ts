import { NetkitError } from '../base/errors.js';
import { builtinObject, builtinPrefix } from '../cnf/builtin-object.js';

/**
 * The path of an object that a user names: a file, or `builtin:NAME` for a function that comes with netkit.
 * @throws NetkitError `not-found` for an unknown builtin, with the name that was probably meant
 */
export function objectFile(text: string): string {
  if (text.endsWith('.c')) {
    throw new NetkitError('bad-object', `${text} is C source, not an object file`, {
      hint: `compile it first: netkit build ${text}`,
    });
  }
  return text.startsWith(builtinPrefix) ? builtinObject(text.slice(builtinPrefix.length)) : text;
}
