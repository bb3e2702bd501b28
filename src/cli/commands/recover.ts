import { recoverOnly } from '../../cnf/environment.js';
import type { Command } from '../context.js';
import { environmentOf } from '../environment.js';

export const run: Command<'recover'> = async (context) => {
  const recovery = await recoverOnly({ ...environmentOf(context), note: () => undefined });
  const commands = recovery === undefined ? [] : [recovery];
  const { dryRun } = context.options;
  const actions = commands.map(({ command, outcome }) => ({
    kind: outcome === 'undone' ? 'undo' : 'finish',
    about: `'${command}'`,
  }));
  context.output.done({ commands, dryRun, actions }, (page) => {
    if (commands.length === 0) page.line('nothing to recover');
    for (const { command, outcome } of commands)
      page.line(`'${command}' had been killed: ${dryRun ? 'it would be ' : ''}${outcome}`);
  });
};
