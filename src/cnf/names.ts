import { NetkitError } from '../base/errors.js';

/** What a function, and a chain, may be called. */
export const functionName = /^[a-z0-9][a-z0-9_-]{0,62}$/;

/** For a function that is to be. @throws NetkitError `usage` unless the name is one that a function may have */
export function checkNewName(name: string): string {
  if (functionName.test(name)) return name;
  throw new NetkitError('usage', `'${name}' cannot be a function's name`, {
    hint: 'a name has lower-case letters, digits, - and _, begins with a letter or digit, and is at most 63 long: choose one with --name',
  });
}

/** For one that is there, or was. @throws NetkitError `usage` unless the name is one that a function may have */
export function checkFunctionName(name: string): string {
  if (functionName.test(name)) return name;
  const [whole = ''] = name.split('/');
  const hint = functionName.test(whole)
    ? `this is about whole functions: '${whole}'`
    : "'netkit list' shows the functions";
  throw new NetkitError('usage', `'${name}' cannot be a function's name`, { hint });
}

export function isFunctionName(name: string): boolean {
  return functionName.test(name);
}
