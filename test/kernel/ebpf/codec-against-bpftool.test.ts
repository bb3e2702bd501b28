import { afterAll, beforeAll, expect, it } from 'vitest';
import type { JsonValue } from '../../../src/base/json.js';
import { load } from '../../../src/ebpf/load.js';
import type { LoadedObject } from '../../../src/ebpf/loaded-object.js';
import type { BpfMap } from '../../../src/ebpf/map.js';
import { possibleCpus } from '../../../src/ebpf/possible-cpus.js';
import { packageRoot } from '../../../src/host/package-root.js';
import type { Codec, Value } from '../../../src/obj/codec/index.js';
import { ObjectSpec } from '../../../src/obj/spec.js';
import {
  characters,
  enumerator,
  hexBigint,
  hexNumber,
  in6Addr,
  ipv4,
  ipv4OfBytes,
  ipv6OfBytes,
  mac,
  member,
  network,
  network64,
  parseBpftool,
  pointer,
  prefix,
  signedHex,
  type Translation,
} from '../../support/bpftool-notation.js';
import { loadSource } from '../../support/load-source.js';
import { run } from '../../support/netns.js';
import { describeAsRoot } from '../../support/requirements.js';

const fixture = (name: string): LoadedObject =>
  load(ObjectSpec.readSync(`${packageRoot()}/test/fixtures/objects/${name}.bpf.o`));

/** A bit field of an enum is shown as a bit field. */
const verdictBits: Translation = (theirs) => {
  const number = Number(theirs);
  return (
    new Map([
      [0, 'ALLOW'],
      [1, 'REFUSE'],
      [7, 'ASK'],
    ]).get(number) ?? number
  );
};
/** Where the notations differ: by map and path. All else must be the same. */
const translations: Readonly<Record<string, Readonly<Record<string, Translation>>>> = {
  numbers: { 'value.u128': hexBigint, 'value.s128': signedHex },
  numbers_percpu: { 'value.u128': hexBigint, 'value.s128': signedHex },
  words: {
    key: enumerator,
    'value.verdict': enumerator,
    'value.level': enumerator,
    'value.fixed': enumerator,
  },
  bits: {
    'value.low': hexNumber,
    'value.middle': hexNumber,
    'value.high': hexNumber,
    'value.wide': hexBigint,
    'value.rest': hexNumber,
    'value.verdict': verdictBits,
  },
  texts: { 'value.name': characters },
  endpoints: {
    'key.saddr': ipv4,
    'key.daddr': ipv4,
    'key.sport': network(2),
    'key.dport': network(2),
    'key.cookie': network64,
    'key.peer': in6Addr,
    'key.mac': mac,
    'key.ipv6_src': ipv6OfBytes,
  },
  pointers: { 'value.data': pointer, 'value.next': pointer },
  scalars: { value: network(4) },
  flows: { 'key.saddr': ipv4, 'key.daddr': ipv4, 'key.sport': network(2), 'key.dport': network(2) },
  percpu_flows: { key: network(4) },
  recent: { key: network(4) },
  recent_percpu: { key: network(4) },
  prefixes_v4: { key: prefix(ipv4), 'value.action': enumerator },
  prefixes_v6: { key: prefix(in6Addr), 'value.action': enumerator },
  blocklist_v4: { key: prefix(ipv4OfBytes), 'value.action': enumerator },
  blocklist_v6: { key: prefix(ipv6OfBytes), 'value.action': enumerator },
  stats: { key: enumerator },
  '.rodata': { 'value.mac': mac, 'value.limits.flags': hexNumber, 'value.limits.kind': hexNumber },
};

/** Alternatives of a union that netkit does not show, since they are smaller; bpftool shows all. */
const smaller: Readonly<Record<string, readonly string[]>> = {
  nested: ['value.number', 'value.bytes'],
  nested_array: ['value.number', 'value.bytes'],
};

