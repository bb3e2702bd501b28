// What manifests cost: 100,000 entries from a file, a plan with nothing to do, an upgrade of ten attachments.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const NODE = 'node';
const entries = 100_000;
const attachments = 10;

export function rows(lab) {
  const folder = join(lab.folder, 'declared');
  mkdirSync(folder);
  const object = lab.object('firewall');
  writeFileSync(join(folder, 'blocklist.csv'), blocklist());
  const interfaces = Array.from({ length: attachments }, (_, index) => lab.veth(`nkten${index}`));
  const manifest = (name, options) => writeManifest(join(folder, `${name}.json`), { object, ...options });
  const filled = manifest('filled', { name: 'filled', action: 'pass', interfaces: [] });
  // Another name would be another function: the same one, as two manifests say it, is upgraded to and fro.
  const one = manifest('one', { name: 'ten', action: 'pass', interfaces });
  const other = manifest('other', { name: 'ten', action: 'drop', interfaces });
  const apply = (file, ...more) => lab.netkit('apply', '-f', file, ...more);
  lab.prepare(apply(one));
  return {
    title: `Manifests: ${entries.toLocaleString('en')} prefixes from a CSV file, and the firewall on ${attachments} interfaces.`,
    rounds: 11,
    chains: [
      [{ name: NODE, command: lab.bareNode() }],
      [
        { name: 'apply', command: apply(filled) },
        { name: 'plan', command: lab.netkit('plan', '-f', filled) },
        { name: 'apply again', command: apply(filled) },
        { name: 'delete', command: lab.netkit('delete', 'filled', '--yes') },
      ],
      [
        { name: 'upgrade', command: apply(other, '--take-over') },
        { name: 'upgrade back', command: apply(one, '--take-over') },
      ],
    ],
    rows: [
      {
        title: '`netkit apply` of a manifest with 100,000 entries `from:` a file over Node',
        of: 'apply',
        over: [NODE],
        budget: 1500,
        unit: 'ms',
      },
      {
        title: '`netkit plan` of it with nothing to do over Node',
        of: 'plan',
        over: [NODE],
        budget: 150,
        unit: 'ms',
      },
      {
        title: '`netkit apply` of it with nothing to do over Node',
        of: 'apply again',
        over: [NODE],
        unit: 'ms',
      },
      { title: '`netkit delete` of it over Node', of: 'delete', over: [NODE], unit: 'ms' },
      {
        title: 'an upgrade of ten attachments and 100,000 kept entries over Node',
        of: 'upgrade',
        over: [NODE],
        budget: 1000,
        unit: 'ms',
      },
    ],
  };
}

function blocklist() {
  const lines = Array.from(
    { length: entries },
    (_, index) => `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}/32,drop`,
  );
  return `key,value.action\n${lines.join('\n')}\n`;
}

function writeManifest(path, { name, object, action, interfaces }) {
  const attach = interfaces.length === 0 ? [] : [{ hook: 'xdp', interfaces }];
  const document = {
    apiVersion: 'netkit/v1',
    kind: 'NetworkFunction',
    metadata: { name },
    spec: {
      program: { object },
      globals: { default_action: action },
      maps: { blocklist_v4: { maxEntries: 2 * entries, from: 'blocklist.csv' } },
      attach,
    },
  };
  writeFileSync(path, JSON.stringify(document));
  return path;
}
