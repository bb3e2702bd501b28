/** References: `FUNCTION/NAME`, `id:N`, `name:TEXT`, or the path of a pin. */
import { join } from 'node:path';
import { NetkitError } from '../base/errors.js';
import { suggestion } from '../base/suggest.js';
import { linkPin } from '../ebpf/dispatcher/place.js';
import { type KernelObject, pinName } from '../ebpf/kernel-object.js';
import { Link } from '../ebpf/link.js';
import { BpfMap } from '../ebpf/map.js';
import { Program } from '../ebpf/program.js';
import { exists, namesIn } from '../host/folders.js';
import { memberships } from './chain/memberships.js';
import { bpffsOf, functionFolder, netkitFolder, type PinFolder } from './layout.js';
import { isFunctionName } from './names.js';

interface Kind<T extends KernelObject> {
  readonly folder: PinFolder;
  readonly noun: string;
  fromPin(path: string): T;
  fromId(id: number): T;
  ids(): Iterable<number>;
  kernelName(object: T): string;
  /** Those of a function that are pinned elsewhere: the paths of their pins, by name. */
  elsewhere?(folder: string): ReadonlyMap<string, string>;
}

const programKind: Kind<Program> = {
  folder: 'progs',
  noun: 'program',
  fromPin: Program.fromPin,
  fromId: Program.fromId,
  ids: Program.ids,
  kernelName: (program) => program.info().name,
};
const mapKind: Kind<BpfMap> = {
  folder: 'maps',
  noun: 'map',
  fromPin: BpfMap.fromPin,
  fromId: BpfMap.fromId,
  ids: BpfMap.ids,
  kernelName: (map) => map.info.name,
};
const linkKind: Kind<Link> = {
  folder: 'links',
  noun: 'link',
  fromPin: Link.fromPin,
  fromId: Link.fromId,
  ids: Link.ids,
  kernelName: () => '',
  elsewhere: linksOfMembers,
};

/** @throws NetkitError `not-found` with the name probably meant, `usage` for a malformed reference, `conflict` when a name is not unique */
export function openProgram(reference: string, bpffs: string): Program {
  return open(reference, bpffs, programKind);
}

/** @throws as {@link openProgram} */
export function openMap(reference: string, bpffs: string): BpfMap {
  return open(reference, bpffs, mapKind);
}

/** @throws as {@link openProgram} */
export function openLink(reference: string, bpffs: string): Link {
  return open(reference, bpffs, linkKind);
}

/** The number in `id:N`, or undefined for another form. @throws NetkitError `usage` when N is no id */
export function idOf(reference: string): number | undefined {
  if (!reference.startsWith('id:')) return undefined;
  const text = reference.slice('id:'.length);
  // Ids are 31-bit in the kernel's allocator; more digits would overflow on the way there.
  if (/^[1-9]\d{0,9}$/.test(text) && Number(text) < 2 ** 31) return Number(text);
  throw new NetkitError('usage', `'${text}' is not an id`, {
    hint: "an id is a whole number, such as 'id:12'",
  });
}

/** Splits `FUNCTION/NAME`; the name is undefined for `FUNCTION` alone. @throws NetkitError `usage` */
export function splitReference(reference: string): { functionName: string; name: string | undefined } {
  const [functionName = '', name, ...rest] = reference.split('/');
  if (isFunctionName(functionName) && rest.length === 0 && name !== '') return { functionName, name };
  throw new NetkitError('usage', `'${reference}' is not a reference`, {
    hint: 'use FUNCTION/NAME, id:N, name:TEXT, or the absolute path of a pin',
  });
}

