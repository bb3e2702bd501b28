/** netfilter's numbers and the words for them. */
import { uapi } from '../../sys/uapi.js';

/** @internal */
export const families = {
  ipv4: uapi.NFPROTO_IPV4,
  ipv6: uapi.NFPROTO_IPV6,
} as const satisfies Record<NetfilterFamily, number>;
/** @internal */
export const stages = {
  prerouting: uapi.NF_INET_PRE_ROUTING,
  input: uapi.NF_INET_LOCAL_IN,
  forward: uapi.NF_INET_FORWARD,
  output: uapi.NF_INET_LOCAL_OUT,
  postrouting: uapi.NF_INET_POST_ROUTING,
} as const satisfies Record<NetfilterStage, number>;

export type NetfilterFamily = 'ipv4' | 'ipv6';
/** Where on its way through the machine a packet is looked at. */
export type NetfilterStage = 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting';

/** The words for the kernel's numbers. @internal */
export function netfilterWords(
  family: number,
  stage: number,
): { family: NetfilterFamily | undefined; stage: NetfilterStage | undefined } {
  const familyWord = family === families.ipv4 ? 'ipv4' : family === families.ipv6 ? 'ipv6' : undefined;
  const stageWords = ['prerouting', 'input', 'forward', 'output', 'postrouting'] as const;
  return { family: familyWord, stage: stageWords.find((word) => stages[word] === stage) };
}
