// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The functions of a chain that `netkit bench chain` measures: those in front
 * count each packet and pass it on, the last one drops UDP packets to one port.
 *
 * Every function is loaded once for each place. All of one chain share a map, by
 * which each knows for every packet whether the one before it has just seen it:
 * the order is checked while it is measured, too. It costs each of them what a
 * counter of its own would.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#include "netkit/chain.h"
#include "wanted.h"

/* A power of two, more than functions. */
#define PLACES 16

/* Which of the chain this one is, from 0. */
volatile const __u32 place = 0;
/* How many are in front of the one that drops, whose place that is. */
volatile const __u32 functions = 0;

/* netkit reads it by these offsets. */
struct meetings {
	__u64 turn;	    /* whose turn it is with the packet that this CPU is at work on */
	__u64 misplaced;    /* packets that came to a function when it was another one's turn */
	__u64 dropped;	    /* by the last one */
	__u64 seen[PLACES]; /* by each */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct meetings);
} met SEC(".maps");

static __always_inline struct meetings *meet(__u32 at)
{
	__u32 zero = 0;
	struct meetings *all = bpf_map_lookup_elem(&met, &zero);

	if (!all)
		return 0;
	if (all->turn != at)
		all->misplaced++;
	all->turn = at + 1;
	all->seen[at & (PLACES - 1)]++;
	return all;
}

/* The last one. Whether the packet is to be dropped. */
static __always_inline int ends(void *data, void *data_end)
{
	struct meetings *all = meet(functions);

	if (!all)
		return 0;
	all->turn = 0;
	if (!is_wanted(data, data_end))
		return 0;
	all->dropped++;
	return 1;
}

NETKIT_XDP(pass_xdp)
{
	(void)ctx;
	meet(place);
	return XDP_PASS;
}

NETKIT_XDP(end_xdp)
{
	return ends((void *)(long)ctx->data, (void *)(long)ctx->data_end) ? XDP_DROP : XDP_PASS;
}

/* The same work without a chain. */
SEC("xdp") int whole_xdp(struct xdp_md *ctx)
{
#pragma unroll
	for (__u32 at = 0; at < PLACES - 1; at++) {
		if (at < functions)
			meet(at);
	}
	return ends((void *)(long)ctx->data, (void *)(long)ctx->data_end) ? XDP_DROP : XDP_PASS;
}

SEC("tc") int pass_tc(struct __sk_buff *skb __attribute__((unused)))
{
	meet(place);
	return TC_ACT_UNSPEC;
}

SEC("tc") int end_tc(struct __sk_buff *skb)
{
	return ends((void *)(long)skb->data, (void *)(long)skb->data_end) ? TC_ACT_SHOT
									  : TC_ACT_UNSPEC;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
