import type { Value } from '../../src/obj/codec/index.js';
import { membersOf, type ValueType } from '../../src/obj/value-types/value-type.js';

const patterns: Readonly<Record<string, RegExp>> = {
  ipv4: /^\d+\.\d+\.\d+\.\d+$/,
  ipv6: /^[0-9a-f:.]*:[0-9a-f:.]*$/,
  mac: /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/,
  pointer: /^0x[0-9a-f]+$/,
  bytes: /^hex:[0-9a-f]*$/,
  descriptor: /^(fd|cookie):\d+$/,
  reference: /^id:\d+$/,
};

/** Why a value is none of this type; undefined where it is one. */
export function whyNot(type: ValueType, value: Value, path = 'value'): string | undefined {
  const no = `${path}: ${String(value)} is no ${type.kind}`;
  switch (type.kind) {
    case 'integer':
      return typeof value === (type.bits <= 32 ? 'number' : 'bigint') ? undefined : no;
    case 'float':
      return typeof value === 'number' ? undefined : no;
    case 'bool':
      return typeof value === 'boolean' ? undefined : no;
    case 'text':
      return typeof value === 'string' ? undefined : no;
    case 'enum':
      if (typeof value === 'string') return type.enumerators.includes(value) ? undefined : no;
      return typeof value === (type.bits <= 32 ? 'number' : 'bigint') ? undefined : no;
    case 'array':
      if (!Array.isArray(value) || value.length !== type.length) return no;
      return value.map((each, at) => whyNot(type.element, each, `${path}[${at}]`)).find(Boolean);
    case 'composite': {
      if (typeof value !== 'object' || Array.isArray(value)) return no;
      const shown = membersOf(type.parts).filter((member) => member.shown);
      const names = shown.map(({ name }) => name);
      if (names.sort().join() !== Object.keys(value).sort().join())
        return `${path}: ${Object.keys(value).join()}, not ${names.join()}`;
      return shown
        .map(({ name, type: of }) => whyNot(of, value[name] ?? '', `${path}.${name}`))
        .find(Boolean);
    }
    case 'prefix':
      return typeof value === 'string' ? undefined : no;
    default:
      return typeof value === 'string' && patterns[type.kind]?.test(value) ? undefined : no;
  }
}
