// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Asks for the outgoing interface, which only an XDP program in a device map (SEC("xdp/devmap"))
// has.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u64);
} sent SEC(".maps");

static __always_inline __u64 *counter_of(struct xdp_md *ctx)
{
	__u32 key = ctx->egress_ifindex; /* HERE */

	return bpf_map_lookup_elem(&sent, &key);
}

SEC("xdp")
int count_sent(struct xdp_md *ctx)
{
	__u64 *count = counter_of(ctx);

	if (count)
		*count += 1;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
