import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NetkitError } from '../../base/errors.js';
import { vmlinuxHeader } from '../../build/vmlinux.js';
import { kernelRelease } from '../../host/kernel.js';
import type { Command } from '../context.js';
import { writeOutputFile } from '../output-file.js';

export const run: Command<'gen vmlinux'> = async ({ output, signal }, _args, options) => {
  const text = await output.progress('writing vmlinux.h', async () => header());
  const bytes = Buffer.byteLength(text);
  const kernel = kernelRelease();
  if (options.output === undefined) {
    output.result({ file: null, header: text, bytes, kernel }, (page) => page.text(text));
    return;
  }
  const file = options.output;
  await writeOutputFile(file, text, signal);
  output.done({ file, header: null, bytes, kernel }, (page) =>
    page.line(`${file}: the types of Linux ${kernel}, ${bytes} bytes`),
  );
};

/** From the cache that `build` uses; where that cannot be written to, made for this once. */
function header(): string {
  try {
    return readFileSync(vmlinuxHeader(), 'utf8');
  } catch (error) {
    if (error instanceof NetkitError && (error.code === 'unsupported' || error.code === 'bad-object'))
      throw error;
  }
  const cacheDir = mkdtempSync(join(tmpdir(), 'netkit-vmlinux-'));
  try {
    return readFileSync(vmlinuxHeader({ cacheDir }), 'utf8');
  } finally {
    rmSync(cacheDir, { recursive: true, force: true });
  }
}
