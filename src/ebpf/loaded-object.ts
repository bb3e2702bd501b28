import { NetkitError } from '../base/errors.js';
import type { Scope } from '../base/scope.js';
import { suggestion } from '../base/suggest.js';
import type { MapName, ObjectSignature, ProgramName, UntypedObject } from '../obj/object-types.js';
import type { ObjectSpec } from '../obj/spec.js';
import type { BpfMap } from './map.js';
import type { Program } from './program.js';
import type { MapOf } from './typed.js';

/** Programs and maps of one object in the kernel. Disposing closes them all; what is pinned or attached lives on. */
export class LoadedObject<S extends ObjectSignature = UntypedObject> implements Disposable {
  /** What it was loaded from. */
  readonly spec: ObjectSpec<S>;
  /** By the names in the object, which the kernel may have cut to 15 characters. */
  readonly programs: ReadonlyMap<string, Program>;
  /** By libbpf's names: the declared ones; of sections of globals `<name>.rodata` and the like. */
  readonly maps: ReadonlyMap<string, BpfMap>;
  readonly #owned: Scope;

  /** @internal */
  constructor(
    spec: ObjectSpec<S>,
    programs: ReadonlyMap<string, Program>,
    maps: ReadonlyMap<string, BpfMap>,
    owned: Scope,
  ) {
    this.spec = spec;
    this.programs = programs;
    this.maps = maps;
    this.#owned = owned;
  }

  /** A program by its name in the object. @throws NetkitError `not-found` with the name that was probably meant */
  program(name: ProgramName<S>): Program {
    return entry(this.programs, name, 'program', this.spec.name);
  }

  /**
   * A map by its name in the object, of global variables by that of their section (`.bss`).
   * @throws NetkitError `not-found` with the name that was probably meant
   */
  map<Name extends MapName<S>>(name: Name): MapOf<S, Name>;
  map(name: MapName<S>): unknown {
    const section = name.startsWith('.') ? this.#ofSection(name) : undefined;
    return section ?? entry(this.maps, name, 'map', this.spec.name);
  }

  #ofSection(section: string): BpfMap | undefined {
    for (const [name, map] of this.maps) if (sectionOf(name) === section) return map;
    return undefined;
  }

  /** Closes all descriptors. What is pinned, or attached through a link that lives on, stays in the kernel. */
  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}

/** libbpf calls the map of a section of globals `<object>.rodata`, or `.rodata.mine`; an object's name may have dots. */
export function sectionOf(mapName: string): string | undefined {
  if (!mapName.includes('.')) return undefined;
  return mapName.startsWith('.') ? mapName : mapName.slice(mapName.lastIndexOf('.'));
}

function entry<T>(all: ReadonlyMap<string, T>, name: string, kind: string, owner: string): T {
  const found = all.get(name);
  if (found !== undefined) return found;
  throw new NetkitError('not-found', `${owner} has no ${kind} '${name}'`, {
    hint: suggestion(name, all.keys()),
  });
}
