/** Programs as tc actions, behind a filter that matches every packet. */
import { actionProgramId, addAction, deleteAction, replaceAction } from '../../ebpf/tc-action.js';
import type { LinkOf } from '../link-state.js';
import type { HookFamily } from './family.js';
import { filterFamily } from './filter.js';
import { plannedFilter } from './filter-place.js';

const types = ['sched_act'];

export const tcActionFamily: HookFamily<LinkOf<'tc-action'>> = filterFamily({
  family: 'tc-action',
  // A section 'action' says nothing of the direction.
  hooks: [
    { hook: 'action/ingress', sections: [], types },
    { hook: 'action/egress', sections: [], types },
  ],
  plan: (request) => ({ link: { family: 'tc-action', ...plannedFilter(request) } }),
  add: addAction,
  programId: actionProgramId,
  replace: replaceAction,
  remove: deleteAction,
});
