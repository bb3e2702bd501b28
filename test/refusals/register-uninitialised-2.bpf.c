// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Redirects to an interface whose number nobody ever set.
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

SEC("tc")
int mirror(struct __sk_buff *skb)
{
	__u32 interface;

	if (bpf_get_prandom_u32() & 7)
		return TC_ACT_OK;
	return bpf_clone_redirect(skb, interface, 0); /* HERE */
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
