// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A socket filter that wants to change the packet: it only sees a copy, and may not.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_helpers.h>

static __always_inline int hide_address(struct __sk_buff *skb)
{
	__u8 nobody[ETH_ALEN] = {};

	return bpf_skb_store_bytes(skb, ETH_ALEN, nobody, sizeof(nobody), 0); /* HERE */
}

SEC("socket")
int anonymise(struct __sk_buff *skb)
{
	return hide_address(skb) < 0 ? 0 : skb->len;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
