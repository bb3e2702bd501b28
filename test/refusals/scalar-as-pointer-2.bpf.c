// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Keeps a pointer into the packet in a map, for a function further down: what comes back out is a
// mere number.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct scratch {
	struct iphdr *ip;
	__u32 offset;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratch SEC(".maps");

static __noinline int verdict(void)
{
	__u32 key = 0;
	struct scratch *kept = bpf_map_lookup_elem(&scratch, &key);

	if (!kept)
		return XDP_ABORTED;
	return kept->ip->ttl > 1 ? XDP_PASS : XDP_DROP; /* HERE */
}

SEC("xdp")
int dead_packets(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct scratch *kept;
	__u32 key = 0;

	if (data + sizeof(*eth) + sizeof(struct iphdr) > data_end)
		return XDP_PASS;
	kept = bpf_map_lookup_elem(&scratch, &key);
	if (!kept || eth->h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	kept->ip = (void *)(eth + 1);
	return verdict();
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
