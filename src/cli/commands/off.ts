import { messageOf, NetkitError } from '../../base/errors.js';
import { Scope } from '../../base/scope.js';
import { recordedNamespaces } from '../../cnf/inventory.js';
import { type PendingChange, readablePending } from '../../cnf/pending/record.js';
import type { StateStore } from '../../cnf/store.js';
import { type OwnAttachment, ownEverywhere, ownOn } from '../../cnf/take-off.js';
import { findInterface } from '../../host/interfaces.js';
import { openNetns } from '../../host/netns.js';
import { pendingDocument } from '../confirmation.js';
import type { Command } from '../context.js';
import { pinsOf, storeOf } from '../environment.js';

export const run: Command<'off'> = async (context, { target }, { all }) => {
  if ((target === undefined) !== all) {
    throw new NetkitError(
      'usage',
      all ? '--all takes everything off: leave the interface out' : 'off needs an interface, or --all',
    );
  }
  const bpffs = pinsOf(context);
  const { dryRun, netns: reference } = context.options;
  using scope = new Scope();
  const netns = reference === undefined ? undefined : scope.use(openNetns(reference));
  const found =
    target === undefined
      ? ownEverywhere(bpffs, scope)
      : ownOn(findInterface(target, netns), netns, bpffs, recordedNamespaces(bpffs, storeOf(context)));
  if (all && found.length > 0 && !dryRun)
    await context.output.ask(`take ${found.length} program${found.length === 1 ? '' : 's'} off`);
  const attachments = found.map((attachment) => ({
    hook: attachment.hook,
    ifname: attachment.ifname ?? null,
    netns: attachment.netnsInode ?? null,
    programId: attachment.programId,
    pin: attachment.pin,
    problem: dryRun ? null : problemWith(attachment),
  }));
  context.output.done({ dryRun, attachments }, (page) => {
    if (attachments.length === 0) page.line(`nothing of netkit is on ${target ?? 'any hook'}`);
    for (const { hook, ifname, pin, problem } of attachments) {
      const where = `${hook}${ifname === null ? '' : ` of ${ifname}`} (${pin})`;
      if (problem === null) page.line(`${dryRun ? 'would take off' : 'took off'} ${where}`);
    }
  });
  const failed = attachments.filter(({ problem }) => problem !== null);
  for (const { hook, pin, problem } of failed)
    context.output.warn(`${hook} (${pin}) was not taken off: ${problem}`);
  for (const change of comingBack(storeOf(context))) {
    const { command, secondsLeft } = pendingDocument(change);
    context.output.warn(
      `'${command}' waits for its confirmation, and its return attaches again what it detached, in ${Math.ceil(secondsLeft)} s: 'netkit confirm ${change.plan.function}' prevents that`,
    );
  }
  return failed.length > 0 ? 1 : 0;
};

/** Changes whose return would attach something. No state is no obstacle in an emergency. */
function comingBack(store: StateStore): PendingChange[] {
  try {
    return readablePending(store).filter(
      ({ stage, plan }) => stage === 'waiting' && plan.actions.some(({ kind }) => kind === 'detach'),
    );
  } catch (error) {
    if (error instanceof NetkitError) return [];
    throw error;
  }
}

/** The rest is taken off all the same. */
function problemWith(attachment: OwnAttachment): string | null {
  try {
    attachment.takeOff();
    return null;
  } catch (error) {
    if (error instanceof NetkitError) return messageOf(error);
    throw error;
  }
}
