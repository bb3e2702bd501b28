import { NetkitError } from '../base/errors.js';
import { actions } from './actions.js';
import type { CommandModule } from './context.js';
import { readGlobals, readPaths } from './globals.js';
import type { Io } from './io.js';
import { Output } from './output.js';
import { parse } from './parse.js';
import type { Row } from './table/index.js';

/**
 * Runs the body of a command on what follows its name, and returns the exit status. `bodies` are the bodies to choose
 * from, for tests. Throws what the body throws.
 */
export async function perform(
  row: Row,
  rest: readonly string[],
  io: Io,
  bodies: { readonly [name: string]: (() => Promise<CommandModule>) | undefined } = actions,
): Promise<number> {
  const { args, options, values } = parse(row, rest);
  const globals = readGlobals(values, io);
  const paths = readPaths(values, io);
  const output = new Output(io, globals);
  const load = bodies[row.name];
  if (load === undefined) throw new NetkitError('failed', `'${row.name}' has no body`);
  const { run } = await load();
  try {
    const command = ['netkit', row.name, ...rest.map(quoted)].join(' ');
    const status = await run(
      { command, output, paths, options: globals, signal: io.signal, io },
      args,
      options,
    );
    return typeof status === 'number' ? status : 0;
  } finally {
    await output.flush();
  }
}

/** A word as one would type it in a shell. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
