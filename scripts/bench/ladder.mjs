// What native XDP is worth: how many packets it drops, over what the other ways to drop them do, in one run of `netkit bench drop`.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const rungs = ['iptables-conntrack', 'iptables-raw', 'tc', 'xdp-native'];
const seconds = 60;

export function rows(lab) {
  const { variants, blocks } = dropped(lab);
  const over = (of, title, atLeast) => ({
    title: `packets dropped a second: native XDP over ${title}`,
    of,
    against: 'xdp-native',
    atLeast,
    unit: '×',
  });
  return {
    title: `A flood of UDP packets of 64 bytes (\`netkit bench drop\`, ${seconds} s).`,
    rounds: blocks,
    samples: variants,
    rows: [
      over('tc', 'tc', 1.8),
      over('iptables-raw', 'iptables, raw table', 2.2),
      over('iptables-conntrack', 'iptables with connection tracking', 4.5),
      { title: 'noise: tc over tc', of: 'tc again', against: 'tc', unit: '×' },
    ],
  };
}

/** The rates of each rung in the blocks in which all of them count. */
function dropped(lab) {
  const report = join(lab.folder, 'drop.json');
  const { file, args, env } = lab.netkit(
    'bench',
    'drop',
    '--seconds',
    seconds,
    '--only',
    rungs.join(','),
    '--report',
    report,
  );
  const { status, stderr } = spawnSync(file, args, { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`netkit bench drop: ${stderr.trim()}`);
  const { groups } = JSON.parse(readFileSync(report, 'utf8'));
  const { variants } = groups.find(({ name }) => name === 'rate');
  const rates = new Map(variants.map((variant) => [variant.name, ratesOf(variant)]));
  const [first] = rates.values();
  const whole = [...first.keys()].filter((block) => [...rates.values()].every((rate) => rate.has(block)));
  return {
    blocks: whole.length,
    variants: new Map([...rates].map(([name, rate]) => [name, whole.map((block) => rate.get(block))])),
  };
}

function ratesOf({ title, checks, samples }) {
  const wrong = checks.find(({ ok }) => !ok);
  if (wrong !== undefined) throw new Error(`${title}: ${wrong.detail}`);
  const counted = samples.filter((sample) => sample.checks.every(({ ok }) => ok));
  return new Map(counted.map(({ block, values }) => [block, values.rate]));
}
