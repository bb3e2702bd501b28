// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Takes for granted that there is a socket for the packet.
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define TCP_LISTEN 10

static __noinline int is_listening(struct __sk_buff *skb, __be32 address, __be16 port)
{
	struct bpf_sock_tuple tuple = { .ipv4 = { .daddr = address, .dport = port } };
	struct bpf_sock *sk;
	int state;

	sk = bpf_sk_lookup_tcp(skb, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
	state = sk->state; /* HERE */
	bpf_sk_release(sk);
	return state == TCP_LISTEN;
}

SEC("tc")
int only_listening(struct __sk_buff *skb)
{
	if (is_listening(skb, bpf_htonl(0x7f000001), bpf_htons(80)))
		return TC_ACT_OK;
	return TC_ACT_SHOT;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
