/** Values of a manifest as the codecs read them. */
import type { Value } from '../manifest/schema.js';

/** A scalar as it is written, anything else as JSON whose leaves are text: the type that reads it decides what they mean. */
export function valueText(value: Value): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
