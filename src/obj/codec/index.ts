/** Codecs: BTF types and type words to and from bytes, values and text. */
export { codecForWord, typeWords, type WordCodecOptions } from './builtin.js';
export {
  type BtfCodecOptions,
  bytesCodec,
  type CodecOptions,
  codecFor,
  decodeText,
  encodeText,
  type FieldOrder,
} from './codec.js';
export { TextSink, type TextSinkOptions } from './text-sink.js';
export { TextSource } from './text-source.js';
export type { Codec, CodecColumn, Value } from './value.js';
