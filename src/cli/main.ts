import { NetkitError } from '../base/errors.js';
import { watcherWord } from '../base/watcher-word.js';
import type { Io } from './io.js';
import { locate, wordsAfter } from './locate.js';

/**
 * Runs one netkit command in this process and returns its exit status. Never throws and never exits: only
 * `bin/netkit.js` does. `argv` is without node and script.
 *
 * Everything is imported when it is needed: help must not wait for what only commands use.
 */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  try {
    if (argv[0] === watcherWord) {
      const { watchForConfirmation } = await import('./confirm-watcher.js');
      return await watchForConfirmation(argv.slice(1), io);
    }
    const request = locate(argv);
    switch (request.kind) {
      case 'command': {
        const { perform } = await import('./perform.js');
        return await perform(request.row, request.rest, io);
      }
      case 'version': {
        const { netkitVersion } = await import('./version.js');
        io.stdout.write(`netkit ${netkitVersion()}\n`);
        return 0;
      }
      case 'help': {
        const { helpText } = await import('./help.js');
        io.stdout.write(helpText(request.path, io.stdout.columns));
        return 0;
      }
      case 'incomplete':
        return await incomplete(request.path, argv, io);
    }
  } catch (error) {
    const { guessStyle, reportFailure } = await import('./failure.js');
    return reportFailure(io, error, guessStyle(argv));
  }
}

/** `netkit` or `netkit map` alone: the help, but as an error. */
async function incomplete(path: string, argv: readonly string[], io: Io): Promise<number> {
  const name = path === '' ? 'netkit' : `netkit ${path}`;
  const error = new NetkitError('usage', `${name}: a command is missing`, {
    hint: `one of: ${wordsAfter(path).join(', ')}`,
  });
  const { guessStyle } = await import('./failure.js');
  if (guessStyle(argv).json) throw error;
  const { helpText } = await import('./help.js');
  io.stderr.write(helpText(path, io.stderr.columns));
  return error.exitStatus;
}
