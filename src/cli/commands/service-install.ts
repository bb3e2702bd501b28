import { planInstall } from '../../cnf/service/service.js';
import { isSystemdRunning } from '../../host/systemd.js';
import type { Command } from '../context.js';
import { changeService } from '../service.js';

export const run: Command<'service install'> = async (context, _, { unitDir, now }) => {
  const change = await changeService(context, { unitDir, now }, planInstall, 'it is installed already');
  if (!isSystemdRunning())
    context.output.note('systemd does not run here: the units are for the next boot with it');
  else if (!now && change?.changes.length !== 0)
    context.output.note("they start with the next boot: 'netkit service install --now' starts them now");
};
