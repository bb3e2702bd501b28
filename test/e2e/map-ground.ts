import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { Scope } from '../../src/base/scope.js';
import { listPins } from '../support/bpffs.js';
import type { CliResult } from '../support/cli.js';
import { fixture, type Ground, makeGround } from './ground.js';
import { Objects } from './objects.js';
import { expectRefused, type Refusal } from './refusal.js';

/** What tests of map commands share: one ground for a file. */
export interface MapGround {
  /** Made before the first test. */
  readonly ground: Ground;
  pinOf(name: string): string;
  refused(args: readonly string[], refusal: Refusal): Promise<void>;
}

/** A ground for tests of entries: before each, `test/fixtures/services.bpf.c` is loaded as `t` and the fixture `maps` as `maps`. */
export function entriesGround(): MapGround & { readonly object: string; says(...args: string[]): string } {
  const made = groundOfFile();
  let object: string;
  beforeAll(async () => {
    object = await made.owned.use(new Objects()).compile('test/fixtures/services.bpf.c');
  });
  beforeEach(() => {
    const { ground } = made;
    if (existsSync(join(ground.bpffs.root.path, 'netkit'))) ground.does('unload', '--all', '--yes');
    ground.does('load', object, '--name', 't');
    ground.does('load', fixture('maps'), '--name', 'maps');
  });
  return {
    get ground() {
      return made.ground;
    },
    get object() {
      return object;
    },
    refused: made.refused,
    pinOf: (map) => join(made.ground.bpffs.root.path, `netkit/t/maps/${map}`),
    says: (...args) => made.ground.does(...args).stdout.trimEnd(),
  };
}

/** A ground for tests of `map create`: after each, every pin is removed. */
export function creationGround(): MapGround & { create(name: string, ...more: string[]): CliResult } {
  const made = groundOfFile();
  const pinOf = (name: string): string => join(made.ground.bpffs.root.path, name);
  afterEach(() => {
    const root = made.ground.bpffs.root.path;
    for (const name of new Set(listPins(root).map((path) => path.split('/')[0] ?? '')))
      rmSync(join(root, name), { recursive: true });
    expect(readdirSync(root).filter((name) => !name.endsWith('.debug'))).toEqual([]);
  });
  return {
    get ground() {
      return made.ground;
    },
    refused: made.refused,
    pinOf,
    create: (name, ...more) => made.ground.does('map', 'create', pinOf(name), ...more),
  };
}

/** The options of a map of eight entries whose types are words. */
export function typed(type: string, key: string, value: string): readonly string[] {
  return ['--type', type, '--key-type', key, '--value-type', value, '--max-entries', '8'];
}

function groundOfFile(): Omit<MapGround, 'pinOf'> & { readonly owned: Scope } {
  const owned = new Scope();
  let ground: Ground | undefined;
  const present = (): Ground => {
    if (ground === undefined) throw new Error('the ground is made before the first test, not earlier');
    return ground;
  };
  beforeAll(() => {
    ground = owned.use(makeGround());
  });
  afterAll(() => owned[Symbol.dispose]());
  return {
    owned,
    get ground() {
      return present();
    },
    refused: (args, refusal) => expectRefused(present(), args, refusal),
  };
}