/** Compares leaf by leaf. @returns how many leaves there were */
function compare(map: string, path: string, ours: Value, theirs: JsonValue): number {
  const translate = translations[map]?.[path.replaceAll(/\[\d+\]/g, '')];
  if (translate !== undefined) {
    expect([path, translate(theirs, ours)]).toEqual([path, ours]);
    return 1;
  }
  if (Array.isArray(ours)) {
    if (!Array.isArray(theirs)) throw new Error(`${path}: ${JSON.stringify(theirs)} is no array`);
    expect([path, theirs.length]).toEqual([path, ours.length]);
    return ours.reduce<number>(
      (leaves, each, index) => leaves + compare(map, `${path}[${index}]`, each, theirs[index] ?? null),
      0,
    );
  }
  if (typeof ours === 'object') {
    if (typeof theirs !== 'object' || theirs === null || Array.isArray(theirs))
      throw new Error(`${path}: ${String(theirs)} is no object`);
    const names = Object.keys(theirs).filter((name) => !smaller[map]?.includes(`${path}.${name}`));
    expect([path, names.sort()]).toEqual([path, Object.keys(ours).sort()]);
    return Object.entries(ours).reduce(
      (leaves, [name, each]) => leaves + compare(map, `${path}.${name}`, each, theirs[name] ?? null),
      0,
    );
  }
  const same = typeof ours === 'bigint' && typeof theirs === 'number' ? BigInt(theirs) : theirs;
  expect([path, same]).toEqual([path, ours]);
  return 1;
}

/** The bytes that bpftool read, as it shows them. */
function decoded(codec: Codec, bytes: JsonValue): Value {
  if (!Array.isArray(bytes)) throw new Error('no bytes');
  const data = Uint8Array.from(bytes, (byte) => Number(byte));
  return codec.decode(new DataView(data.buffer), 0);
}

/** Data sections come as a list of objects with one member each. */
function dataSection(value: JsonValue, name: string): JsonValue {
  const variables = member(value, name);
  if (!Array.isArray(variables)) throw new Error('no list of variables');
  return Object.assign({}, ...variables);
}

/** Compares all entries. @returns how many there were, and their leaves */
function compareMap(map: BpfMap, name: string): { readonly entries: number; readonly leaves: number } {
  const dump = parseBpftool(run('bpftool', ['-j', 'map', 'dump', 'id', String(map.info.id)]));
  if (!Array.isArray(dump)) throw new Error('no entries');
  let leaves = 0;
  for (const entry of dump) {
    const formatted = member(entry, 'formatted');
    if (name.startsWith('.')) {
      leaves += compare(
        name,
        'value',
        decoded(map.valueCodec, member(entry, 'value')),
        dataSection(member(formatted, 'value'), name),
      );
      continue;
    }
    leaves += compare(name, 'key', decoded(map.keyCodec, member(entry, 'key')), member(formatted, 'key'));
    const pairs: [JsonValue, JsonValue][] = map.perCpu
      ? perCpuPairs(member(entry, 'values'), member(formatted, 'values'))
      : [[member(entry, 'value'), member(formatted, 'value')]];
    for (const [bytes, value] of pairs)
      leaves += compare(name, 'value', decoded(map.valueCodec, bytes), value);
  }
  return { entries: dump.length, leaves };
}

function perCpuPairs(bytes: JsonValue, formatted: JsonValue): [JsonValue, JsonValue][] {
  if (!Array.isArray(bytes) || !Array.isArray(formatted)) throw new Error('no list of CPUs');
  return bytes.map((each, index) => [member(each, 'value'), member(formatted[index] ?? null, 'value')]);
}

/** Bytes that are the same in each run: many zeros, ones, text and all else. */
class Bytes {
  #state = 20_231_117;

