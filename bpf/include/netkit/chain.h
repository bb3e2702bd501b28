/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * XDP programs that share an interface by tail calls, where the kernel does
 * not let programs replace functions of others (freplace).
 *
 * A program takes part by being defined with NETKIT_XDP instead of SEC("xdp"):
 *
 *	NETKIT_XDP(guard)		// was: SEC("xdp") int guard(struct xdp_md *ctx)
 *	{
 *		return is_bad(ctx) ? XDP_DROP : XDP_PASS;
 *	}
 *
 * Whatever it returns goes through the chain: there is no exit to forget. On an
 * interface by itself, or in the slot of a dispatcher, the verdict is returned
 * as it is: the two maps below are the object's own then, and empty.
 *
 * In a chain they are those of the chain, which every member shares. The root
 * program (parts/xdp-tail-root.bpf.c) copies the order that counts for a packet
 * to the packet's CPU, once, and calls the first member:
 *
 *	root ──▶ slots[0] ──verdict──▶ in go_on[0]? ──no──▶ that verdict
 *	                     │ yes
 *	         slots[1] ◀──┘		… and so on
 *	after the last one: XDP_PASS
 *
 * A program that ends in tail calls of its own hands the packet to those: the
 * last of them is what has to be defined with NETKIT_XDP too. The kernel allows
 * 33 tail calls for a packet, those of the chain included.
 */
#ifndef NETKIT_CHAIN_H
#define NETKIT_CHAIN_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define NETKIT_CHAIN_MEMBERS 10
/* More than members: a new order's programs are beside the old one's for a moment. */
#define NETKIT_CHAIN_SLOTS 32
/* A power of two, so that an index is easily kept inside. */
#define NETKIT_CHAIN_ROOM 16

/* The way of the packet that this CPU is at work on. netkit knows it by its size. */
struct netkit_way {
	__u8 members; /* 0: the packet is on no chain */
	__u8 at;
	__u8 padding[6];
	__u64 missed;		       /* packets that did not get to a member, and were dropped */
	__u8 slots[NETKIT_CHAIN_ROOM]; /* of the members, in their order */
	__u8 go_on[NETKIT_CHAIN_ROOM]; /* bit n: verdict n goes on to the next one */
};

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, NETKIT_CHAIN_SLOTS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} netkit_chain SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct netkit_way);
} netkit_way SEC(".maps");

/*
 * Calls the member at the packet's place. It returns only when that did not
 * come about: netkit leaves no slot of an order empty, so the packet has had
 * too many tail calls. Members that would still have to judge it cannot, so it
 * is dropped, counted, and shown by the tracepoint xdp_exception.
 */
static __always_inline int netkit_chain_call(struct xdp_md *ctx, struct netkit_way *way)
{
	bpf_tail_call(ctx, &netkit_chain, way->slots[way->at & (NETKIT_CHAIN_ROOM - 1)]);
	way->members = 0;
	way->missed++;
	return XDP_ABORTED;
}

/* What becomes of the packet when a member has judged it. */
static __always_inline int netkit_chain_next(struct xdp_md *ctx, int verdict)
{
	__u32 zero = 0, number = verdict;
	struct netkit_way *way = bpf_map_lookup_elem(&netkit_way, &zero);
	__u8 go_on;

	if (!way || !way->members)
		return verdict;
	go_on = way->go_on[way->at & (NETKIT_CHAIN_ROOM - 1)];
	if (number >= 8 || !(go_on & (1U << number))) {
		way->members = 0;
		return verdict;
	}
	way->at++;
	if (way->at >= way->members) {
		way->members = 0;
		return XDP_PASS;
	}
	return netkit_chain_call(ctx, way);
}

#define NETKIT_XDP_SECTION(SECTION, NAME)                                                          \
	static __always_inline int NAME##_verdict(struct xdp_md *ctx);                             \
	SEC(SECTION) int NAME(struct xdp_md *ctx)                                                  \
	{                                                                                          \
		return netkit_chain_next(ctx, NAME##_verdict(ctx));                                \
	}                                                                                          \
	static __always_inline int NAME##_verdict(struct xdp_md *ctx)

/* Begins an XDP program that takes part in chains; its body follows, with `ctx`. */
#define NETKIT_XDP(NAME) NETKIT_XDP_SECTION("xdp", NAME)
/*
 * The same for one that takes packets in several buffers. Linux 5.18. Programs
 * that do and programs that do not cannot be in one chain, nor in one object.
 */
#define NETKIT_XDP_FRAGS(NAME) NETKIT_XDP_SECTION("xdp.frags", NAME)

#endif
