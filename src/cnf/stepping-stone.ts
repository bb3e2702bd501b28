/**
 * Lets tests kill a command at each of its steps: the number of the step, counted from 0. With `count` nothing is killed, and
 * the command says at its end how many there were.
 */
const wanted = process.env['NETKIT_TEST_KILL_STEP'];
const killStep = Number(wanted ?? -1);
let step = 0;
let most = 0;

if (wanted === 'count') process.once('exit', () => process.stderr.write(`steps: ${most}\n`));

/** Counts from 0 again: a change begins. */
export function countSteps(): void {
  step = 0;
}

/** A place where the command may be killed. */
export function steppingStone(): void {
  if (step++ === killStep) process.kill(process.pid, 'SIGKILL');
  most = Math.max(most, step);
}
