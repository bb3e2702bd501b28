/** Lets tests kill a command at each of its steps: the number of the step, counted from 0. */
const killStep = Number(process.env['NETKIT_TEST_KILL_STEP'] ?? -1);
let step = 0;

/** Counts from 0 again: a change begins. */
export function countSteps(): void {
  step = 0;
}

/** A place where the command may be killed. */
export function steppingStone(): void {
  if (step++ === killStep) process.kill(process.pid, 'SIGKILL');
}
