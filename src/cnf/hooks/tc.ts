/** Programs as tc filters on a clsact qdisc: no links. */
import { addFilter, deleteFilter, filterProgramId, replaceFilter } from '../../ebpf/tc-filter.js';
import type { LinkOf } from '../link-state.js';
import type { HookFamily } from './family.js';
import { filterFamily } from './filter.js';
import { plannedFilter } from './filter-place.js';

const types = ['sched_cls'];

export const tcFamily: HookFamily<LinkOf<'tc'>> = filterFamily({
  family: 'tc',
  hooks: [
    { hook: 'tc/ingress', sections: ['tc/ingress'], types },
    { hook: 'tc/egress', sections: ['tc/egress'], types },
  ],
  plan: (request) => ({ link: { family: 'tc', ...plannedFilter(request) } }),
  add: (program, filter, _ifname, netns) => addFilter(program, filter, netns),
  programId: filterProgramId,
  replace: replaceFilter,
  remove: deleteFilter,
});
