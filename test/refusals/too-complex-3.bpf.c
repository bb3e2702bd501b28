// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Compares each of 400 rules with each of 400 entries, one after the other.
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#define RULES 400
#define ENTRIES 400

__u32 rules[RULES];
__u32 entries[ENTRIES];

SEC("tc")
int compare_all(struct __sk_buff *skb)
{
	__u32 found = 0;

	for (int i = 0; i < RULES; i++) { /* HERE */
		for (int j = 0; j < ENTRIES; j++) { /* HERE */
			if (((rules[i] ^ entries[j]) & skb->mark) == skb->hash) /* HERE */
				found++; /* HERE */
		}
	}
	return found ? TC_ACT_SHOT : TC_ACT_OK;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
