// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What `netkit bench upgrade` replaces while packets come, and where those end.
 *
 * A judge signs each UDP packet to one port and passes it on: each of the two
 * that take turns with a sign of its own. Behind them, in a tc filter, whatever
 * is UDP over IPv4 ends, and is counted by who has signed it: one of them, both,
 * or neither. bench/sender.bpf.c sends packets unsigned.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "netkit/chain.h"

volatile const __u16 port = 9;
/* Of this judge. */
volatile const __u16 sign = 1;

#define SIGN_OF_ONE 1
#define SIGN_OF_OTHER 0x100

/* By netkit's names for these. */
enum ending { ENDED_UNSIGNED, ENDED_ONE, ENDED_OTHER, ENDED_BOTH, ENDINGS };

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} judged SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, ENDINGS);
	__type(key, __u32);
	__type(value, __u64);
} ended SEC(".maps");

struct packet {
	struct ethhdr eth;
	struct iphdr ip;
	struct udphdr udp;
	__u16 checked; /* with the source port it keeps the checksum right */
	__u16 signs;
} __attribute__((packed));

static __always_inline void count(void *map, __u32 key)
{
	__u64 *counter = bpf_map_lookup_elem(map, &key);

	if (counter)
		(*counter)++;
}

static __always_inline struct packet *packet_of(void *data, void *data_end)
{
	struct packet *packet = data;

	if ((void *)(packet + 1) > data_end || packet->eth.h_proto != bpf_htons(ETH_P_IP))
		return 0;
	return packet->ip.protocol == IPPROTO_UDP && packet->ip.ihl == 5 ? packet : 0;
}

static __always_inline void judge(void *data, void *data_end)
{
	struct packet *packet = packet_of(data, data_end);

	if (!packet || packet->udp.dest != bpf_htons(port))
		return;
	packet->signs += sign;
	count(&judged, 0);
}

SEC("xdp") int judge_xdp(struct xdp_md *ctx)
{
	judge((void *)(long)ctx->data, (void *)(long)ctx->data_end);
	return XDP_PASS;
}

NETKIT_XDP(judge_member)
{
	judge((void *)(long)ctx->data, (void *)(long)ctx->data_end);
	return XDP_PASS;
}

SEC("tc") int judge_tc(struct __sk_buff *skb)
{
	judge((void *)(long)skb->data, (void *)(long)skb->data_end);
	return TC_ACT_UNSPEC;
}

SEC("tc") int end(struct __sk_buff *skb)
{
	struct packet *packet = packet_of((void *)(long)skb->data, (void *)(long)skb->data_end);

	if (!packet)
		return TC_ACT_UNSPEC;
	switch (packet->signs) {
	case 0:
		count(&ended, ENDED_UNSIGNED);
		break;
	case SIGN_OF_ONE:
		count(&ended, ENDED_ONE);
		break;
	case SIGN_OF_OTHER:
		count(&ended, ENDED_OTHER);
		break;
	default:
		count(&ended, ENDED_BOTH);
	}
	return TC_ACT_SHOT;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
