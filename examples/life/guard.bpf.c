// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Blocks IPv4 packets by their source address, and counts what it did.
 *
 * The path of a packet
 *
 *	Ethernet, VLAN tags
 *	  ├─ no IPv4, or cut off inside a header	passed
 *	  └─ source in `blocked`			blocked
 *	     any other source				passed
 *
 * With BROKEN it is a release that somebody should not have made: it blocks what
 * it should pass, and at least counts that as `broken`.
 */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "netkit/chain.h"
#include "netkit/counters.h"
#include "netkit/packet.h"
#include "netkit/verdict.h"

struct source {
	__be32 addr;
};

struct entry {
	__u32 ticket; /* the operator's: why it is here */
	__u64 packets;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct source);
	__type(value, struct entry);
} blocked SEC(".maps");

enum outcome {
	passed,
	blocked_source,
	broken,
};

NETKIT_COUNTERS(stats, enum outcome, broken + 1);

static __always_inline enum outcome judge(struct cursor *cursor)
{
	struct entry *entry;
	struct iphdr *ip;
	__be16 protocol;

	if (parse_ethernet(cursor, &protocol) != parsed_ok || protocol != bpf_htons(ETH_P_IP))
		return passed;
	if (parse_ipv4(cursor, &ip) != parsed_ok)
		return passed;
#ifdef BROKEN
	return broken;
#endif
	struct source source = { .addr = ip->saddr };

	entry = bpf_map_lookup_elem(&blocked, &source);
	if (!entry)
		return passed;
	__sync_fetch_and_add(&entry->packets, 1);
	return blocked_source;
}

NETKIT_XDP(guard)
{
	struct cursor cursor = cursor_of(ctx->data, ctx->data_end);
	enum outcome outcome = judge(&cursor);

	count_packet(&stats, outcome, ctx->data_end - ctx->data);
	return xdp_verdict(outcome == passed ? pass : drop);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
