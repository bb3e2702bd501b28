/** What the kernel was built with. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { fileErrorCode } from './file-errors.js';
import { kernelRelease } from './kernel.js';

/** The settings of the kernel's build by name (`CONFIG_BPF`): `y`, `m`, a number or a text; those not set are not in it. */
export type KernelConfig = ReadonlyMap<string, string>;

/** Reads the text of a kernel's configuration. */
export function parseKernelConfig(text: string): KernelConfig {
  const settings = new Map<string, string>();
  for (const [, name = '', value = ''] of text.matchAll(/^(CONFIG_\w+)=(.*)$/gm))
    settings.set(name, value.replace(/^"(.*)"$/, '$1'));
  return settings;
}

/** The running kernel's; `undefined` where neither the kernel (CONFIG_IKCONFIG_PROC) nor its package tells. */
export function readKernelConfig(): KernelConfig | undefined {
  const release = kernelRelease();
  const places = ['/proc/config.gz', `/boot/config-${release}`, `/lib/modules/${release}/config`];
  for (const path of places) {
    const text = readConfig(path);
    if (text !== undefined) return parseKernelConfig(text);
  }
  return undefined;
}

function readConfig(path: string): string | undefined {
  try {
    const bytes = readFileSync(path);
    return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  } catch (error) {
    // Those of zlib have codes too: a damaged file tells nothing.
    if (fileErrorCode(error) !== undefined) return undefined;
    throw error;
  }
}
