import { NetkitError } from '../../base/errors.js';
import { planUninstall, type ServiceChange } from '../../cnf/service/service.js';
import { isUnitActive } from '../../host/systemd.js';
import type { Command } from '../context.js';
import { changeService } from '../service.js';

export const run: Command<'service uninstall'> = async (context, _, { unitDir, now }) => {
  const change = await changeService(
    context,
    { unitDir, now },
    async (units, options) => {
      try {
        return await planUninstall(units, options);
      } catch (error) {
        if (context.options.ifExists && error instanceof NetkitError && error.code === 'not-found')
          return undefined;
        throw error;
      }
    },
    'nothing is installed',
  );
  for (const { path, reason } of change?.files ?? [])
    if (reason !== undefined) context.output.warn(`'${path}' ${reason}: it stays`);
  if (now || context.options.dryRun) return;
  for (const name of await running(change))
    context.output.note(`${name} still runs: 'systemctl stop ${name}' stops it`);

  async function running(done: ServiceChange | undefined): Promise<string[]> {
    // Only systemd knows, and it was told of the change when it reads units there.
    if (done === undefined || done.after.length === 0) return [];
    const names = done.files.map(({ name }) => name);
    const active = await Promise.all(names.map((name) => isUnitActive(name, context.signal)));
    return names.filter((name, index) => active[index] === true && name.includes('watch'));
  }
};
