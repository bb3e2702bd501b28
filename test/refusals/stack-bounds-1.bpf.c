// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copies 32 bytes of the packet into a buffer of 16.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

SEC("tc")
int no_ssh(struct __sk_buff *skb)
{
	char greeting[16];

	if (bpf_skb_load_bytes(skb, ETH_HLEN + 40, greeting, 32) < 0) /* HERE */
		return TC_ACT_OK;
	return greeting[0] == 'S' && greeting[1] == 'S' && greeting[2] == 'H' ? TC_ACT_SHOT : TC_ACT_OK;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
