/** Pointers that a call made worthless. */
import type { Finding, Scene } from './explanation.js';

/** Calls after which packet pointers from before are plain numbers; the name is the first group. */
export const movesPacket =
  /^call (bpf_(?:xdp_adjust_(?:head|tail|meta)|skb_(?:pull_data|store_bytes|change_(?:head|tail|proto|type)|adjust_room|vlan_(?:push|pop)|ecn_set_ce|set_tunnel_key)|clone_redirect|l[34]_csum_replace|msg_(?:pull|push|pop)_data|lwt_\w+|sk_assign))\b/;

export interface InvalidatingCall {
  /** The instruction. */
  readonly at: number;
  readonly helper: string;
}

/** The last call that moves the packet, when the register held a packet pointer before and was not written since. */
export function invalidatingCall({ log }: Scene, name: string): InvalidatingCall | undefined {
  const { steps } = log;
  const used = name.toLowerCase();
  const sources = new Set([used]);
  for (let at = steps.length - 2; at >= 0; at--) {
    const step = steps[at];
    if (step === undefined) continue;
    const helper = movesPacket.exec(step.text)?.[1];
    if (helper !== undefined) {
      const survives = [...sources].some((source) => /^r[6-9]$|^fp/.test(source));
      return survives ? { at: step.index, helper } : undefined;
    }
    const written = /^(r\d+|w\d+) (?:=|[-+*/&|^]=)/.exec(step.text)?.[1]?.replace('w', 'r');
    if (written === undefined || !sources.has(written)) continue;
    const from = /^r\d+ = (r\d+)$/.exec(step.text)?.[1];
    const spilled = /^r\d+ = \*\(u64 \*\)\(r10 (-\d+)\)/.exec(step.text)?.[1];
    if (/^r\d+ \+= /.test(step.text)) continue;
    if (from === undefined && spilled === undefined) return undefined;
    sources.delete(written);
    sources.add(from ?? `fp${spilled}`);
  }
  return undefined;
}

export function stalePacket(name: string, { at, helper }: InvalidatingCall): Finding {
  return {
    rule: 'scalar-as-pointer',
    message: `uses a packet pointer from before ${helper}(), which may have moved the packet`,
    mend: `after ${helper}() read data and data_end from the context again, and compare them again`,
    registers: [name],
    related: [{ at, about: 'the call that makes earlier packet pointers invalid' }],
  };
}

const release = /^call (bpf_\w*(?:release|submit|discard|drop|destroy))\b/;

/** The call that gave back what a register held: `r1 = r7; call bpf_sk_release#86`. */
export function releasingCall({ log }: Scene, name: string): InvalidatingCall | undefined {
  const { steps } = log;
  const used = name.toLowerCase();
  for (let at = steps.length - 2; at > 0; at--) {
    const { text = '', index = 0 } = steps[at] ?? {};
    if (new RegExp(`^[rw]${used.slice(1)} = `).test(text)) return undefined;
    const helper = release.exec(text)?.[1];
    if (helper === undefined) continue;
    const argument = steps.slice(0, at).findLast((step) => step.text.startsWith('r1 = '));
    if (argument?.text === `r1 = ${used}`) return { at: index, helper };
  }
  return undefined;
}
