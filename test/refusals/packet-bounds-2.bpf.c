// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Steps over Ethernet and IP with functions that compare with the end of the packet, and reads the
// TCP header behind without doing so.
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "netkit/packet.h"

#define TELNET 23

static __always_inline int destination_port(struct cursor *cursor)
{
	struct tcphdr *tcp = cursor->at;

	return bpf_ntohs(tcp->dest); /* HERE */
}

SEC("tc")
int no_telnet(struct __sk_buff *skb)
{
	struct cursor cursor = cursor_of(skb->data, skb->data_end);
	struct iphdr *ip;
	__be16 protocol;

	if (parse_ethernet(&cursor, &protocol) != parsed_ok || protocol != bpf_htons(ETH_P_IP))
		return TC_ACT_OK;
	if (parse_ipv4(&cursor, &ip) != parsed_ok || ip->protocol != IPPROTO_TCP)
		return TC_ACT_OK;
	return destination_port(&cursor) == TELNET ? TC_ACT_SHOT : TC_ACT_OK;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
