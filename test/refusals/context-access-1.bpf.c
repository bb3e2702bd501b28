// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A socket filter cannot look at the packet through skb->data.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

SEC("socket")
int only_arp(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data; /* HERE */
	void *data_end = (void *)(long)skb->data_end; /* HERE */
	struct ethhdr *eth = data;

	if ((void *)(eth + 1) > data_end)
		return 0;
	return eth->h_proto == bpf_htons(ETH_P_ARP) ? skb->len : 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
