// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The order of memcpy(), the destination first, where the helper takes the context first.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

static __always_inline int read_udp(struct __sk_buff *skb, struct udphdr *udp)
{
	__u32 offset = ETH_HLEN + sizeof(struct iphdr);

	return bpf_skb_load_bytes(udp, offset, skb, sizeof(*udp)); /* HERE */
}

SEC("tc")
int no_syslog(struct __sk_buff *skb)
{
	struct udphdr udp = {};

	if (read_udp(skb, &udp) < 0)
		return TC_ACT_OK;
	return udp.dest == bpf_htons(514) ? TC_ACT_SHOT : TC_ACT_OK;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
