// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Counts the requests of `netkit bench latency`, UDP to one port, and lets
 * everything pass: the counting of the programs that drop, in `dropped` too.
 */
#include "drop.bpf.c"

SEC("xdp") int pass_xdp(struct xdp_md *ctx)
{
	if (is_wanted((void *)(long)ctx->data, (void *)(long)ctx->data_end))
		count();
	return XDP_PASS;
}

SEC("tc") int pass_tc(struct __sk_buff *skb)
{
	if (is_wanted((void *)(long)skb->data, (void *)(long)skb->data_end))
		count();
	return TC_ACT_UNSPEC;
}
