import { basename } from 'node:path';
import { typesModule } from '../../build/types-module.js';
import { ObjectSpec } from '../../obj/spec.js';
import type { Command } from '../context.js';
import { objectFile } from '../object-file.js';
import { writeOutputFile } from '../output-file.js';

export const run: Command<'gen types'> = async ({ output, signal }, { object }, options) => {
  const path = objectFile(object);
  const { text, constant, type } = typesModule(await ObjectSpec.read(path));
  const common = { bytes: Buffer.byteLength(text), object: path, constant, type };
  if (options.output === undefined) {
    output.result({ file: null, module: text, ...common }, (page) => page.text(text));
    return;
  }
  const file = options.output;
  await writeOutputFile(file, text, signal);
  output.done({ file, module: null, ...common }, (page) =>
    page.line(`${file}: the types of ${basename(path)}, exported as ${constant}`),
  );
};
