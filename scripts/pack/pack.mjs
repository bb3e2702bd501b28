// Packs the command line into scripts. ECMAScript modules cost a command more than a millisecond each to load, and V8
// compiles what it loads anew in each process: so all modules become functions in one of
//   start.cjs     what every start needs, help included
//   commands.cjs  everything else
// which cli.cjs runs with the code that V8 kept of an earlier run (runtime.cjs). Where none can be kept, a start need not
// compile the larger one to show help.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';

const runtime = fileURLToPath(new URL('runtime.cjs', import.meta.url));
/** The modules that belong to the start, with all that they import at once. */
const startModules = [/^src\/cli\/(process|help|version)\.ts$/];

/** @returns the scripts by name, and the names of all source files in them */
export async function pack(root, entryPoint, settings) {
  const { outputFiles, metafile } = await build({
    ...settings,
    absWorkingDir: root,
    entryPoints: { cli: entryPoint },
    outdir: `${root}/dist`,
    outExtension: { '.js': '.cjs' },
    chunkNames: '[name]-[hash]',
    splitting: true,
    format: 'esm',
    metafile: true,
    write: false,
  });
  const start = startChunks(metafile);
  const factories = { start: [], rest: [] };
  for (const { path, text } of outputFiles) {
    const { code } = await transform(text, {
      format: 'cjs',
      platform: 'node',
      target: settings.target,
      minifySyntax: true,
      minifyWhitespace: true,
      // `import()` of another module of the pack becomes a call of the pack's own `require`.
      supported: { 'dynamic-import': false },
      define: { 'import.meta.url': '__packUrl' },
    });
    const name = `./${basename(path)}`;
    factories[start.has(name) ? 'start' : 'rest'].push({ name, code });
  }
  const [startScript, commands] = [factories.start, factories.rest].map(
    (modules) => `(function(__packUrl){return{${sharingHelpers(modules).join(',\n')}}})`,
  );
  const id = createHash('sha256').update(startScript).update(commands).digest('hex').slice(0, 16);
  const cli = [
    "'use strict';const runtime={};(function(module){",
    readFileSync(runtime, 'utf8'),
    `})(runtime);module.exports=runtime.exports({id:'${id}',commands:${JSON.stringify(commandNames(metafile))},entry:'./cli.cjs'},require,__dirname);`,
  ].join('\n');
  const files = { 'cli.cjs': cli, 'start.cjs': startScript, 'commands.cjs': commands };
  return { files, inputs: Object.keys(metafile.inputs) };
}

/**
 * esbuild begins each module with the same few helper functions, of which there is one kind or another: those of one kind
 * share them, since to make them a hundred times takes milliseconds.
 */
function sharingHelpers(modules) {
  const kinds = new Map();
  for (const { name, code } of modules) {
    // Not there in a module that exports nothing.
    const at = Math.max(0, code.indexOf(exportsBegin));
    const helpers = code.slice(0, at);
    const body = code.slice(at).replace(exportsEnd, exportsShared);
    if (at > 0 && !body.includes(exportsShared))
      throw new Error(`${name} does not begin as esbuild begins modules`);
    kinds.set(helpers, [...(kinds.get(helpers) ?? []), `'${name}'(exports,require,module){${body}}`]);
  }
  return [...kinds].map(([helpers, functions]) => `...(()=>{${helpers}return{${functions.join(',\n')}}})()`);
}

const exportsBegin = 'var stdin_exports={};';
const exportsEnd = 'module.exports=__toCommonJS(stdin_exports);';
/** Without another object, with a getter more for each export. */
const exportsShared = 'module.exports=__defProp(stdin_exports,"__esModule",{value:!0});';

/** Names of the chunks that hold the start: its modules, and whatever these import at once. */
function startChunks({ outputs }) {
  const chunks = new Set();
  const add = (path) => {
    const name = `./${basename(path)}`;
    if (outputs[path] === undefined || chunks.has(name)) return;
    chunks.add(name);
    for (const { path: next, kind } of outputs[path].imports) if (kind === 'import-statement') add(next);
  };
  for (const [path, { entryPoint }] of Object.entries(outputs)) {
    if (startModules.some((module) => module.test(entryPoint ?? ''))) add(path);
  }
  return chunks;
}

/** `map-get` for src/cli/commands/map-get.ts */
function commandNames({ inputs }) {
  return Object.keys(inputs).flatMap((path) => /^src\/cli\/commands\/([\w-]+)\.ts$/.exec(path)?.[1] ?? []);
}
