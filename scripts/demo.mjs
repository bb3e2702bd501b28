// `npm run demo`: netkit at work between two network namespaces that this script makes and removes.
// Node builtins only, and netkit as a user has it: bin/netkit.js and what it prints. Whatever is shown is checked too.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FUNCTION = 'demo-fw';
const SENDER = `nk-demo-${process.pid}-sender`;
const RECEIVER = `nk-demo-${process.pid}-receiver`;
const SENDER_ADDRESS = '10.77.0.1';
const RECEIVER_ADDRESS = '10.77.0.2';
const SENDER_NETWORK = '10.77.0.0/24';
const PINGS = 3;
/** What `netkit list --json` calls each kind of object, by the command that lists it. */
const PLURAL = { prog: 'programs', map: 'maps', link: 'links' };
/** Exit statuses of netkit, which the demo uses as well. */
const NOT_PERMITTED = 4;
const CONFLICT = 5;

/** A reason to stop that the reader can act on. */
class Stop extends Error {
  constructor(message, status = 1) {
    super(message);
    this.status = status;
  }
}

const bold =
  process.stdout.isTTY && !process.env.NO_COLOR ? (text) => `\u001b[1m${text}\u001b[0m` : (text) => text;
const indent = (text) => text.replace(/^(?=.)/gm, '  ');
const say = (text) => process.stdout.write(`${text}\n`);
const explain = (text) => say(`\n${bold(`# ${text}`)}`);

let interrupted;
for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
]) {
  process.on(signal, () => {
    interrupted ??= new Stop(`stopped by ${signal}`, status);
  });
}

/** Runs a program to its end: what it printed and how it ended, never a throw for a bad exit. */
function run(file, args, { env = process.env, detached = false } = {}) {
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd: ROOT, env, detached, stdio: ['ignore', 'pipe', 'pipe'] });
    const out = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr']) {
      child[stream].setEncoding('utf8').on('data', (text) => {
        out[stream] += text;
      });
    }
    child.on('error', (error) =>
      resolve({ ...out, status: 1, missing: error.code === 'ENOENT', stderr: error.message }),
    );
    child.on('close', (status) => resolve({ ...out, status: status ?? 1, missing: false }));
  });
}

const netkitProcess = (args, options) =>
  run(process.execPath, [join(ROOT, 'bin', 'netkit.js'), ...args], options);

/** Runs a netkit command in front of the reader. */
async function netkit(...args) {
  stopIfInterrupted();
  say(`$ netkit ${args.map((word) => (/^[\w./:=,@%+-]+$/.test(word) ? word : `'${word}'`)).join(' ')}`);
  const { status, stdout, stderr } = await netkitProcess(args);
  process.stdout.write(indent(stdout + stderr));
  stopIfInterrupted();
  if (status !== 0) {
    throw Object.assign(new Stop(`netkit ${args[0]} ended with status ${status}`), { netkitStatus: status });
  }
  return stdout;
}

/** Asks netkit something for the script's own checks, without showing it. */
async function ask(...args) {
  const { status, stdout, stderr } = await netkitProcess([...args, '--json']);
  stopIfInterrupted();
  if (status !== 0) {
    throw new Stop(`netkit ${args.join(' ')} --json: ${stderr.trim()}`);
  }
  return JSON.parse(stdout);
}

async function ip(...args) {
  stopIfInterrupted();
  const { status, stderr } = await run('ip', args);
  if (status !== 0) {
    throw new Stop(`ip ${args.join(' ')}: ${stderr.trim()}`);
  }
}

function stopIfInterrupted() {
  if (interrupted) {
    throw interrupted;
  }
}

function expect(truth, message) {
  if (!truth) {
    throw new Stop(message);
  }
}

/** Sends pings from the sender and checks how many are answered. */
async function ping(expected) {
  stopIfInterrupted();
  const args = ['-n', '-c', String(PINGS), '-i', '0.2', '-W', '1', RECEIVER_ADDRESS];
  const { stdout, stderr } = await run('ip', ['netns', 'exec', SENDER, 'ping', ...args], {
    env: { ...process.env, LC_ALL: 'C' },
  });
  stopIfInterrupted();
  const received = /(\d+) received/.exec(stdout)?.[1];
  expect(received !== undefined, `ping did not run: ${(stderr || stdout).trim()}`);
  say(`  ${SENDER_ADDRESS} pings ${RECEIVER_ADDRESS}: ${PINGS} sent, ${received} answered`);
  expect(Number(received) === expected, `${expected} answers were expected`);
}

async function checkThatItCanRun() {
  if (process.getuid() !== 0) {
    throw new Stop(
      'the demo loads programs into the kernel and makes network namespaces: run it as root',
      NOT_PERMITTED,
    );
  }
  for (const [program, debianPackage] of [
    ['ip', 'iproute2'],
    ['ping', 'iputils-ping'],
    ['clang', 'clang'],
  ]) {
    const { missing } = await run(program, [program === 'clang' ? '--version' : '-V']);
    expect(!missing, `${program} is missing: install the package ${debianPackage}, or run \`npm run setup\``);
  }
  if ((await loadedFunction()) !== undefined) {
    throw new Stop(
      `a function named ${FUNCTION} is loaded already; \`netkit unload ${FUNCTION}\` removes it`,
      CONFLICT,
    );
  }
}

async function loadedFunction() {
  const { functions } = await ask('list');
  return functions.find(({ name }) => name === FUNCTION);
}