  #next(): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#state >>> 16;
  }

  /** `hex:…` */
  hex(size: number): string {
    const style = this.#next() % 4;
    const pick = (): number => {
      const byte = this.#next() & 0xff;
      if (style === 0) return byte;
      if (style === 1) return [0, 0, 0, 1, 7, 255][byte % 6] ?? 0;
      if (style === 2) return byte % 5 === 0 ? 0 : 0x61 + (byte % 26);
      return byte < 40 ? byte : 0;
    };
    return `hex:${Buffer.from(Array.from({ length: size }, pick)).toString('hex')}`;
  }

  /** A key of a prefix map; host bits may be set, as another tool may set them. */
  prefix(size: number): string {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(this.#next() % ((size - 4) * 8 + 1));
    return `hex:${length.toString('hex')}${this.hex(size - 4).slice(4)}`;
  }
}

/** Writes raw bytes into as many entries as asked for, or all of an array. */
function fill(map: BpfMap, count: number, bytes: Bytes): void {
  const { keySize, valueSize, type, maxEntries } = map.info;
  const isArray = type === 'array' || type === 'percpu_array';
  const entries = isArray ? maxEntries : Math.min(count, maxEntries * 0.75);
  const cpus = possibleCpus();
  for (let index = 0; index < entries; index++) {
    const key = isArray ? index : type === 'lpm_trie' ? bytes.prefix(keySize) : bytes.hex(keySize);
    const value = map.perCpu
      ? Array.from({ length: cpus }, () => bytes.hex(valueSize))
      : bytes.hex(valueSize);
    map.set(key, value);
  }
}

describeAsRoot('what bpftool shows and what the codec reads are the same', () => {
  const objects: Record<string, LoadedObject> = {};
  const opened = (name: string): LoadedObject => {
    const object = objects[name];
    if (object === undefined) throw new Error(`${name} is not loaded`);
    return object;
  };

  beforeAll(async () => {
    for (const name of ['kinds', 'maps', 'globals', 'tc']) objects[name] = fixture(name);
    objects.firewall = await loadSource('bpf/firewall.bpf.c');
  });
  afterAll(() => {
    for (const object of Object.values(objects)) object[Symbol.dispose]();
  });

  it.each([
    ['kinds', 'numbers'],
    ['kinds', 'words'],
    ['kinds', 'bits'],
    ['kinds', 'nested'],
    ['kinds', 'texts'],
    ['kinds', 'endpoints'],
    ['kinds', 'pointers'],
    ['kinds', 'packed'],
    ['kinds', 'scalars'],
    ['kinds', 'nested_array'],
    ['kinds', 'numbers_percpu'],
    ['maps', 'flows'],
    ['maps', 'counts'],
    ['maps', 'percpu_counts'],
    ['maps', 'percpu_flows'],
    ['maps', 'recent'],
    ['maps', 'recent_percpu'],
    ['maps', 'prefixes_v4'],
    ['maps', 'prefixes_v6'],
    ['maps', 'tenant_a'],
    ['firewall', 'blocklist_v4'],
    ['firewall', 'blocklist_v6'],
    ['firewall', 'stats'],
  ])('%s: %s', (object, name) => {
    const map = opened(object).map(name);
    fill(map, 60, new Bytes());
    const { entries, leaves } = compareMap(map, name);
    expect(entries).toBeGreaterThan(3);
    expect(leaves).toBeGreaterThanOrEqual(entries * 2);
  });

  it.each(['.rodata', '.rodata.tuning', '.data', '.data.own', '.bss'])('globals: %s', (name) => {
    const { entries, leaves } = compareMap(opened('globals').map(name), name);
    expect(entries).toBe(1);
    expect(leaves).toBeGreaterThan(0);
  });

  it('floats, which bpftool does not know, are what JavaScript reads', () => {
    const map = opened('kinds').map('reals');
    const view = new DataView(new ArrayBuffer(24));
    view.setFloat32(0, -1.5, true);
    view.setFloat64(8, 6.02e23, true);
    view.setUint32(16, 7, true);
    map.set(1, `hex:${Buffer.from(view.buffer).toString('hex')}`);
    expect(map.get(1)).toEqual({ f: -1.5, d: 6.02e23, n: 7 });
  });
});
