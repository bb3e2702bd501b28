/** The word by which the command line knows that it is to watch a change. No command has it. */
export const watcherWord = '--await-confirmation';
