import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { kernelRelease } from '../../src/host/kernel.js';

/** What the kernel says of its own configuration; undefined where it keeps that to itself. */
export function configured(option: string): boolean | undefined {
  const texts = [
    () => gunzipSync(readFileSync('/proc/config.gz')).toString('latin1'),
    () => readFileSync(`/boot/config-${kernelRelease()}`, 'latin1'),
  ];
  for (const text of texts) {
    try {
      return new RegExp(`^${option}=[ym]`, 'm').test(text());
    } catch {
      // It is elsewhere.
    }
  }
  return undefined;
}

/** Why programs cannot be actions of tc, where the kernel says so: netkit puts them behind a filter that matches everything. */
export function tcActionLack(): string | undefined {
  const missing = ['CONFIG_NET_ACT_BPF', 'CONFIG_NET_CLS_MATCHALL'].find(
    (option) => configured(option) === false,
  );
  return missing === undefined ? undefined : `built without ${missing}`;
}
