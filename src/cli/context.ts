import type { ChangeSession } from '../cnf/session.js';
import type { GlobalOptions } from './globals.js';
import type { Io } from './io.js';
import type { Output } from './output.js';
import type { Parsed } from './parse.js';
import type { DocumentOf } from './schema/index.js';
import type { Arguments, CommandName, Options, Row } from './table/index.js';
import type { ArgumentValue, OptionValue } from './table/types.js';

/** What a command's body gets beside its arguments and options. */
export interface CommandContext<N extends CommandName = CommandName> {
  /** The command line, for messages and for others who wait for this command. */
  readonly command: string;
  /** Where everything that the command says goes. Nothing else in a command writes to a stream. */
  readonly output: Output<DocumentOf<N>>;
  readonly paths: Paths;
  /** The options that every command takes; `dryRun` and `ifExists` are false where the command has no such option. */
  readonly options: GlobalOptions;
  /**
   * Aborted by Ctrl-C, SIGTERM, or a reader of standard output that went away. A body that waits passes it on; one that
   * takes several steps looks at it between them (after an `await`: signals arrive only then), undoes its steps, and
   * throws. Whatever it then throws ends the command with status 130.
   */
  readonly signal: AbortSignal;
  readonly io: Io;
  /** In a batch: the lock that its changes share, and the transaction that they are part of. */
  readonly session?: ChangeSession | undefined;
  /** Runs the body of another command in surroundings made for it, and returns its status: for the lines of a batch. */
  perform(context: CommandContext, row: Row, parsed: Parsed): Promise<number>;
}

export interface Paths {
  /** Absolute. */
  readonly bpffs: string;
  /** Given by option or environment, and so to be a bpffs already: netkit mounts only at its own default. */
  readonly bpffsGiven: boolean;
  /** Absolute. */
  readonly stateDir: string;
}

/**
 * The body of a command, exported as `run` from `src/cli/commands/<name with dashes>.ts` and named in `actions.ts`.
 * Returns nothing for exit status 0, or a status; every failure is a thrown `NetkitError`.
 *
 * ```ts
 * export const run: Command<'map get'> = async (context, { reference, key }, { perCpu }) => {
 *   …
 *   context.output.result(document, (page) => page.fields([['key', text], …]));
 * };
 * ```
 */
export type Command<N extends CommandName> = (
  context: CommandContext<N>,
  args: Arguments<N>,
  options: Options<N>,
) => Promise<void> | Promise<number>;

/**
 * The module of any command. `run` is a method here so that every `Command<N>` fits: what the arguments and options
 * are is sure all the same, since `parse.ts` makes them by the very row that their types come from.
 */
export interface CommandModule {
  run(
    context: CommandContext,
    args: Readonly<Record<string, ArgumentValue>>,
    options: Readonly<Record<string, OptionValue>>,
  ): Promise<void> | Promise<number>;
}
