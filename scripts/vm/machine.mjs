// One virtual machine: QEMU without KVM, which needs nothing of the host but time.
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';

const memoryMb = 2048;

/**
 * The CPUs take turns on one thread. On threads of their own one of them now and then runs text of the kernel that another has
 * just patched (jump labels, the XDP dispatcher), meets the int3 of that, and the kernel panics: seen with 6.12 and 7.2.
 */
const acceleration = 'tcg,thread=single,tb-size=512';

/**
 * Boots a kernel and waits until the machine is off.
 * @param folder for the machine's files: console.log; its folder `results` is writable inside
 * @param onLine gets each line that the console prints
 * @returns whether the machine had to be stopped after `timeoutMs`, and how QEMU ended: `status 0`, `SIGSEGV`
 */
export async function runMachine({ image, initramfs, folder, timeoutMs, onLine }) {
  const args = [
    ...['-accel', acceleration, '-cpu', cpu, '-smp', '2', '-m', String(memoryMb)],
    ...['-nodefaults', '-display', 'none', '-serial', 'stdio', '-no-reboot', '-device', 'virtio-rng-pci'],
    ...['-kernel', image, '-initrd', initramfs, '-append', kernelArguments.join(' ')],
    ...share('hostroot', '/', 'readonly=on,multidevs=remap'),
    ...share('results', join(folder, 'results'), 'multidevs=remap'),
  ];
  const child = spawn('qemu-system-x86_64', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const log = createWriteStream(join(folder, 'console.log'));
  let rest = '';
  const read = (text) => {
    log.write(text);
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      onLine(line.trimEnd());
    }
  };
  child.stdout.setEncoding('utf8').on('data', read);
  child.stderr.setEncoding('utf8').on('data', read);
  const stop = () => child.kill('SIGKILL');
  process.once('exit', stop);
  let timedOut = false;
  let ending = '';
  const timer = setTimeout(() => {
    timedOut = true;
    stop();
  }, timeoutMs);
  try {
    await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (status, signal) => {
        ending = signal ?? `status ${status}`;
        resolve();
      });
    });
  } finally {
    clearTimeout(timer);
    process.off('exit', stop);
    log.end();
  }
  return { timedOut, ending };
}

/** All that QEMU can emulate, but for what costs it time at each page: a fifth level of page tables, protections of pages. */
const cpu = 'max,la57=off,pku=off,smap=off,smep=off';

const kernelArguments = [
  ...['console=ttyS0', 'quiet', 'loglevel=3', 'panic=-1', 'oops=panic', 'net.ifnames=0'],
  // Programs of that type can then be attached, on kernels that do not name bpf by themselves.
  'lsm=landlock,lockdown,yama,bpf',
  // Nobody else is in there, and emulation is slow as it is.
  ...['mitigations=off', 'apparmor=0', 'cgroup_no_v1=all', 'nokaslr', 'tsc=reliable', 'nowatchdog'],
  // On a busy machine QEMU's timer comes too late for the kernel's test of it: «IO-APIC + timer doesn't work».
  'no_timer_check',
  // To zero each page once more takes Node a third of its start.
  'init_on_alloc=0',
  // QEMU keeps what it has translated by virtual address too: each start of Node at the same ones takes two thirds of the time.
  'norandmaps',
];

function share(tag, path, options) {
  // A comma in a path would begin another option.
  return [
    '-virtfs',
    `local,path=${path.replaceAll(',', ',,')},mount_tag=${tag},security_model=none,${options}`,
  ];
}
