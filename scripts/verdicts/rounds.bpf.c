// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Does ROUNDS rounds of the same work on each packet, and lets it pass. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

SEC("tc") int work(struct __sk_buff *skb)
{
	__u32 state = skb->len;

	for (int round = 0; round < ROUNDS; round++) {
		state ^= state << 13;
		state ^= state >> 17;
		state ^= state << 5;
		/* Else the compiler would find out what comes of it all. */
		asm volatile("" : "+r"(state));
	}
	skb->mark = state;
	return TC_ACT_OK;
}

char _license[] SEC("license") = "Dual BSD/GPL";
