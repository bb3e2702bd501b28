// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Looks up a socket for each of two ports, and releases only the one that it found last.
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

static __always_inline struct bpf_sock *find(struct __sk_buff *skb, __u16 port)
{
	struct bpf_sock_tuple tuple = { .ipv4 = { .dport = bpf_htons(port) } };

	return bpf_sk_lookup_udp(skb, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0); /* HERE */
}

SEC("tc")
int dns_here(struct __sk_buff *skb)
{
	static const __u16 ports[] = { 53, 853 };
	struct bpf_sock *sk = 0;
	__u32 found = 0;

	for (int i = 0; i < 2; i++) {
		sk = find(skb, ports[i]); /* HERE */
		if (sk)
			found++;
	}
	if (sk)
		bpf_sk_release(sk);
	skb->mark = found;
	return TC_ACT_OK; /* HERE */
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
