// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Counts packets by sender and IP protocol, up to a limit, and lets every one of them pass. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* Packets longer than this are counted as large. Set when loading. */
volatile const __u32 large_from = 1000;

struct flow {
	__be32 saddr;
	__u8 protocol;
	__u8 pad[3]; /* a key is compared with its padding */
};

struct seen {
	__u64 packets;
	__u64 bytes;
	__u64 large;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct flow);
	__type(value, struct seen);
} flows SEC(".maps");

SEC("xdp")
int count(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	__u64 bytes = ctx->data_end - ctx->data;
	const struct ethhdr *ethernet = data;
	const struct iphdr *ip = (void *)(ethernet + 1);
	struct flow flow = {};
	const struct seen zero = {};
	struct seen *seen;

	if ((void *)(ip + 1) > end || ethernet->h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	flow.saddr = ip->saddr;
	flow.protocol = ip->protocol;
	bpf_map_update_elem(&flows, &flow, &zero, BPF_NOEXIST);
	seen = bpf_map_lookup_elem(&flows, &flow);
	if (!seen)
		return XDP_PASS; /* the table is full */
	__sync_fetch_and_add(&seen->packets, 1);
	__sync_fetch_and_add(&seen->bytes, bytes);
	if (bytes >= large_from)
		__sync_fetch_and_add(&seen->large, 1);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
