// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Returns early with a socket that it looked up and does not release.
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define TCP_LISTEN 10

SEC("tc")
int only_listening(struct __sk_buff *skb)
{
	struct bpf_sock_tuple tuple = { .ipv4 = { .dport = bpf_htons(80) } };
	struct bpf_sock *sk;

	sk = bpf_sk_lookup_tcp(skb, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0); /* HERE */
	if (!sk)
		return TC_ACT_OK;
	if (sk->state != TCP_LISTEN) /* HERE */
		return TC_ACT_SHOT; /* HERE */
	bpf_sk_release(sk);
	return TC_ACT_OK;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
