#!/usr/bin/env node
'use strict';
// Old syntax only, so that a Node too old for netkit (10 and newer) can read this file and say so. CommonJS (package.json
// beside it), because Node starts its loader of modules only when it has to, and that takes a few milliseconds.
const version = process.versions.node.split('.').map(Number);
if (version[0] < 20 || (version[0] === 20 && version[1] < 19)) {
  process.stderr.write(`netkit: Node ${process.versions.node} is too old\n`);
  process.stderr.write('hint: netkit needs Node 20.19 or newer\n');
  process.exit(1);
}
Promise.resolve()
  // biome-ignore lint/style/noCommonJs: see above
  .then(() => require('../dist/cli.cjs').runProcess())
  .then(
    (status) => process.exit(status),
    (error) => {
      process.stderr.write(`netkit: ${error.message.split('\n')[0]}\n`);
      if (error.code === 'MODULE_NOT_FOUND') {
        process.stderr.write(
          'hint: in a checkout, npm run setup builds netkit; otherwise install it again\n',
        );
      }
      process.exit(1);
    },
  );
