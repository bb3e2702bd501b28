/** Arguments and options that several map commands take. */
export const anyMap = {
  name: 'reference',
  shown: 'REF',
  kind: 'map',
  required: true,
  about: '`FUNCTION/MAP`, `id:N`, `name:TEXT` or the path of a pin.',
} as const;

export const key = {
  name: 'key',
  kind: 'text',
  required: true,
  about: 'The key as text, JSON or `hex:…`, in the form that its type asks for; `netkit map show` tells it.',
} as const;

const typeWords =
  '`u8` … `s64`, `be16` … `be64`, `ipv4`, `ipv6`, `prefix4`, `prefix6`, `mac`, `string`, `bytes:N`, or a C type (`--types`)';

export const keyType = {
  long: 'key-type',
  value: { name: 'TYPE', kind: 'text' },
  about: `The type of the keys, for a map without BTF: ${typeWords}.`,
} as const;

export const valueType = {
  long: 'value-type',
  value: { name: 'TYPE', kind: 'text' },
  about: `The type of the values, for a map without BTF: ${typeWords}.`,
} as const;

export const field = {
  long: 'field',
  value: { name: 'MEMBER=ORDER', kind: 'text' },
  repeatable: true,
  about:
    'The byte order of an integer member whose type does not tell: `be16`, `be32` or `be64`, as in `--field port=be16`. A member of members is `tuple.port`; `key.port` and `value.port` mean one of the two only.',
} as const;

export const lock = {
  long: 'lock',
  about: 'Take the spin lock in the value while reading, so that no half-written value is seen.',
} as const;

export const types = {
  long: 'types',
  value: { name: 'OBJ', kind: 'object' },
  about: 'An object file whose C types `--key-type` and `--value-type` may name.',
} as const;

/** For commands that write no values. */
export const typesOfKeys = {
  ...types,
  about: 'An object file whose C types `--key-type` may name.',
} as const;

/** For commands on maps without keys. */
export const typesOfValues = {
  ...types,
  about: 'An object file whose C types `--value-type` may name.',
} as const;

export const perCpu = {
  long: 'per-cpu',
  about: 'For per-CPU maps: the value of each CPU, instead of their sum.',
} as const;
