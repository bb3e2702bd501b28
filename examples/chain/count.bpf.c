// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Counts every packet, and lets it go on to the next member of the chain. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "netkit/chain.h"
#include "netkit/counters.h"

enum seen {
	seen_here,
};

NETKIT_COUNTERS(stats, enum seen, seen_here + 1);

NETKIT_XDP(count)
{
	count_packet(&stats, seen_here, ctx->data_end - ctx->data);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
