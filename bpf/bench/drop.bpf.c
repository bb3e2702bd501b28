// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Drops UDP packets to one port and counts them, at each hook where a program
 * can: the rungs of `netkit bench drop` that are eBPF. All read as much of a
 * packet as `-p udp --dport PORT` makes netfilter read; or nothing, where
 * everything is to be dropped.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#include "wanted.h"

volatile const __u8 everything = 0;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} dropped SEC(".maps");

static __always_inline void count_packets(__u32 packets)
{
	__u32 key = 0;
	__u64 *counter = bpf_map_lookup_elem(&dropped, &key);

	if (counter)
		*counter += packets;
}

static __always_inline void count(void)
{
	count_packets(1);
}

SEC("xdp") int drop_xdp(struct xdp_md *ctx)
{
	if (!everything && !is_wanted((void *)(long)ctx->data, (void *)(long)ctx->data_end))
		return XDP_PASS;
	count();
	return XDP_DROP;
}

SEC("tc") int drop_tc(struct __sk_buff *skb)
{
	if (!everything && !is_wanted((void *)(long)skb->data, (void *)(long)skb->data_end))
		return TC_ACT_UNSPEC;
	/* GRO joins packets of TCP, and says how many. */
	count_packets(everything && skb->gso_segs > 1 ? skb->gso_segs : 1);
	return TC_ACT_SHOT;
}

/* A socket's filter sees the packet from its UDP header on. */
SEC("socket") int drop_socket(struct __sk_buff *skb)
{
	__u16 to = 0;

	if (bpf_skb_load_bytes(skb, 2, &to, sizeof(to)) || to != bpf_htons(port))
		return skb->len;
	count();
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
