// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Reads the packet as a tc program does, which an XDP program cannot: there is no socket buffer
// yet.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int by_ttl(struct xdp_md *ctx)
{
	struct iphdr ip;

	if (bpf_skb_load_bytes(ctx, sizeof(struct ethhdr), &ip, sizeof(ip)) < 0) /* HERE */
		return XDP_PASS;
	return ip.ttl > 1 ? XDP_PASS : XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
