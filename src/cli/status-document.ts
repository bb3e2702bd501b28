/** What `status` found, as its JSON document shows it. */
import type { Generation } from '../cnf/declaration.js';
import type { FunctionStatus, LinkStatus, Status } from '../cnf/declared/status.js';
import type { ChainStatus } from '../cnf/declared/status-chain.js';
import { pendingDocument } from './confirmation.js';
import { linkDocument } from './describe.js';
import type { DocumentOf } from './schema/index.js';

export type StatusInfo = DocumentOf<'status'>;

export function statusDocument({ functions, chains }: Status): StatusInfo {
  return { functions: functions.map(functionInfo), chains: chains.map(chainInfo) };
}

function functionInfo(status: FunctionStatus): StatusInfo['functions'][number] {
  const { name, state, condition, programs, links, places, pending, metrics, problems } = status;
  const { declared, object } = state ?? {};
  const memberships = links.flatMap(({ chain }) => chain ?? []);
  return {
    name,
    condition,
    labels: labelsOf(declared?.present.document),
    manifest: declared?.manifest ?? null,
    generation: declared === undefined ? null : generationInfo(declared.present),
    former: (declared?.former ?? []).map(generationInfo),
    object: object == null ? null : { path: object.path, sha256: object.sha256 },
    programs: programs.map((program) => ({
      name: program.name,
      id: program.info?.id ?? null,
      tag: program.info?.tag ?? null,
    })),
    links: links.map(linkInfo),
    places: places.map(({ program, hook, target, netns, reason }) => ({
      program,
      hook: hook ?? null,
      target: target ?? null,
      netns: netns ?? null,
      reason,
    })),
    chains: [...new Set(memberships)],
    pending: pending === undefined ? null : pendingDocument(pending),
    settling: pending?.settling?.about ?? null,
    metrics: metrics.map(({ help, problem, samples, ...metric }) => ({
      ...metric,
      help: help ?? null,
      samples: samples.map(({ labels, value }) => ({ labels: { ...labels }, value })),
      problem: problem ?? null,
    })),
    problems: [...problems],
  };
}

function generationInfo({
  number,
  since,
  from,
}: Generation): StatusInfo['functions'][number]['former'][number] {
  return { number, since, from };
}

function linkInfo({ listed, alive, declared, chain, order }: LinkStatus) {
  return {
    link: linkDocument(listed),
    alive,
    declared,
    chain: chain ?? null,
    order: order === undefined ? null : { ...order },
  };
}

function chainInfo(status: ChainStatus): StatusInfo['chains'][number] {
  const { name, state, document, problem, form, members, inOrder } = status;
  return {
    name,
    labels: labelsOf(document),
    manifest: state?.manifest ?? null,
    appliedAt: state?.appliedAt ?? null,
    hook: document?.spec.hook ?? null,
    interface: document?.spec.interface ?? null,
    netns: document?.spec.netns ?? null,
    form: form ?? null,
    members: members.map((member) => ({
      function: member.function,
      program: member.program ?? null,
      link: member.link ?? null,
      alive: member.alive,
      priority: member.priority ?? null,
      place: member.place ?? null,
    })),
    inOrder: inOrder ?? null,
    problem: problem ?? null,
  };
}

/** The labels of a recorded document, which was checked when it was read. */
function labelsOf(document: unknown): Record<string, string> {
  const { metadata } = Object(document);
  const { labels } = Object(metadata);
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(Object(labels)))
    if (typeof value === 'string') found[name] = value;
  return found;
}