async function makeHosts() {
  await ip('netns', 'add', SENDER);
  await ip('netns', 'add', RECEIVER);
  await ip('link', 'add', 'eth0', 'netns', SENDER, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', RECEIVER);
  for (const [host, address] of [
    [SENDER, SENDER_ADDRESS],
    [RECEIVER, RECEIVER_ADDRESS],
  ]) {
    // No IPv6 of its own accord: the counters shall show the pings and little else.
    await ip('-n', host, 'link', 'set', 'eth0', 'addrgenmode', 'none');
    await ip('-n', host, 'address', 'add', `${address}/24`, 'dev', 'eth0');
    await ip('-n', host, 'link', 'set', 'eth0', 'up');
  }
}

/** Which of these ids the kernel still has, asked of bpftool where there is one, since netkit is what is judged. */
async function stillThere(kind, ids) {
  const { status, missing, stdout } = await run('bpftool', ['-j', kind, 'show']);
  const all = missing || status !== 0 ? (await ask(kind, 'list', '--all'))[PLURAL[kind]] : JSON.parse(stdout);
  return all.map(({ id }) => id).filter((id) => ids.includes(id));
}

/** A detached program is freed a moment later, when no CPU runs it any more. */
async function expectGone(kind, ids) {
  for (let attempt = 0; ; attempt++) {
    const left = await stillThere(kind, ids);
    if (left.length === 0) {
      return;
    }
    expect(attempt < 20, `${kind} ${left.join(', ')} is still in the kernel`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const undo = [];

async function unload() {
  // In a process group of its own, so that a second Ctrl-C does not stop the clean-up.
  const { status, stderr } = await netkitProcess(['unload', FUNCTION, '--if-exists'], { detached: true });
  if (status !== 0) {
    process.stderr.write(`demo: ${FUNCTION} could not be unloaded: ${stderr.trim()}\n`);
  }
}

async function demo() {
  await checkThatItCanRun();
  const folder = await mkdtemp(join(tmpdir(), 'netkit-demo-'));
  undo.push(() => rm(folder, { recursive: true, force: true }));
  const object = join(folder, 'firewall.bpf.o');

  explain(`Two hosts, joined by a cable: the network namespaces ${SENDER} and ${RECEIVER}`);
  undo.push(() => run('ip', ['netns', 'del', SENDER]));
  undo.push(() => run('ip', ['netns', 'del', RECEIVER]));
  await makeHosts();
  await ping(PINGS);

  explain(
    'Compile the firewall and load it. It does nothing yet: it is in the kernel, with its maps, under a name',
  );
  await netkit('build', 'bpf/firewall.bpf.c', '-o', object);
  undo.push(unload);
  try {
    await netkit('load', object, '--name', FUNCTION);
  } catch (error) {
    if (error.netkitStatus === CONFLICT) {
      undo.pop(); // somebody else took the name since it was free: theirs to unload
    }
    throw error;
  }

  explain("Attach it to the receiver's interface, in the driver. Its block lists are empty: packets flow");
  await netkit('attach', FUNCTION, 'eth0', '--mode', 'native', '--netns', RECEIVER);
  const loaded = await loadedFunction();
  expect(loaded?.links.length === 1, `${FUNCTION} should have one link`);
  await ping(PINGS);

  explain("Block the sender's network. The map is typed: a prefix goes in, and the name of an action");
  await netkit('map', 'update', `${FUNCTION}/blocklist_v4`, SENDER_NETWORK, 'drop');
  await ping(0);

  explain(
    'What the firewall saw: the entry counts what it matched, and stats counts every verdict with its reason',
  );
  await netkit('map', 'get', `${FUNCTION}/blocklist_v4`, SENDER_NETWORK);
  await netkit('map', 'dump', `${FUNCTION}/stats`);
  const { value } = await ask('map', 'get', `${FUNCTION}/stats`, 'drop_blocked_v4');
  expect(value.packets === PINGS, `${PINGS} blocked packets should have been counted, not ${value.packets}`);

  explain('Unblock it: packets flow again');
  await netkit('map', 'delete', `${FUNCTION}/blocklist_v4`, SENDER_NETWORK);
  await ping(PINGS);

  explain('What is loaded, and where it is attached');
  await netkit('list');

  explain('Take it off the interface, and out of the kernel');
  await netkit('detach', FUNCTION);
  await netkit('unload', FUNCTION);

  explain('Nothing is left');
  await netkit('list');
  expect((await loadedFunction()) === undefined, `${FUNCTION} is still listed`);
  for (const kind of Object.keys(PLURAL)) {
    const ids = loaded[PLURAL[kind]].map(({ id }) => id);
    await expectGone(kind, ids);
    say(`  ${kind} ${ids.join(', ')}: gone`);
  }
  const pins = join(process.env.NETKIT_BPFFS ?? '/sys/fs/bpf', 'netkit', FUNCTION);
  expect(!existsSync(pins), `${pins} is still there`);
  say(`  ${pins}: gone`);
}

async function cleanUp() {
  while (undo.length > 0) {
    await undo.pop()();
  }
}

let status = 0;
try {
  await demo();
  await cleanUp();
  say(`\n${bold('Done.')} The two hosts are removed as well. README.md goes on from here.`);
} catch (error) {
  await cleanUp();
  status = error instanceof Stop ? error.status : 1;
  process.stderr.write(`demo: ${error instanceof Stop ? error.message : error.stack}\n`);
}
process.exitCode = status;
