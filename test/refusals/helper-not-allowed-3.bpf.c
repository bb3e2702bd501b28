// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Makes room for a header with the helper of XDP, in a tc program.
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

static __noinline int make_room(struct __sk_buff *skb, int bytes)
{
	return bpf_xdp_adjust_head((struct xdp_md *)skb, -bytes); /* HERE */
}

SEC("tc")
int encapsulate(struct __sk_buff *skb)
{
	if (skb->mark == 0)
		return TC_ACT_OK;
	return make_room(skb, 8) < 0 ? TC_ACT_SHOT : TC_ACT_OK;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
