// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Counts in a map entry without asking whether the lookup found one.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u64);
} packets SEC(".maps");

SEC("xdp")
int count(struct xdp_md *ctx)
{
	__u32 key = ctx->rx_queue_index;
	__u64 *seen = bpf_map_lookup_elem(&packets, &key);

	*seen += 1; /* HERE */
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
