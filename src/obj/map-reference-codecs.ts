/** Keys and values that name maps, programs, interfaces and open files, for which no BTF says how they are written. */
import { hostIsLittleEndian } from '../base/byte-order.js';
import { NetkitError } from '../base/errors.js';
import { readBtf } from './btf/read.js';
import { BtfWriter } from './btf/write.js';
import { type Codec, codecFor, type TextSink, type Value } from './codec/index.js';

/** What the text form of a name is, and how it is stored. */
interface NameForm {
  readonly size: number;
  readonly typeName: string;
  readonly describe: string;
  /** @throws NetkitError `bad-value` */
  readonly write: (value: Value, view: DataView, offset: number) => void;
  /** Characters that need no escape in JSON nor quotes in CSV. */
  readonly read: (view: DataView, offset: number) => string;
}

const mostCharacters = 32;

function nameCodec({ size, typeName, describe, write, read }: NameForm): Codec {
  const mark = (mask: DataView, offset: number): void => {
    for (let at = 0; at < size; at++) mask.setUint8(offset + at, 0xff);
  };
  return {
    size,
    typeName,
    encode: write,
    decode: read,
    parse: (text) => text,
    format: (value) => String(value),
    describe: () => describe,
    encodeText: write,
    jsonLimit: mostCharacters + 2,
    writeJson: (view, offset, out) => out.ascii(`"${read(view, offset)}"`),
    readJson: () => false,
    columns: [
      {
        path: '',
        csvLimit: mostCharacters,
        writeCsv: (view: DataView, offset: number, out: TextSink) => out.ascii(read(view, offset)),
        readCsv: () => false,
        encodeText: write,
        markGiven: mark,
      },
    ],
    markGiven: (_value, mask, offset) => mark(mask, offset),
  };
}

/** Values of maps of maps and of program arrays: `id:12`, in and out. */
export function referenceCodec(to: 'map' | 'program'): Codec {
  return nameCodec({
    size: 4,
    typeName: `reference to a ${to}`,
    describe: `a ${to}: FUNCTION/${to.toUpperCase()}, id:N, name:TEXT or a pin`,
    read: (view, offset) => `id:${view.getUint32(offset, hostIsLittleEndian)}`,
    write: (value, view, offset) => {
      const id = numberAfter('id:', value);
      if (id === undefined)
        throw new NetkitError('bad-value', `the value is a ${to}: write it as id:N, or with setReference`);
      view.setUint32(offset, id, hostIsLittleEndian);
    },
  });
}

/**
 * Keys and values that are descriptors of the calling process: `fd:3` goes in. A bare number does not, since it would name
 * whatever netkit itself has open under it.
 * @param what with an article: `a socket`
 * @param forms other texts that are resolved before a value gets here, for people
 */
export function descriptorCodec(size: number, what: string, forms: readonly string[]): Codec {
  const all = [...forms, 'fd:N'].join(' or ');
  return nameCodec({
    size,
    typeName: what,
    describe: `${what}: ${all}`,
    // Of sockets the kernel gives cookies, in values of eight bytes; of all else nothing.
    read: (view, offset) =>
      size === 8
        ? `cookie:${view.getBigUint64(offset, hostIsLittleEndian)}`
        : `fd:${view.getUint32(offset, hostIsLittleEndian)}`,
    write: (value, view, offset) => {
      const fd = numberAfter('fd:', value);
      if (fd === undefined)
        throw new NetkitError('bad-value', `'${String(value)}' is not ${what}: it is given as ${all}`);
      if (size === 8) view.setBigUint64(offset, BigInt(fd), hostIsLittleEndian);
      else view.setUint32(offset, fd, hostIsLittleEndian);
    },
  });
}

function numberAfter(prefix: string, value: Value): number | undefined {
  if (typeof value !== 'string' || !value.startsWith(prefix)) return undefined;
  const digits = value.slice(prefix.length);
  const number = Number(digits);
  return /^(0|[1-9][0-9]*)$/.test(digits) && number <= 0xffff_ffff ? number : undefined;
}

/**
 * Values of maps that packets are redirected by (`struct bpf_devmap_val`, `struct bpf_cpumap_val`): two numbers, of which
 * the second is the id of a program, or 0.
 */
export function redirectCodec(type: 'devmap' | 'devmap_hash' | 'cpumap'): Codec {
  const [name, first] = type === 'cpumap' ? ['bpf_cpumap_val', 'qsize'] : ['bpf_devmap_val', 'ifindex'];
  const types = new BtfWriter();
  const word = { size: 4, bits: 32, bitOffset: 0, signed: false, char: false, bool: false };
  const integer = types.add({ kind: 'int', id: 0, name: '__u32', ...word }, (id) => id);
  const members = [first, 'prog'].map((member, index) => ({
    name: member,
    type: integer,
    bitOffset: index * 32,
    bitSize: 0,
  }));
  const pair = types.add({ kind: 'struct', id: 0, name, size: 8, members }, (id) => id);
  return codecFor(readBtf(types.bytes()), pair, { role: 'value' });
}
