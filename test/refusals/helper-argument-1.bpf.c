// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Gives bpf_skb_load_bytes() the start of the packet, where it wants the context.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

SEC("tc")
int by_ttl(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data;
	struct iphdr ip;

	if (bpf_skb_load_bytes(data, ETH_HLEN, &ip, sizeof(ip)) < 0) /* HERE */
		return TC_ACT_OK;
	return ip.ttl > 1 ? TC_ACT_OK : TC_ACT_SHOT;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
