// Packs the command line into scripts. ECMAScript modules cost a command more than a millisecond each to load, and V8
// compiles what it loads anew in each process: so all modules become functions in one of
//   start.cjs     what every start needs, help included
//   declared.cjs  what the commands alone need that read manifests (and, of that, what benchmarks use too)
//   bench.cjs     what benchmarks alone need
//   charts.cjs    what draws the charts of a report
//   commands.cjs  everything else
// which cli.cjs runs with the code that V8 kept of an earlier run (runtime.cjs). Where none can be kept, a start need not
// compile the larger ones to show help; and no command reads what it does not need of the largest.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';

const runtime = fileURLToPath(new URL('runtime.cjs', import.meta.url));
/** The modules that belong to the start, with all that they import at once. */
const startModules = [/^src\/cli\/(process|help|version)\.ts$/];

/**
 * Scripts for what few commands need: no other command reads them. A chunk that several of them need is in the first; one that
 * any other command needs is in none.
 */
const apart = [
  {
    // A parser and schemas.
    script: 'declared',
    roots:
      /^src\/cli\/commands\/(plan|apply|upgrade|rollback|delete|reconcile|snapshot|status|diff|export)\.ts$/,
  },
  { script: 'bench', roots: /^src\/cli\/commands\/bench-[\w-]+\.ts$/ },
  { script: 'charts', roots: /^src\/bench\/report\/charts\/engine\.ts$/ },
];

/** Stands for the commands that have no script of their own. */
const others = -1;

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
  const scriptOf = chunksApart(metafile);
  const factories = { start: [], commands: [] };
  for (const { script } of apart) factories[script] = [];
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
    const script = start.has(name) ? 'start' : (scriptOf[name] ?? 'commands');
    factories[script].push({ name, code });
  }
  const scripts = Object.entries(factories).map(([script, modules]) => [
    `${script}.cjs`,
    `(function(__packUrl){return{${sharingHelpers(modules).join(',\n')}}})`,
  ]);
  const hash = createHash('sha256');
  for (const [, text] of scripts) hash.update(text);
  const id = hash.digest('hex');
  const cli = [
    "'use strict';const runtime={};(function(module){",
    readFileSync(runtime, 'utf8'),
    `})(runtime);module.exports=runtime.exports({id:'${id.slice(0, 16)}',commands:${JSON.stringify(commandNames(metafile))},apart:${JSON.stringify(scriptOf)},entry:'./cli.cjs'},require,__dirname);`,
  ].join('\n');
  const files = { 'cli.cjs': cli, ...Object.fromEntries(scripts) };
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

/** The script of each chunk that is in one of those for few commands, by its name. */
function chunksApart({ outputs }) {
  const entryOf = (path) => outputs[path]?.entryPoint ?? '';
  const isCommand = (path) => entryOf(path).startsWith('src/cli/commands/');
  /** The place in `apart` of the script that has such a root; that of `others` for any other command. */
  const rankOf = (path) => apart.findIndex(({ roots }) => roots.test(entryOf(path)));
  const reached = new Map([[others, new Set()], ...apart.map((_, rank) => [rank, new Set()])]);
  const add = (path, rank) => {
    const chunks = reached.get(rank);
    if (outputs[path] === undefined || chunks.has(path)) return;
    chunks.add(path);
    for (const { path: next } of outputs[path].imports) {
      // A batch runs other commands, and needs nothing of theirs itself; what has a script of its own is read by that.
      if (!isCommand(next) && (rankOf(next) < 0 || rankOf(next) === rank)) add(next, rank);
    }
  };
  for (const path of Object.keys(outputs)) {
    const rank = rankOf(path);
    if (rank >= 0) add(path, rank);
    else if (isCommand(path)) add(path, others);
  }
  const scripts = {};
  apart.forEach(({ script }, rank) => {
    for (const path of reached.get(rank)) {
      const name = `./${basename(path)}`;
      if (!reached.get(others).has(path)) scripts[name] ??= script;
    }
  });
  return scripts;
}

/** `map-get` for src/cli/commands/map-get.ts */
function commandNames({ inputs }) {
  return Object.keys(inputs).flatMap((path) => /^src\/cli\/commands\/([\w-]+)\.ts$/.exec(path)?.[1] ?? []);
}
