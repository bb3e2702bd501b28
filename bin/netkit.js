#!/usr/bin/env node
// Old syntax only, so that a Node too old for netkit (10 and newer) can read this file and say so.
const version = process.versions.node.split('.').map(Number);
if (version[0] < 20 || (version[0] === 20 && version[1] < 19)) {
  process.stderr.write(`netkit: Node ${process.versions.node} is too old\n`);
  process.stderr.write('hint: netkit needs Node 20.19 or newer\n');
  process.exit(1);
}
if (version[0] >= 22 && process.getuid() === 0) enableCompileCache('/var/cache/netkit');
import('../dist/cli.js')
  .then((cli) => cli.runProcess())
  .then(
    (status) => process.exit(status),
    (error) => {
      process.stderr.write(`netkit: ${error.message.split('\n')[0]}\n`);
      if (error.code === 'ERR_MODULE_NOT_FOUND') {
        process.stderr.write(
          'hint: in a checkout, npm run setup builds netkit; otherwise install it again\n',
        );
      }
      process.exit(1);
    },
  );

// Node runs what it finds in its cache, so only a folder that nobody but root can write to will do.
function enableCompileCache(folder) {
  try {
    const fs = process.getBuiltinModule('fs');
    if (!fs.existsSync(folder)) fs.mkdirSync(folder, { mode: 0o700 });
    const found = fs.lstatSync(folder);
    const safe = found.isDirectory() && found.uid === 0 && (found.mode & 0o7777) === 0o700;
    if (safe) process.getBuiltinModule('module').enableCompileCache(`${folder}/compile`);
  } catch (_) {
    // Without a cache netkit only starts a little later.
  }
}
