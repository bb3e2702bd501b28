// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The XDP program of an interface that has a chain by tail calls: it gives each
 * packet the order that counts at that moment, and calls the first member. The
 * members do the rest (include/netkit/chain.h).
 *
 * The order is a map in a map. An order is never changed, only another one put
 * into its place: one update, after which the kernel waits until nobody is at
 * work with the old one. The one that a chain begins with stands in a map of its
 * own: nobody is at work yet, and there is nothing to wait for.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "netkit/chain.h"

struct chain_order {
	__u8 members;
	__u8 padding[7];
	__u8 slots[NETKIT_CHAIN_ROOM];
	__u8 go_on[NETKIT_CHAIN_ROOM];
	__u32 priorities[NETKIT_CHAIN_ROOM]; /* for whoever makes the next order */
};

struct order_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct chain_order));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct order_map);
} netkit_order SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct chain_order);
} netkit_first SEC(".maps");

/* netkit knows it by this name. */
SEC("xdp")
int netkit_xdp_root(struct xdp_md *ctx)
{
	__u32 zero = 0;
	struct chain_order *order;
	struct netkit_way *way;
	void *orders;

	orders = bpf_map_lookup_elem(&netkit_order, &zero);
	if (orders)
		order = bpf_map_lookup_elem(orders, &zero);
	else
		order = bpf_map_lookup_elem(&netkit_first, &zero);
	way = bpf_map_lookup_elem(&netkit_way, &zero);
	if (!order || !way)
		return XDP_ABORTED;
	way->members = order->members;
	if (!way->members)
		return XDP_PASS;
	way->at = 0;
	__builtin_memcpy(way->slots, order->slots, sizeof(way->slots));
	__builtin_memcpy(way->go_on, order->go_on, sizeof(way->go_on));
	return netkit_chain_call(ctx, way);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
