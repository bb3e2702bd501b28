import { NetkitError } from '../base/errors.js';
import type { ListedFunction } from '../cnf/inventory.js';
import { noSuchFunction } from '../cnf/reference.js';
import type { CommandContext } from './context.js';
import { pinsOf } from './environment.js';

/** The functions that a list command is about. @throws NetkitError `not-found`; `usage` for a name beside `--all` */
export function selected(
  functions: readonly ListedFunction[],
  name: string | undefined,
  all: boolean,
  context: CommandContext,
): readonly ListedFunction[] {
  if (name === undefined) return functions;
  if (all) throw new NetkitError('usage', '--all lists what the kernel has: leave the function out');
  const found = functions.filter((listed) => listed.name === name);
  if (found.length === 0) throw noSuchFunction(name, pinsOf(context));
  return found;
}
