// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Translates the type of service by a local table of eight, with an index of eight bits.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_CPUMAP);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u32);
} cpus SEC(".maps");

SEC("xdp")
int by_precedence(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);
	__u32 cpu_of[8];

	if ((void *)(ip + 1) > data_end || eth->h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	for (int i = 0; i < 8; i++)
		cpu_of[i] = bpf_get_prandom_u32() & 7;
	return bpf_redirect_map(&cpus, cpu_of[ip->tos], 0); /* HERE */
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
