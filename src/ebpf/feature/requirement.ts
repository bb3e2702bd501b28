/** Whether this kernel, for this user, has what an object needs. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { attachTypes } from '../../base/kernel-words.js';
import { kernelRelease } from '../../host/kernel.js';
import { type KernelConfig, readKernelConfig } from '../../host/kernel-config.js';
import type { Requirement } from '../../obj/requirements.js';
import { runningBtf } from '../kernel-btf.js';
import { type Availability, absent, barred, no, present, unknown, yes } from './availability.js';
import { callAvailable } from './calls.js';
import { twoInstructions } from './code.js';
import { hookOf } from './hook-of.js';
import { hookAvailable } from './hooks.js';
import { kfuncAvailable } from './kfuncs.js';
import { type MapType, mapTypeAvailable } from './map-types.js';
import { miscAvailable } from './misc.js';
import { loadTask, type ProgramType, programForms, programTypeAvailable } from './program-types.js';
import { Trials } from './trial.js';

type Of<Kind extends Requirement['kind']> = Extract<Requirement, { readonly kind: Kind }>;

/** Asks the kernel for one need. Attaches nothing and leaves nothing. */
export function served(requirement: Requirement): Availability {
  switch (requirement.kind) {
    case 'program-type':
      return requirement.type === 'unspec' ? untyped : programTypeAvailable(requirement.type);
    case 'hook':
      return hookServed(requirement);
    case 'target':
      return targetServed(requirement);
    case 'struct-ops':
      return structServed(requirement.struct);
    case 'map-type':
      return isMapType(requirement.type) ? mapTypeAvailable(requirement.type) : untyped;
    case 'helper':
      return requirement.type === 'unspec'
        ? untyped
        : callAvailable(requirement.type, requirement.helper, requirement.sleepable);
    case 'kfunc':
      return kfuncAvailable(requirement.name);
    case 'kernel-variable':
      return inBtf(requirement.name, 'var') ?? unknown('its symbol is looked up when it is loaded');
    case 'kconfig':
      return configServed(requirement.name);
    case 'kernel-btf':
      return runningBtf() === undefined
        ? no('this kernel does not describe its types (CONFIG_DEBUG_INFO_BTF)')
        : yes('it is there');
    case 'instructions':
      return miscAvailable(requirement.feature);
    case 'xdp-frags':
      return miscAvailable('xdp-frags');
  }
}

const untyped = unknown('the object does not tell its type');

function isMapType(type: Of<'map-type'>['type']): type is MapType {
  return type !== 'unspec';
}

function hookServed({ type, attach, section, since }: Of<'hook'>): Availability {
  const hook = hookOf(attach, section);
  if (hook !== undefined) return hookAvailable(hook);
  if (attach === undefined || type === 'unspec') return present(since);
  // The kernel looks at the attach type when it loads some types, and for others only when they are attached.
  const refused = refusedAttachType(type, attachTypes.indexOf(attach));
  if (refused !== undefined) return refused;
  const answer = absent(since);
  return since !== undefined && answer.reason.startsWith('it came') ? answer : present(since);
}

function refusedAttachType(type: ProgramType, attach: number): Availability | undefined {
  const forms = programForms(type);
  if ('available' in forms) return forms;
  const [form] = forms;
  if (form === undefined) return undefined;
  const values = { ...form.values, expected_attach_type: attach };
  const { errno, log } = new Trials().load(form.number, twoInstructions, values);
  if (errno === undefined || log !== '') return undefined;
  if (errno === 'EPERM' || errno === 'EACCES') return barred(loadTask(type));
  return errno === 'EINVAL' ? absent(undefined) : undefined;
}

function targetServed({ of, name, section }: Of<'target'>): Availability {
  const plain = name.replace(/\+.*$/, '');
  switch (of) {
    case 'function':
      return section.startsWith('f')
        ? (inBtf(plain, 'func') ?? noTypes)
        : yes('it is looked up when it is attached');
    case 'lsm-hook':
      return inBtf(`bpf_lsm_${plain}`, 'func') ?? noTypes;
    case 'iterator':
      return inBtf(`bpf_iter_${plain}`, 'func') ?? noTypes;
    case 'raw-tracepoint':
      return inBtf(`btf_trace_${plain}`, 'typedef') ?? noTypes;
    case 'tracepoint':
      return tracepointServed(plain);
    default:
      // Programs, binaries, patterns: their own commands look for them.
      return yes('it is looked up when it is attached');
  }
}

const noTypes = unknown('the kernel has no BTF to look it up in');

/** Undefined without BTF. */
function inBtf(name: string, kind: 'func' | 'typedef' | 'var'): Availability | undefined {
  const btf = runningBtf();
  if (btf === undefined) return undefined;
  return btf.find(name, kind) === undefined
    ? no(`the kernel's BTF has no ${name}; a module that is not loaded may`)
    : yes('it is there');
}

const traceFolders = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing'];

function tracepointServed(name: string): Availability {
  const folder = traceFolders.map((each) => join(each, 'events')).find((each) => existsSync(each));
  if (folder === undefined) return unknown('tracefs is not mounted, or not for this user');
  return existsSync(join(folder, name)) ? yes('it is there') : no(`the kernel has no tracepoint ${name}`);
}

function structServed(struct: string): Availability {
  const btf = runningBtf();
  if (btf === undefined) return no('the kernel has no BTF, which this needs');
  return btf.find(`bpf_struct_ops_${struct}`, 'struct') === undefined
    ? no(`this kernel takes no programs as members of a struct ${struct}`)
    : yes('it is there');
}

let config: KernelConfig | undefined | 'unread' = 'unread';

function configServed(name: string): Availability {
  // Those of libbpf, which it works out itself.
  if (!name.startsWith('CONFIG_')) return yes('libbpf knows it');
  if (config === 'unread') config = readKernelConfig();
  if (config === undefined)
    return no(`neither the kernel nor /boot/config-${kernelRelease()} tells how it was built`);
  return config.has(name) ? yes(`${name}=${config.get(name)}`) : no('the kernel was built without it');
}
