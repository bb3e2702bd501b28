// Part of dist/cli.cjs: how the modules of the command line, which scripts/pack/pack.mjs made functions, find each other.
const fs = require('node:fs');
const path = require('node:path');

const cacheRoot = '/var/cache/netkit';
/** Each takes Node a millisecond or more to load, and few commands use it. */
const lazyBuiltins = new Set([
  'node:child_process',
  'node:crypto',
  'node:fs/promises',
  'node:readline',
  'node:stream',
  'node:stream/promises',
  'node:timers/promises',
]);

/**
 * Runs the module `entry` and returns its exports. The functions of the modules that every command needs are in start.cjs, in
 * `folder`, those named in `apart` are in the script that it names, those of the others in commands.cjs. `id` is the build's,
 * and `commands` are the names of all commands.
 */
module.exports = ({ id, commands, apart, entry }, nodeRequire, folder) => {
  const loaded = new Map();
  // Kept apart for each command, since V8 keeps the functions that ran.
  const command = commandOf(process.argv.slice(2), commands) ?? 'none';
  const start = script('start.cjs', `start-${command}`);
  const scripts = new Map();
  let rest;

  function script(name, keptAs) {
    return runScript(path.join(folder, name), cacheFile(`${keptAs}.${process.version}.${id}`));
  }

  function load(name) {
    if (lazyBuiltins.has(name)) return lazily(() => nodeRequire(name));
    if (!name.startsWith('./')) return nodeRequire(name);
    let module = loaded.get(name);
    if (module === undefined) {
      module = { exports: {} };
      loaded.set(name, module);
      factoryOf(name)(module.exports, load, module);
    }
    return module.exports;
  }

  function factoryOf(name) {
    if (start[name] !== undefined) return start[name];
    const own = apart[name];
    if (own !== undefined) {
      if (!scripts.has(own)) scripts.set(own, script(`${own}.cjs`, `${own}-${command}`));
      return scripts.get(own)[name];
    }
    rest ??= script('commands.cjs', command);
    return rest[name];
  }

  return load(entry);
};

/** Stands for a module of Node until something of it is used. */
function lazily(required) {
  return new Proxy(
    {},
    {
      get: (_, key) => required()[key],
      has: (_, key) => key in required(),
      ownKeys: () => Reflect.ownKeys(required()),
      getOwnPropertyDescriptor: (_, key) => {
        const found = Reflect.getOwnPropertyDescriptor(required(), key);
        return found === undefined ? undefined : { ...found, configurable: true };
      },
    },
  );
}

/** Runs the script with what V8 compiled of it before, or else keeps that for the next time. */
function runScript(filename, cache) {
  const { Script } = require('node:vm');
  const cachedData = cache === undefined ? undefined : readIfThere(cache);
  // esbuild writes ASCII, and latin1 needs no decoding.
  const script = new Script(fs.readFileSync(filename, 'latin1'), { filename, cachedData });
  if (cache !== undefined && (cachedData === undefined || script.cachedDataRejected)) {
    process.on('exit', (status) => {
      if (status === 0) keep(cache, script);
    });
  }
  return script.runInThisContext()(require('node:url').pathToFileURL(filename).href);
}

/** `map-get` for `map get …`; undefined where the words name no command. */
function commandOf(words, commands) {
  const names = words.flatMap((word, index) => [`${word}-${words[index + 1]}`, word]);
  return names.find((name) => commands.includes(name));
}

/** Where code may be kept; undefined where it may not. V8 itself refuses what another V8 wrote. */
function cacheFile(name) {
  if (process.getuid() !== 0) return undefined;
  const folder = path.join(cacheRoot, 'compile');
  // What is in there is run: nobody but root may be able to write to it.
  return isSafe(cacheRoot) && isSafe(folder) ? path.join(folder, name) : undefined;
}

function isSafe(folder) {
  try {
    if (!fs.existsSync(folder)) fs.mkdirSync(folder, { mode: 0o700 });
    const found = fs.lstatSync(folder);
    return found.isDirectory() && found.uid === 0 && (found.mode & 0o022) === 0;
  } catch {
    return false;
  }
}

function readIfThere(file) {
  try {
    return fs.readFileSync(file);
  } catch {
    return undefined;
  }
}

/** Writes the code that V8 has by now, in place of what other builds kept. Where that fails netkit only starts later. */
function keep(file, script) {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    fs.writeFileSync(temporary, script.createCachedData(), { mode: 0o600, flag: 'wx' });
    fs.renameSync(temporary, file);
    const [folder, name] = [path.dirname(file), path.basename(file)];
    const command = name.slice(0, name.indexOf('.') + 1);
    const older = fs.readdirSync(folder).filter((other) => other.startsWith(command) && other !== name);
    for (const other of older) fs.rmSync(path.join(folder, other), { force: true });
  } catch {
    fs.rmSync(temporary, { force: true });
  }
}
