import { NetkitError } from '../base/errors.js';
import { actions } from './actions.js';
import { commandText } from './command-text.js';
import type { CommandContext, CommandModule } from './context.js';
import { readGlobals, readPaths } from './globals.js';
import type { Io } from './io.js';
import { Output } from './output.js';
import { type Parsed, parse } from './parse.js';
import type { Row } from './table/index.js';

/**
 * Runs the body of a command on what follows its name, and returns the exit status. `bodies` are the bodies to choose
 * from, for tests. Throws what the body throws.
 */
export async function perform(
  row: Row,
  rest: readonly string[],
  io: Io,
  bodies: Bodies = actions,
): Promise<number> {
  const parsed = parse(row, rest);
  const options = readGlobals(parsed.values, io);
  const context: CommandContext = {
    command: commandText(row, rest),
    output: new Output(io, options),
    paths: readPaths(parsed.values, io),
    options,
    signal: io.signal,
    io,
    perform: (line, command, words) => performIn(line, command, words, bodies),
  };
  return performIn(context, row, parsed, bodies);
}

type Bodies = { readonly [name: string]: (() => Promise<CommandModule>) | undefined };

/** Runs the body of a command in surroundings made for it. */
async function performIn(
  context: CommandContext,
  row: Row,
  { args, options }: Parsed,
  bodies: Bodies,
): Promise<number> {
  const load = bodies[row.name];
  if (load === undefined) throw new NetkitError('failed', `'${row.name}' has no body`);
  const { run } = await load();
  try {
    const status = await run(context, args, options);
    return typeof status === 'number' ? status : 0;
  } finally {
    await context.output.flush();
  }
}
