// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Aligns a pointer into the packet by clearing its lowest bits.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

static __always_inline void *align(void *at)
{
	return (void *)(((unsigned long)at + 3) & ~3UL); /* HERE */
}

SEC("tc")
int words(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data;
	void *data_end = (void *)(long)skb->data_end;
	__u32 *word = align(data + sizeof(struct ethhdr));

	if ((void *)(word + 1) > data_end)
		return TC_ACT_OK;
	return *word == 0 ? TC_ACT_SHOT : TC_ACT_OK;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
