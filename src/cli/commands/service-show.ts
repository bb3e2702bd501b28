import { lookAtUnit } from '../../cnf/service/unit-files.js';
import { isSystemdRunning } from '../../host/systemd.js';
import type { Command } from '../context.js';
import { unitDirOf, unitsOf } from '../service.js';

const stateWords = {
  absent: 'not installed',
  current: 'installed',
  outdated: "installed, but different: 'netkit service install' renews it",
  foreign: 'not installed',
} as const;

export const run: Command<'service show'> = async ({ output, paths }, _, { unitDir }) => {
  const folder = unitDirOf(unitDir);
  const files = unitsOf(paths).map((unit) => lookAtUnit(folder, unit));
  const units = files.map(({ name, path, text, state, links }) => ({
    name,
    path,
    text,
    state,
    enabled: links.length > 0,
  }));
  output.result({ unitDir: folder, systemd: isSystemdRunning(), units }, (page) => {
    for (const [index, { path, text, state, reason, links }] of files.entries()) {
      if (index > 0) page.line('');
      const enabled = state === 'absent' || state === 'foreign' || links.length > 0 ? '' : ', not enabled';
      const other = reason === undefined ? '' : `: what is there ${reason}`;
      page.line(`# ${path}: ${stateWords[state]}${enabled}${other}`);
      page.text(text);
    }
  });
};
