// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A block list in XDP: packets are judged by their source address, in the
 * driver, before the kernel has allocated anything for them.
 *
 * The path of a packet
 *
 *	Ethernet, up to two VLAN tags
 *	  ├─ neither IPv4 nor IPv6 (ARP, LLDP, MPLS …)	pass_not_ip
 *	  ├─ cut off inside a header			drop_truncated
 *	  ├─ a header that contradicts itself		drop_malformed
 *	  ├─ more than two VLAN tags			drop_too_deep
 *	  └─ IPv4 or IPv6: longest prefix of the source in blocklist_v4 or _v6
 *	       ├─ found, action drop			drop_blocked_v4, drop_blocked_v6
 *	       ├─ found, action pass			pass_exception
 *	       └─ none					default_action: pass_no_match
 *							or drop_no_match
 *
 * The longest prefix decides. A `pass` inside a blocked network is therefore an
 * exception from it, whatever the order in which the two were written:
 *
 *	netkit map update fw/blocklist_v4 10.0.0.0/8  drop
 *	netkit map update fw/blocklist_v4 10.1.2.0/24 pass
 *
 * Every fragment of a datagram has the source address and is judged by it, and
 * IP options change nothing. Tunnels are judged by their outer header. IPv6
 * neighbour discovery is IPv6: with default_action=drop it needs an entry of
 * its own, `fe80::/10 pass`.
 */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "netkit/chain.h"
#include "netkit/counters.h"
#include "netkit/packet.h"
#include "netkit/verdict.h"

/* The verdict on IP packets whose source is in no prefix. Set when loading. */
volatile const enum action default_action = pass;

/* The key of a prefix map: a length in bits, then the address as on the wire. */
struct prefix_v4 {
	__u32 prefixlen;
	__u8 addr[4];
};

struct prefix_v6 {
	__u32 prefixlen;
	__u8 addr[16];
};

/* Only `action` has to be given; writing an entry again starts its counters at zero. */
struct rule {
	enum action action;
	__u32 tag; /* the operator's own number: a ticket, a feed. Not read here */
	__u64 packets;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct prefix_v4);
	__type(value, struct rule);
} blocklist_v4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct prefix_v6);
	__type(value, struct rule);
} blocklist_v6 SEC(".maps");

/* Those that pass come first. */
enum outcome {
	pass_not_ip,
	pass_no_match,
	pass_exception,
	drop_no_match,
	drop_blocked_v4,
	drop_blocked_v6,
	drop_truncated,
	drop_malformed,
	drop_too_deep,
};

NETKIT_COUNTERS(stats, enum outcome, drop_too_deep + 1);

/* One entry serves all CPUs, so its counters are added to atomically. */
static __always_inline void count_hit(struct rule *rule, __u64 bytes)
{
	__sync_fetch_and_add(&rule->packets, 1);
	__sync_fetch_and_add(&rule->bytes, bytes);
}

static __always_inline enum outcome judge(struct rule *rule, enum outcome blocked, __u64 bytes)
{
	if (!rule)
		return default_action == pass ? pass_no_match : drop_no_match;
	count_hit(rule, bytes);
	return rule->action == pass ? pass_exception : blocked;
}

static __always_inline enum outcome refuse(enum parsed parsed)
{
	switch (parsed) {
	case parsed_truncated:
		return drop_truncated;
	case parsed_too_deep:
		return drop_too_deep;
	default:
		return drop_malformed;
	}
}

static __always_inline enum outcome filter(struct cursor *cursor, __u64 bytes)
{
	enum parsed parsed;
	__be16 protocol;

	parsed = parse_ethernet(cursor, &protocol);
	if (parsed != parsed_ok)
		return refuse(parsed);

	if (protocol == bpf_htons(ETH_P_IP)) {
		struct prefix_v4 source = { .prefixlen = 32 };
		struct iphdr *ip;

		parsed = parse_ipv4(cursor, &ip);
		if (parsed != parsed_ok)
			return refuse(parsed);
		__builtin_memcpy(source.addr, &ip->saddr, sizeof(source.addr));
		return judge(bpf_map_lookup_elem(&blocklist_v4, &source), drop_blocked_v4, bytes);
	}
	if (protocol == bpf_htons(ETH_P_IPV6)) {
		struct prefix_v6 source = { .prefixlen = 128 };
		struct ipv6hdr *ip;

		parsed = parse_ipv6(cursor, &ip);
		if (parsed != parsed_ok)
			return refuse(parsed);
		__builtin_memcpy(source.addr, &ip->saddr, sizeof(source.addr));
		return judge(bpf_map_lookup_elem(&blocklist_v6, &source), drop_blocked_v6, bytes);
	}
	return pass_not_ip;
}

NETKIT_XDP(firewall)
{
	struct cursor cursor = cursor_of(ctx->data, ctx->data_end);
	__u64 bytes = ctx->data_end - ctx->data;
	enum outcome outcome = filter(&cursor, bytes);

	count_packet(&stats, outcome, bytes);
	return xdp_verdict(outcome < drop_no_match ? pass : drop);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
