// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Counts by IP protocol, a byte, in an array of 64.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define PROTOCOLS 64

struct statistics {
	__u64 by_protocol[PROTOCOLS];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct statistics);
} statistics SEC(".maps");

SEC("xdp")
int by_protocol(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);
	struct statistics *all;
	__u32 key = 0;

	if ((void *)(ip + 1) > data_end || eth->h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	all = bpf_map_lookup_elem(&statistics, &key);
	if (!all)
		return XDP_PASS;
	all->by_protocol[ip->protocol]++; /* HERE */
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
