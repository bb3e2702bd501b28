// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Several XDP programs on one interface, after libxdp's protocol
 * (lib/libxdp/protocol.org of xdp-tools), so that libxdp's tools and netkit
 * can each change the chains that the other made.
 *
 * The path of a packet
 *
 *	slot 0 ──verdict──▶ in chain_call_actions[0]? ──no──▶ that verdict
 *	                      │ yes
 *	slot 1 ◀──────────────┘		… and so on
 *	after the last one: XDP_PASS
 *
 * A slot is a function that a member of the chain replaces (freplace). One that
 * nobody has replaced returns SLOT_EMPTY, a verdict that no member has and that
 * always goes on.
 *
 * The configuration is constant data: the verifier takes away the slots that
 * are not used. A change makes a new dispatcher, never another configuration.
 *
 * DISPATCHER_VERSION is 2 (libxdp 1.3 to 1.5) or 3 (libxdp 1.6): libraries
 * change chains of their own version only, and know it by the length of the
 * configuration too.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#ifndef DISPATCHER_VERSION
#define DISPATCHER_VERSION 2
#endif

#define SLOTS 10
#define SLOT_EMPTY 31

struct dispatcher_config {
	__u8 magic;
	__u8 version;
	__u8 members;
	__u8 frags;			 /* the dispatcher takes packets in several buffers */
	__u32 chain_call_actions[SLOTS]; /* bit n: verdict n goes on to the next slot */
	__u32 priorities[SLOTS];	 /* for whoever makes the next dispatcher */
	__u32 flags[SLOTS];		 /* BPF_F_XDP_HAS_FRAGS of each member */
#if DISPATCHER_VERSION >= 3
	__u8 device_bound;
#endif
};

static volatile const struct dispatcher_config conf = {};

/*
 * The verdict is volatile: the compiler must not learn from a slot's body what
 * its replacement returns. The call that moves the end of the packet by nothing
 * tells the verifier that a slot may change the packet; without it, kernels from
 * 6.13 on refuse members that do.
 */
#define SLOT(number)                                                                               \
	__attribute__((noinline)) int prog##number(struct xdp_md *ctx)                             \
	{                                                                                          \
		volatile int verdict = SLOT_EMPTY;                                                 \
                                                                                                   \
		if (!ctx)                                                                          \
			return XDP_ABORTED;                                                        \
		bpf_xdp_adjust_tail(ctx, 0);                                                       \
		return verdict;                                                                    \
	}

SLOT(0)
SLOT(1)
SLOT(2)
SLOT(3)
SLOT(4)
SLOT(5)
SLOT(6)
SLOT(7)
SLOT(8)
SLOT(9)

static __always_inline int goes_on(__u32 verdict, __u32 actions)
{
	return verdict < 32 && (actions & (1U << verdict)) != 0;
}

#define RUN(number)                                                                                \
	do {                                                                                       \
		int verdict;                                                                       \
                                                                                                   \
		if (conf.members <= number)                                                        \
			return XDP_PASS;                                                           \
		verdict = prog##number(ctx);                                                       \
		if (!goes_on(verdict, conf.chain_call_actions[number]))                            \
			return verdict;                                                            \
	} while (0)

/* libxdp knows a dispatcher by this name. */
SEC("xdp")
int xdp_dispatcher(struct xdp_md *ctx)
{
	RUN(0);
	RUN(1);
	RUN(2);
	RUN(3);
	RUN(4);
	RUN(5);
	RUN(6);
	RUN(7);
	RUN(8);
	RUN(9);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* The version once more, in the types alone, where libxdp looks for it. */
__uint(dispatcher_version, DISPATCHER_VERSION)
SEC("xdp_metadata");