function open<T extends KernelObject>(reference: string, bpffs: string, kind: Kind<T>): T {
  if (reference.startsWith('/')) return kind.fromPin(reference);
  const id = idOf(reference);
  if (id !== undefined) return kind.fromId(id);
  if (reference.startsWith('name:')) return openByName(reference.slice('name:'.length), kind);
  const { functionName, name } = splitReference(reference);
  const folder = functionFolder(bpffs, functionName);
  if (!exists(folder)) {
    const { message, hint, details } = noSuchFunction(functionName, bpffs);
    throw new NetkitError('not-found', message, { hint: formMeant(functionName) ?? hint, details });
  }
  const elsewhere = kind.elsewhere?.(folder) ?? new Map<string, string>();
  const names = [...namesIn(join(folder, kind.folder)), ...elsewhere.keys()];
  const chosen =
    name === undefined ? theOnly(names, functionName, kind.noun) : resolveName(name, names, functionName);
  if (chosen !== undefined) return kind.fromPin(elsewhere.get(chosen) ?? join(folder, kind.folder, chosen));
  throw new NetkitError('not-found', `function '${functionName}' has no ${kind.noun} '${name}'`, {
    hint: suggestion(name ?? '', names),
  });
}

/** Members of chains are pinned where all tools find them. */
function linksOfMembers(folder: string): ReadonlyMap<string, string> {
  return new Map(
    namesIn(join(folder, 'chain')).flatMap((name) => {
      if (name.startsWith('+')) return [];
      using program = Program.fromPin(join(folder, 'chain', name));
      const [membership] = memberships(bpffsOf(folder), program.info().id);
      return membership === undefined ? [] : [[name, linkPin(membership.folder, membership.slot)] as const];
    }),
  );
}

/** What a word that is no function was probably meant to be: an id, or a reference as bpftool writes it. */
function formMeant(word: string): string | undefined {
  if (/^[1-9]\d*$/.test(word)) return `an id is written 'id:${word}'`;
  if (word === 'id') return "an id is written in one word, such as 'id:12'";
  if (word === 'pinned') return 'a pin is given by its path alone';
  return word === 'name' ? "a name in the kernel is written in one word, such as 'name:stats'" : undefined;
}

/** A section's name alone (`.rodata`) is enough for a map of globals, which is pinned as `fw_rodata`. */
function resolveName(name: string, pins: readonly string[], functionName: string): string | undefined {
  const wanted = pinName(name);
  if (pins.includes(wanted)) return wanted;
  return name.startsWith('.')
    ? pins.find((pin) => functionName.startsWith(pin.slice(0, -wanted.length)) && pin.endsWith(wanted))
    : undefined;
}

function theOnly(names: readonly string[], functionName: string, noun: string): string | undefined {
  if (names.length === 1) return names[0];
  throw new NetkitError(
    'usage',
    `function '${functionName}' has ${names.length === 0 ? 'no' : 'more than one'} ${noun}`,
    {
      hint:
        names.length === 0
          ? undefined
          : `say which: ${names.map((name) => `${functionName}/${name}`).join(', ')}`,
    },
  );
}

function openByName<T extends KernelObject>(name: string, kind: Kind<T>): T {
  const ids = [...kind.ids()].filter((id) => isNamed(id, name, kind));
  const [only] = ids;
  if (only !== undefined && ids.length === 1) return kind.fromId(only);
  if (only !== undefined) {
    throw new NetkitError('conflict', `more than one ${kind.noun} is named '${name}'`, {
      hint: `use an id: ${ids.map((id) => `id:${id}`).join(', ')}`,
    });
  }
  throw new NetkitError('not-found', `no ${kind.noun} in the kernel is named '${name}'`, {
    hint: name.length > 15 ? 'the kernel keeps 15 characters of a name' : undefined,
  });
}

/** False too when the object has gone since its id was listed. */
function isNamed<T extends KernelObject>(id: number, name: string, kind: Kind<T>): boolean {
  try {
    using object = kind.fromId(id);
    return kind.kernelName(object) === name;
  } catch (error) {
    if (error instanceof NetkitError && error.code === 'not-found') return false;
    throw error;
  }
}

/** @returns the error for a function that is not loaded, with the name probably meant */
export function noSuchFunction(name: string, bpffs: string): NetkitError {
  const loaded = namesIn(netkitFolder(bpffs)).filter(isFunctionName);
  return new NetkitError('not-found', `no function '${name}' is loaded`, {
    hint: suggestion(name, loaded),
    details: { function: name },
  });
}
