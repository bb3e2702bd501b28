// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A signed slot number, compared with the number of slots only, reaches in front of a global array
// too.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define SLOTS 16

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, int);
} slot_of_interface SEC(".maps");

__u64 hits[SLOTS];

SEC("xdp")
int hit(struct xdp_md *ctx)
{
	__u32 key = ctx->ingress_ifindex;
	int *slot = bpf_map_lookup_elem(&slot_of_interface, &key);
	int number;

	if (!slot)
		return XDP_PASS;
	number = *slot;
	if (number >= SLOTS)
		return XDP_ABORTED;
	hits[number]++; /* HERE */
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
