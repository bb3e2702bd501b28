// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The programs of `netkit bench drop`, and one more that does some rounds of work for each packet before it drops it as they do. */
#include "../../bpf/bench/drop.bpf.c"

volatile const __u32 rounds = 0;
#define MOST_ROUNDS 100000

SEC("tc") int slow_tc(struct __sk_buff *skb)
{
	__u32 state = skb->len;

	for (__u32 round = 0; round < MOST_ROUNDS && round < rounds; round++) {
		state ^= state << 13;
		state ^= state >> 17;
		/* Else the compiler would find out what comes of it all. */
		asm volatile("" : "+r"(state));
	}
	skb->mark = state;
	return drop_tc(skb);
}
