/** The type words of `--key-type` and `--value-type`, for maps without BTF. */
import { counted } from '../../base/counted.js';
import { NetkitError } from '../../base/errors.js';
import { suggestion } from '../../base/suggest.js';
import { charactersForm } from './characters.js';
import { bytesCodec, type Codec, type CodecOptions, codecOf } from './codec.js';
import { integerForm } from './integer.js';
import { type AddressKind, addressForm, prefixForm } from './named.js';
import type { Form } from './value.js';

/** How a type word is to be read. */
export interface WordCodecOptions extends CodecOptions {
  /** Bytes that the map has; the word must agree. `string` takes its width from here. */
  readonly size?: number;
}

/** Every word, for help and completion. */
export const typeWords: readonly string[] = [
  'u8',
  'u16',
  'u32',
  'u64',
  's8',
  's16',
  's32',
  's64',
  'be16',
  'be32',
  'be64',
  'ipv4',
  'ipv6',
  'prefix4',
  'prefix6',
  'mac',
  'string',
  'bytes:N',
];

/** More than any map allows. */
const sizeLimit = 2 ** 28;

/**
 * The codec of a type word: `u8 … u64 s8 … s64 be16 be32 be64 ipv4 ipv6 prefix4 prefix6 mac string bytes:N`;
 * `string:N` where no size is known.
 * @throws NetkitError `usage` for an unknown word, or one of another width than `options.size`.
 */
export function codecForWord(word: string, options: WordCodecOptions = {}): Codec {
  const codec = codecOfWord(word, options);
  if (options.size !== undefined && options.size !== codec.size) {
    const owner = options.role === undefined ? 'the map' : `the map's ${options.role}`;
    throw new NetkitError(
      'usage',
      `${word} has ${counted(codec.size, 'byte')}, ${owner} has ${options.size}`,
    );
  }
  return codec;
}

function codecOfWord(word: string, options: WordCodecOptions): Codec {
  const counted = /^(string|bytes):([1-9][0-9]{0,8})$/.exec(word);
  const size = counted === null ? (options.size ?? 0) : Number(counted[2]);
  if (size > sizeLimit) throw new NetkitError('usage', `${word} is more than ${sizeLimit} bytes`);
  if (counted?.[1] === 'bytes') return bytesCodec(size, options);
  if (counted?.[1] === 'string' || word === 'string') {
    if (size === 0)
      throw new NetkitError('usage', 'string needs its width here', {
        hint: 'string:16 is text of up to 16 bytes',
      });
    return codecOf(charactersForm(size, word), options.role);
  }
  const form = fixedForm(word, options.littleEndian ?? true);
  if (form === undefined)
    throw new NetkitError('usage', `'${word}' is not a type`, { hint: suggestion(word, typeWords) });
  return codecOf(form, options.role);
}

function fixedForm(word: string, littleEndian: boolean): Form | undefined {
  const integer = /^(u|s|be)(8|16|32|64)$/.exec(word);
  if (integer !== null && word !== 'be8') {
    return integerForm(
      Number(integer[2]) / 8,
      integer[1] === 's',
      integer[1] !== 'be' && littleEndian,
      word,
      word,
    );
  }
  if (isAddressKind(word)) return addressForm(word, word);
  if (word === 'prefix4') return prefixForm(8, littleEndian, word);
  if (word === 'prefix6') return prefixForm(20, littleEndian, word);
  return undefined;
}

function isAddressKind(word: string): word is AddressKind {
  return word === 'ipv4' || word === 'ipv6' || word === 'mac';
}
