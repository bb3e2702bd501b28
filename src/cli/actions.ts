import type { Command } from './context.js';
import type { CommandName } from './table/index.js';

type Load<N extends CommandName> = () => Promise<{ readonly run: Command<N> }>;

/** The body of every command, imported only when it runs. */
export const actions: { readonly [N in CommandName]: Load<N> } = {
  build: () => import('./commands/build.js'),
  inspect: () => import('./commands/inspect.js'),
  'gen vmlinux': () => import('./commands/gen-vmlinux.js'),
  doctor: () => import('./commands/doctor.js'),
  'prog run': () => import('./commands/prog-run.js'),
  attach: () => import('./commands/attach.js'),
  detach: () => import('./commands/detach.js'),
  'link list': () => import('./commands/link-list.js'),
  'link show': () => import('./commands/link-show.js'),
  list: () => import('./commands/list.js'),
  load: () => import('./commands/load.js'),
  'map delete': () => import('./commands/map-delete.js'),
  'map dump': () => import('./commands/map-dump.js'),
  'map get': () => import('./commands/map-get.js'),
  'map list': () => import('./commands/map-list.js'),
  'map show': () => import('./commands/map-show.js'),
  'map update': () => import('./commands/map-update.js'),
  'prog list': () => import('./commands/prog-list.js'),
  'prog show': () => import('./commands/prog-show.js'),
  recover: () => import('./commands/recover.js'),
  unload: () => import('./commands/unload.js'),
  completion: () => import('./commands/completion.js'),
  version: () => import('./commands/version.js'),
};
