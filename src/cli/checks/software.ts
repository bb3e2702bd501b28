import { NetkitError } from '../../base/errors.js';
import { loadKoffi, loadLibbpf } from '../../ebpf/libraries.js';
import { findTool, requireTool } from '../../host/command.js';
import { type Check, check } from './check.js';

/** The native libraries and programs that netkit works with. */
export function softwareChecks(): Check[] {
  return [koffi(), libbpf(), ...tools.map(tool)];
}

function koffi(): Check {
  return present('koffi', loadKoffi) ?? check('koffi', 'ok', loadKoffi());
}

function libbpf(): Check {
  const problem = present('libbpf', loadLibbpf);
  if (problem !== undefined) return problem;
  const version = loadLibbpf();
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > 1 || (major === 1 && minor >= 1)) return check('libbpf', 'ok', version);
  return check('libbpf', 'missing', `${version} is older than 1.1`, 'install libbpf 1.1 or newer');
}

/** The check of a library that cannot be loaded; `undefined` when it can. */
function present(name: string, load: () => string): Check | undefined {
  try {
    load();
    return undefined;
  } catch (error) {
    if (error instanceof NetkitError) return check(name, 'missing', error.message, error.hint);
    throw error;
  }
}

interface Tool {
  readonly name: string;
  readonly purpose: string;
}

const tools: readonly Tool[] = [
  { name: 'clang', purpose: 'compiles for netkit build' },
  { name: 'llvm-strip', purpose: 'makes the objects of netkit build smaller' },
  { name: 'bpftool', purpose: 'shows the same objects; netkit does not call it' },
  { name: 'ip', purpose: 'makes interfaces and network namespaces; netkit does not call it' },
  { name: 'tc', purpose: 'shows qdiscs and filters; netkit does not call it' },
];

/** Loading and attaching needs none of them. */
function tool({ name, purpose }: Tool): Check {
  const wanted = name === 'clang' ? process.env.NETKIT_CLANG || name : name;
  const path = findTool(wanted);
  if (path !== undefined) return check(name, 'ok', `${path}: ${purpose}`);
  return check(name, 'warning', `not found: ${purpose}`, hintFor(wanted));
}

function hintFor(name: string): string | undefined {
  try {
    requireTool(name);
    return undefined;
  } catch (error) {
    return error instanceof NetkitError ? error.hint : undefined;
  }
}
