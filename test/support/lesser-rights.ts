import { type Capability, capabilityNames } from '../../src/host/capabilities.js';
import { declare, invoke } from '../../src/sys/call.js';

declare('libc', ['int capget(void *header, void *data)', 'int capset(void *header, void *data)']);

/** _LINUX_CAPABILITY_VERSION_3: two sets of three words, of which the first is what takes effect. */
const version = 0x20080522;

/**
 * Runs `work`, which must not wait for anything, with these capabilities not in effect for this thread. They come back
 * afterwards: they stay permitted.
 * @throws Error when the kernel says no
 */
export function without<T>(names: readonly Capability[], work: () => T): T {
  const before = capabilities();
  const lesser = Uint32Array.from(before);
  for (const name of names) {
    const number = capabilityNames.indexOf(name);
    const at = number < 32 ? 0 : 3;
    lesser[at] = Number(BigInt(lesser[at] ?? 0) & ~(1n << BigInt(number % 32)));
  }
  setCapabilities(lesser);
  try {
    return work();
  } finally {
    setCapabilities(before);
  }
}

function capabilities(): Uint32Array {
  const data = new Uint32Array(6);
  call('capget', data);
  return data;
}

function setCapabilities(data: Uint32Array): void {
  call('capset', data);
}

function call(symbol: string, data: Uint32Array): void {
  const header = Uint32Array.of(version, 0);
  const bytes = (words: Uint32Array) => new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
  if (invoke(symbol, [bytes(header), bytes(data)]) !== 0) throw new Error(`${symbol} failed`);
}
