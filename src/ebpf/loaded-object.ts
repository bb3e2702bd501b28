import { NetkitError } from '../base/errors.js';
import type { Scope } from '../base/scope.js';
import { suggestion } from '../base/suggest.js';
import type { ObjectSpec } from '../obj/spec.js';
import type { BpfMap } from './map.js';
import type { Program } from './program.js';

/** Programs and maps of one object in the kernel. Disposing closes them all; what is pinned or attached lives on. */
export class LoadedObject implements Disposable {
  /** What it was loaded from. */
  readonly spec: ObjectSpec;
  /** By the names in the object, which the kernel may have cut to 15 characters. */
  readonly programs: ReadonlyMap<string, Program>;
  /** By libbpf's names: the declared ones; of sections of globals `<name>.rodata` and the like. */
  readonly maps: ReadonlyMap<string, BpfMap>;
  readonly #owned: Scope;

  /** @internal */
  constructor(
    spec: ObjectSpec,
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
  program(name: string): Program {
    return entry(this.programs, name, 'program', this.spec.name);
  }

  /** A map by its name in the object. @throws NetkitError `not-found` with the name that was probably meant */
  map(name: string): BpfMap {
    return entry(this.maps, name, 'map', this.spec.name);
  }

  /** Closes all descriptors. What is pinned, or attached through a link that lives on, stays in the kernel. */
  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}

function entry<T>(all: ReadonlyMap<string, T>, name: string, kind: string, owner: string): T {
  const found = all.get(name);
  if (found !== undefined) return found;
  throw new NetkitError('not-found', `${owner} has no ${kind} '${name}'`, {
    hint: suggestion(name, all.keys()),
  });
}
